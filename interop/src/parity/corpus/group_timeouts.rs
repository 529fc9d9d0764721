//! Members that are silent, late, or back under their instance id. No step is sent to a
//! member whose session is about to end. A timeout for joining leaves seconds for the steps
//! before the one that is late.

use crate::group_requests::{
    beat, beating, commit, committing, describe_groups, find, join, join_as, joining, leave_all,
    read, stable, sync, syncing,
};
use crate::parity::exchange::{Exchange, Step};
use crate::requests::{create_plain, text};

const PREPARING: &str = "PreparingRebalance";
const COMPLETING: &str = "CompletingRebalance";

/// A session in milliseconds, after which no step needs the member.
const SESSION: i32 = 500;
/// How long members may take to join again, in milliseconds, where one of them does not.
const REBALANCE: i32 = 2_000;

pub(super) fn all() -> Vec<Exchange> {
    vec![
        silent(),
        silent_follower(),
        late_to_join(),
        late_to_sync(),
        leader_does_not_sync(),
        static_return(),
        static_return_otherwise(),
        static_return_in_a_rebalance(),
        static_late(),
    ]
}

fn brief_session(id: &str, member: &str) -> Step {
    let request = joining(id, member, &[("range", b"m")]);
    Step::new(5, &request.with_session_timeout_ms(SESSION))
}

fn brief_rebalance(id: &str, member: &str) -> Step {
    let request = joining(id, member, &[("range", b"m")]);
    Step::new(5, &request.with_rebalance_timeout_ms(REBALANCE))
}

fn silent() -> Exchange {
    let id = "silent";
    Exchange::new(
        id,
        "A member that is silent for its session is gone, and with it the generation.",
        vec![
            create_plain(&[id]),
            find(id),
            join(id, "").names("a"),
            brief_session(id, "{a}").until(id, "Empty", 0),
            beat(id, 1, "{a}"),
            sync(id, 1, "{a}", &[("{a}", "s")]),
            commit(id, (1, "{a}"), id, 1),
            join(id, "{a}"),
            describe_groups(&[id]),
            join(id, "").names("b"),
            join(id, "{b}"),
        ],
    )
}

fn silent_follower() -> Exchange {
    let id = "silent-follower";
    let steps = [
        stable(id, "a"),
        vec![
            join(id, "").on("b").names("b"),
            brief_session(id, "{b}")
                .on("b")
                .parked()
                .until(id, PREPARING, 2),
            join(id, "{a}").then_reads(&["b"]).until(id, PREPARING, 1),
            beat(id, 2, "{a}"),
            beat(id, 2, "{b}").on("b"),
            join(id, "{a}"),
            sync(id, 3, "{a}", &[("{a}", "all")]),
            describe_groups(&[id]),
        ],
    ];
    Exchange::new(
        id,
        "A follower that is silent is gone, and the others share out anew.",
        steps.concat(),
    )
}

fn late_to_join() -> Exchange {
    let id = "late-to-join";
    let steps = [vec![
        create_plain(&[id]),
        find(id),
        brief_rebalance(id, "").names("a"),
        brief_rebalance(id, "{a}"),
        sync(id, 1, "{a}", &[("{a}", "s")]),
        brief_rebalance(id, "").on("b").names("b"),
        brief_rebalance(id, "{b}")
            .on("b")
            .parked()
            .until(id, COMPLETING, 1)
            .then_reads(&["b"]),
        beat(id, 1, "{a}"),
        sync(id, 1, "{a}", &[]),
        commit(id, (1, "{a}"), id, 1),
        join(id, "{a}"),
    ]];
    Exchange::new(
        id,
        "A member that does not join again in time is gone, and the next generation begins without it.",
        steps.concat(),
    )
}

fn late_to_sync() -> Exchange {
    let id = "late-to-sync";
    Exchange::new(
        id,
        "A follower that does not ask for its share in time is gone.",
        vec![
            find(id),
            brief_rebalance(id, "").names("a"),
            brief_rebalance(id, "{a}"),
            join(id, "").on("b").names("b"),
            // The timeout of the generation is the longest of its members.
            brief_rebalance(id, "{b}")
                .on("b")
                .parked()
                .until(id, PREPARING, 2),
            brief_rebalance(id, "{a}").then_reads(&["b"]),
            sync(id, 2, "{a}", &[("{a}", "left"), ("{b}", "right")]).until(id, PREPARING, 1),
            beat(id, 2, "{a}"),
            beat(id, 2, "{b}").on("b"),
        ],
    )
}

fn leader_does_not_sync() -> Exchange {
    let id = "leader-does-not-sync";
    Exchange::new(
        id,
        "A leader that brings no shares in time is gone, and another one is elected.",
        vec![
            find(id),
            brief_rebalance(id, "").names("a"),
            brief_rebalance(id, "{a}"),
            brief_rebalance(id, "").on("b").names("b"),
            brief_rebalance(id, "{b}")
                .on("b")
                .parked()
                .until(id, PREPARING, 2),
            brief_rebalance(id, "{a}").then_reads(&["b"]),
            sync(id, 2, "{b}", &[])
                .on("b")
                .parked()
                .until(id, PREPARING, 1)
                .then_reads(&["b"]),
            beat(id, 2, "{a}"),
            join(id, "{b}").on("b"),
            sync(id, 3, "{b}", &[("{b}", "all")]).on("b"),
        ],
    )
}

fn beat_as(id: &str, generation: i32, member: &str) -> Step {
    let request = beating(id, generation, member);
    Step::new(3, &request.with_group_instance_id(Some(text("i"))))
}

fn static_return() -> Exchange {
    let id = "static-return";
    let fenced_sync = syncing(id, 1, "{a}", &[]).with_group_instance_id(Some(text("i")));
    let fenced_commit = committing(id, (1, "{a}"), id, &[(0, 1, None)]);
    let fenced_commit = fenced_commit.with_group_instance_id(Some(text("i")));
    Exchange::new(
        id,
        "A static member is back under a new member id: there is no rebalance, and the old id is fenced.",
        vec![
            create_plain(&[id]),
            find(id),
            join_as(id, "", "i").names("a"),
            sync(id, 1, "{a}", &[("{a}", "s")]),
            join_as(id, "", "i").on("b").names("b"),
            describe_groups(&[id]),
            beat_as(id, 1, "{a}"),
            beat(id, 1, "{a}"),
            Step::new(3, &fenced_sync),
            Step::new(7, &fenced_commit),
            join_as(id, "{a}", "i"),
            leave_all(id, &[("{a}", Some("i"))]),
            beat_as(id, 1, "{b}").on("b"),
            sync(id, 1, "{b}", &[]).on("b"),
            commit(id, (1, "{b}"), id, 5).on("b"),
            read(id, None),
            leave_all(id, &[("", Some("i"))]),
            describe_groups(&[id]),
            beat_as(id, 1, "{b}").on("b"),
        ],
    )
}

fn static_return_otherwise() -> Exchange {
    let id = "static-return-otherwise";
    let with = |protocols: &[(&str, &[u8])]| {
        let request = joining(id, "", protocols);
        Step::new(5, &request.with_group_instance_id(Some(text("i"))))
    };
    Exchange::new(
        id,
        "A static member is back with other metadata, then with another protocol, which needs a rebalance.",
        vec![
            find(id),
            with(&[("range", b"m")]).names("a"),
            sync(id, 1, "{a}", &[("{a}", "s")]),
            with(&[("range", b"other")]).names("b"),
            describe_groups(&[id]),
            with(&[("roundrobin", b"m")]).names("c"),
            sync(id, 1, "{c}", &[]),
            sync(id, 2, "{c}", &[("{c}", "t")]),
            describe_groups(&[id]),
        ],
    )
}

fn static_return_in_a_rebalance() -> Exchange {
    let id = "static-return-waiting";
    let static_sync = syncing(id, 2, "{c}", &[]).with_group_instance_id(Some(text("i")));
    let steps = [
        stable(id, "a"),
        vec![
            join_as(id, "", "i")
                .on("b")
                .names("b")
                .parked()
                .until(id, PREPARING, 2),
            // Its join waits, and is fenced by the one that comes back.
            join_as(id, "", "i")
                .on("c")
                .names("c")
                .parked()
                .then_reads(&["b"]),
            join(id, "{a}").parked().then_reads(&["c", ""]),
            Step::new(3, &static_sync)
                .on("c")
                .parked()
                .until(id, COMPLETING, 2),
            join_as(id, "", "i")
                .on("d")
                .names("d")
                .parked()
                .then_reads(&["c"]),
            beat(id, 2, "{a}"),
            join(id, "{a}").parked().then_reads(&["d", ""]),
        ],
    ];
    Exchange::new(
        id,
        "A static member is back while its join waits, and while its sync does: what waits is fenced.",
        steps.concat(),
    )
}

fn static_late() -> Exchange {
    let id = "static-late";
    let brief = |member: &str| {
        let request = joining(id, member, &[("range", b"m")]).with_rebalance_timeout_ms(REBALANCE);
        Step::new(5, &request.with_group_instance_id(Some(text("i"))))
    };
    Exchange::new(
        id,
        "A static member that does not join again in time stays in the group.",
        vec![
            find(id),
            brief("").names("a"),
            sync(id, 1, "{a}", &[("{a}", "s")]),
            brief_rebalance(id, "").on("b").names("b"),
            brief_rebalance(id, "{b}")
                .on("b")
                .parked()
                .until(id, COMPLETING, 2)
                .then_reads(&["b"]),
            describe_groups(&[id]),
        ],
    )
}
