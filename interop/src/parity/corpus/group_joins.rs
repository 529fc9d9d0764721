//! JoinGroup, by a group's first members.

use kafka_protocol::messages::JoinGroupRequest;

use crate::group_requests::{
    beat, describe_groups, find, first, join, join_as, joining, leave, stable, sync,
};
use crate::parity::exchange::{Exchange, Step};
use crate::requests::text;

const JOIN_GROUP: i16 = 11;

pub(super) fn all() -> Vec<Exchange> {
    vec![
        by_version(),
        unknown_members(),
        ids_first(),
        joined_again(),
        bad_groups(),
        sessions(),
        protocols(),
        protocols_beside(),
        instances(),
        instance_names(),
    ]
}

fn by_version() -> Exchange {
    let mut steps = Vec::new();
    for version in 0..=7 {
        let id = format!("join-versions-{version}");
        let (short, member) = (format!("m{version}"), format!("{{m{version}}}"));
        let ask = |member: &str| Step::new(version, &joining(&id, member, &[("range", b"m")]));
        steps.push(find(&id));
        steps.push(ask("").names(&short));
        if version >= 4 {
            steps.push(ask(&member));
        }
        steps.push(describe_groups(&[&id]));
    }
    Exchange::new(
        "join-versions",
        "JoinGroup 0 to 7 into a new group. From version 4 on a consumer gets its member id first.",
        steps,
    )
}

fn unknown_members() -> Exchange {
    let id = "join-unknown";
    let as_what =
        |version, member: &str| Step::new(version, &joining(id, member, &[("range", b"m")]));
    Exchange::new(
        id,
        "Member ids that the group has not given: in a group that is not there, and in one that is.",
        [
            vec![
                find(id),
                as_what(0, "x"),
                as_what(5, "x"),
                describe_groups(&[id]),
            ],
            stable(id, "a"),
            vec![
                as_what(0, "x"),
                as_what(5, "x"),
                as_what(7, "x"),
                beat(id, 1, "{a}"),
            ],
        ]
        .concat(),
    )
}

fn ids_first() -> Exchange {
    let id = "join-id-first";
    Exchange::new(
        id,
        "A member id that is given and not used is no member yet: what it may do.",
        vec![
            find(id),
            join(id, "").names("a"),
            join(id, "").names("b"),
            describe_groups(&[id]),
            beat(id, 0, "{a}"),
            sync(id, 0, "{a}", &[]),
            leave(id, "{a}"),
            join(id, "{a}"),
            leave(id, "{a}"),
            join(id, "{b}"),
            describe_groups(&[id]),
        ],
    )
}

fn joined_again() -> Exchange {
    let id = "join-again";
    let with = |protocols: &[(&str, &[u8])]| Step::new(5, &joining(id, "{a}", protocols));
    Exchange::new(
        id,
        "The leader joins again: before it has its share it is the same generation, then a new one, and so with other protocols.",
        [
            first(id, "a"),
            vec![
                join(id, "{a}"),
                with(&[("range", b"other")]),
                sync(id, 2, "{a}", &[("{a}", "s")]),
                join(id, "{a}"),
                describe_groups(&[id]),
                sync(id, 2, "{a}", &[]),
                sync(id, 3, "{a}", &[("{a}", "t")]),
                describe_groups(&[id]),
            ],
        ]
        .concat(),
    )
}

fn bad_groups() -> Exchange {
    // Group id: null.
    let null = [0xff, 0xff, 0, 0, 0x75, 0x30, 0, 0, 0, 0, 0, 0, 0, 0];
    let long = "g".repeat(40_000);
    Exchange::new(
        "join-bad-groups",
        "A group id that is empty, null, or too long.",
        vec![
            find("join-bad-groups"),
            join("", ""),
            Step::new(0, &joining("", "", &[("range", b"m")])),
            Step::raw(JOIN_GROUP, 0, &null),
            Step::new(7, &joining(&long, "", &[("range", b"m")])),
        ],
    )
}

fn sessions() -> Exchange {
    let id = "join-sessions";
    let with = |version, millis| {
        let request = joining(id, "", &[("range", b"m")]);
        Step::new(version, &request.with_session_timeout_ms(millis))
    };
    Exchange::new(
        id,
        "Session timeouts that are too short and too long, and a rebalance timeout below 0.",
        vec![
            find(id),
            with(0, 0),
            with(5, 0),
            with(5, 1),
            with(5, -1),
            with(5, 99),
            with(5, 1_800_001),
            with(7, i32::MAX),
            describe_groups(&[id]),
            with(5, 1_800_000).names("a"),
        ],
    )
}

fn protocols() -> Exchange {
    let id = "join-protocols";
    let with =
        |version, protocols: &[(&str, &[u8])]| Step::new(version, &joining(id, "", protocols));
    let of_type = |kind: &str| {
        let request = joining(id, "", &[("range", b"m")]);
        Step::new(5, &request.with_protocol_type(text(kind)))
    };
    Exchange::new(
        id,
        "A new group's first member without protocols, or without a kind.",
        vec![
            find(id),
            with(0, &[]),
            with(5, &[]),
            of_type(""),
            describe_groups(&[id]),
            with(1, &[("", b"")]).names("a"),
            describe_groups(&[id]),
        ],
    )
}

fn protocols_beside() -> Exchange {
    let id = "join-inconsistent";
    let with = |protocols: &[(&str, &[u8])]| Step::new(3, &joining(id, "", protocols));
    let of_type = |kind: &str| -> JoinGroupRequest {
        joining(id, "", &[("range", b"m")]).with_protocol_type(text(kind))
    };
    let member = |protocols: &[(&str, &[u8])]| Step::new(5, &joining(id, "{a}", protocols));
    Exchange::new(
        id,
        "Members that do not go with those that are there: another kind, no protocol in common, none.",
        [
            stable(id, "a"),
            vec![
                Step::new(3, &of_type("connect")),
                Step::new(3, &of_type("")),
                with(&[("roundrobin", b"m")]),
                with(&[]),
                Step::new(5, &of_type("connect")),
                member(&[]),
                member(&[("roundrobin", b"m")]),
                sync(id, 2, "{a}", &[("{a}", "s")]),
                describe_groups(&[id]),
                leave(id, "{a}"),
                // An empty group takes another kind.
                Step::new(3, &of_type("connect")).names("b"),
                describe_groups(&[id]),
            ],
        ]
        .concat(),
    )
}

fn instances() -> Exchange {
    let id = "join-instances";
    Exchange::new(
        id,
        "A static member is in the group at once. Its names must fit.",
        vec![
            find(id),
            join_as(id, "x", "i"),
            join_as(id, "", "i").names("a"),
            sync(id, 1, "{a}", &[("{a}", "s")]),
            join_as(id, "x", "i"),
            join_as(id, "{a}", "j"),
            join_as(id, "x", "j"),
            beat(id, 1, "{a}"),
            join_as(id, "{a}", "i"),
            join(id, "{a}"),
            describe_groups(&[id]),
        ],
    )
}

fn instance_names() -> Exchange {
    let id = "join-instance-names";
    Exchange::new(
        id,
        "Instance ids that are empty, odd, or long.",
        vec![
            find(id),
            join_as(id, "", "").names("a"),
            leave(id, "{a}"),
            join_as(id, "", "a b/é").names("b"),
            leave(id, "{b}"),
            join_as(id, "", &"i".repeat(300)).names("c"),
            leave(id, "{c}"),
        ],
    )
}
