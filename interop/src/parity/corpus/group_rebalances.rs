//! Members that come, go and come back, step by step, each on a connection of its own.

use crate::group_requests::{
    beat, commit, describe_groups, find, join, join_as, joining, leave, list_groups, read, stable,
    subscription, sync,
};
use crate::parity::exchange::{Exchange, Step};
use crate::requests::create_plain;

const PREPARING: &str = "PreparingRebalance";

pub(super) fn all() -> Vec<Exchange> {
    vec![
        two_members(),
        three_members(),
        selection(),
        cooperative(),
        followers_return(),
        leaders_return(),
        waiting_sync(),
        waiting_leaves(),
        pending_leaves(),
        second_join(),
        full(),
    ]
}

/// The member `{NAME}` comes to a group with one member, and waits on the connection `NAME`.
fn comes(id: &str, member: &str, members: usize) -> Vec<Step> {
    vec![
        join(id, "").on(member).names(member),
        join(id, &format!("{{{member}}}"))
            .on(member)
            .parked()
            .until(id, PREPARING, members),
    ]
}

fn both(id: &str) -> Vec<Step> {
    [
        stable(id, "a"),
        comes(id, "b", 2),
        vec![
            join(id, "{a}").then_reads(&["b"]),
            sync(id, 2, "{b}", &[]).on("b").parked(),
            sync(id, 2, "{a}", &[("{a}", "left"), ("{b}", "right")]).then_reads(&["b"]),
        ],
    ]
    .concat()
}

fn two_members() -> Exchange {
    let id = "two-members";
    let steps = [
        vec![create_plain(&[id])],
        stable(id, "a"),
        vec![commit(id, (1, "{a}"), id, 1)],
        comes(id, "b", 2),
        vec![
            beat(id, 1, "{a}"),
            sync(id, 1, "{a}", &[]),
            commit(id, (1, "{a}"), id, 2),
            commit(id, (1, "{b}"), id, 3),
            beat(id, 1, "x"),
            beat(id, 0, "{a}"),
            join(id, "{a}").then_reads(&["b"]),
            beat(id, 2, "{a}"),
            beat(id, 1, "{a}"),
            commit(id, (2, "{a}"), id, 3),
            commit(id, (1, "{a}"), id, 3),
            sync(id, 2, "{b}", &[]).on("b").parked(),
            sync(id, 2, "{a}", &[("{a}", "left"), ("{b}", "right")]).then_reads(&["b"]),
            beat(id, 2, "{a}"),
            beat(id, 2, "{b}").on("b"),
            commit(id, (2, "{b}"), id, 4).on("b"),
            describe_groups(&[id]),
            leave(id, "{b}").on("b"),
            beat(id, 2, "{b}").on("b"),
            beat(id, 2, "{a}"),
            join(id, "{a}"),
            sync(id, 3, "{a}", &[("{a}", "all")]),
            beat(id, 3, "{a}"),
            leave(id, "{a}"),
            describe_groups(&[id]),
            list_groups(&["Empty"], &[]),
            read(id, None),
        ],
    ];
    Exchange::new(
        id,
        "A second member comes, both share out, it leaves again, and so does the first.",
        steps.concat(),
    )
}

fn three_members() -> Exchange {
    let id = "three-members";
    let steps = [
        both(id),
        comes(id, "c", 3),
        vec![
            beat(id, 2, "{a}"),
            join(id, "{b}").on("b").parked(),
            join(id, "{a}").then_reads(&["b", "c"]),
            sync(id, 3, "{c}", &[]).on("c").parked(),
            sync(id, 3, "{b}", &[]).on("b").parked(),
            sync(
                id,
                3,
                "{a}",
                &[("{c}", "third"), ("{a}", "first"), ("{b}", "second")],
            )
            .then_reads(&["b", "c"]),
            // The leader goes: another one is elected.
            leave(id, "{a}"),
            beat(id, 3, "{b}").on("b"),
            beat(id, 3, "{c}").on("c"),
            describe_groups(&[id]),
            leave(id, "{b}").on("b"),
            join(id, "{c}").on("c"),
            sync(id, 4, "{c}", &[("{c}", "all")]).on("c"),
            describe_groups(&[id]),
        ],
    ];
    Exchange::new(
        id,
        "A third member comes, and then the leader leaves.",
        steps.concat(),
    )
}

fn selection() -> Exchange {
    let id = "selection";
    let ask =
        |member: &str, protocols: &[(&str, &[u8])]| Step::new(5, &joining(id, member, protocols));
    let a: &[(&str, &[u8])] = &[("one", b"a1"), ("two", b"a2"), ("three", b"a3")];
    let b: &[(&str, &[u8])] = &[("two", b"b2"), ("one", b"b1")];
    let c: &[(&str, &[u8])] = &[("three", b"c3"), ("two", b"c2")];
    Exchange::new(
        id,
        "The protocol that all know and most prefer is selected; one that not all know never.",
        vec![
            find(id),
            ask("", a).names("a"),
            ask("{a}", a),
            ask("", b).on("b").names("b"),
            ask("{b}", b).on("b").parked().until(id, PREPARING, 2),
            ask("{a}", a).then_reads(&["b"]),
            ask("", &[("three", b"c3")]).on("c"),
            ask("", c).on("c").names("c"),
            ask("{c}", c).on("c").parked().until(id, PREPARING, 3),
            ask("{b}", b).on("b").parked(),
            ask("{a}", a).then_reads(&["b", "c"]),
            ask("{b}", &[("one", b"b1")]).on("b"),
        ],
    )
}

fn cooperative() -> Exchange {
    let id = "cooperative";
    let ask = |member: &str, owned: &[i32]| {
        let metadata = subscription(&[id], &[(id, owned)]);
        Step::new(
            5,
            &joining(id, member, &[("cooperative-sticky", &metadata)]),
        )
    };
    Exchange::new(
        id,
        "A member gives up a partition first, and joins again; then the other one gets it.",
        vec![
            find(id),
            ask("", &[]).names("a"),
            ask("{a}", &[]),
            sync(id, 1, "{a}", &[("{a}", "0 1")]),
            ask("", &[]).on("b").names("b"),
            ask("{b}", &[]).on("b").parked().until(id, PREPARING, 2),
            beat(id, 1, "{a}"),
            ask("{a}", &[0, 1]).then_reads(&["b"]),
            sync(id, 2, "{b}", &[]).on("b").parked(),
            sync(id, 2, "{a}", &[("{a}", "0"), ("{b}", "")]).then_reads(&["b"]),
            // It has given up 1, and says so.
            ask("{a}", &[0]).parked().until(id, PREPARING, 2),
            beat(id, 2, "{b}").on("b"),
            ask("{b}", &[]).on("b").then_reads(&[""]),
            sync(id, 3, "{b}", &[]).on("b").parked(),
            sync(id, 3, "{a}", &[("{a}", "0"), ("{b}", "1")]).then_reads(&["b"]),
            beat(id, 3, "{a}"),
            beat(id, 3, "{b}").on("b"),
            describe_groups(&[id]),
        ],
    )
}

fn followers_return() -> Exchange {
    let id = "followers-return";
    let with = |metadata: &'static [u8]| Step::new(5, &joining(id, "{b}", &[("range", metadata)]));
    let steps = [
        both(id),
        vec![
            // Nothing is new: it gets what it has.
            join(id, "{b}").on("b"),
            sync(id, 2, "{b}", &[]).on("b"),
            with(b"new").on("b").parked().until(id, PREPARING, 2),
            beat(id, 2, "{a}"),
            join(id, "{a}").then_reads(&["b"]),
            // Again, before there are shares.
            with(b"new").on("b"),
            with(b"newer").on("b").parked().until(id, PREPARING, 2),
            beat(id, 3, "{a}"),
            join(id, "{a}").then_reads(&["b"]),
        ],
    ];
    Exchange::new(
        id,
        "A follower joins a stable group again: with the metadata that it had, and with other.",
        steps.concat(),
    )
}

fn leaders_return() -> Exchange {
    let id = "leaders-return";
    let steps = [
        both(id),
        vec![
            join(id, "{a}").parked().until(id, PREPARING, 2),
            describe_groups(&[id]).on("c"),
            beat(id, 2, "{b}").on("b"),
            join(id, "{b}").on("b").then_reads(&[""]),
            sync(id, 3, "{a}", &[("{a}", "more"), ("{b}", "less")]),
            sync(id, 3, "{b}", &[]).on("b"),
        ],
    ];
    Exchange::new(
        id,
        "The leader joins a stable group again, to share out anew.",
        steps.concat(),
    )
}

fn waiting_sync() -> Exchange {
    let id = "waiting-sync";
    let steps = [
        stable(id, "a"),
        comes(id, "b", 2),
        vec![join(id, "{a}").then_reads(&["b"])],
        vec![sync(id, 2, "{b}", &[]).on("b").parked()],
        comes(id, "c", 3),
        vec![
            // Whoever waits for a share is sent back.
            beat(id, 2, "{a}").then_reads(&["b"]),
            sync(id, 2, "{a}", &[("{a}", "left"), ("{b}", "right")]),
            join(id, "{b}").on("b").parked(),
            join(id, "{a}").then_reads(&["b", "c"]),
        ],
    ];
    Exchange::new(
        id,
        "A third member comes while one waits for its share: a new generation begins.",
        steps.concat(),
    )
}

fn waiting_leaves() -> Exchange {
    let id = "waiting-leaves";
    let steps = [
        stable(id, "a"),
        comes(id, "b", 2),
        vec![
            leave(id, "{b}").on("c").then_reads(&["b"]),
            beat(id, 1, "{a}"),
            join(id, "{a}"),
            sync(id, 2, "{a}", &[("{a}", "s")]),
            beat(id, 2, "{a}"),
        ],
        // The same in the next state.
        comes(id, "d", 2),
        vec![
            join(id, "{a}").then_reads(&["d"]),
            sync(id, 3, "{d}", &[])
                .on("d")
                .parked()
                .until(id, "CompletingRebalance", 2),
            leave(id, "{d}").on("c").then_reads(&["d"]),
            beat(id, 3, "{a}"),
        ],
    ];
    Exchange::new(
        id,
        "A member leaves on another connection while its join waits, and while its sync does.",
        steps.concat(),
    )
}

fn pending_leaves() -> Exchange {
    let id = "pending-leaves";
    let steps = [
        stable(id, "a"),
        vec![
            // An id that is given, and not used yet, is waited for.
            join(id, "").on("b").names("b"),
            join(id, "{a}").parked().until(id, PREPARING, 1),
            leave(id, "{b}").on("b").then_reads(&[""]),
            join(id, "{b}").on("b"),
        ],
    ];
    Exchange::new(
        id,
        "A rebalance waits for a member that has got its id, until the id is given back.",
        steps.concat(),
    )
}

fn second_join() -> Exchange {
    let id = "second-join";
    let steps = [
        stable(id, "a"),
        comes(id, "b", 2),
        vec![
            join(id, "{b}").on("c").parked().then_reads(&["b"]),
            join(id, "{a}").then_reads(&["c"]),
            sync(id, 2, "{a}", &[("{a}", "s")]),
        ],
    ];
    Exchange::new(
        id,
        "A member joins on a second connection while its first join waits.",
        steps.concat(),
    )
}

fn full() -> Exchange {
    let id = "full";
    let steps = [
        stable(id, "a"),
        vec![
            join_as(id, "", "i")
                .on("b")
                .names("b")
                .parked()
                .until(id, PREPARING, 2),
            join(id, "").on("c").names("c"),
            join(id, "{c}").on("c").parked().until(id, PREPARING, 3),
            join(id, "{a}").parked().then_reads(&["b", "c", ""]),
            sync(id, 2, "{a}", &[("{a}", "s")]),
            join(id, "").on("d"),
            Step::new(3, &joining(id, "", &[("range", b"m")])).on("d"),
            join_as(id, "", "j").on("d"),
            beat(id, 2, "{a}"),
            join_as(id, "", "i").on("b").names("back"),
            beat(id, 2, "{a}"),
        ],
    ];
    Exchange::new(
        id,
        "A group of three is full: for a fourth member, and for a static one that is back.",
        steps.concat(),
    )
}
