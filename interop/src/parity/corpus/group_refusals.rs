//! What is refused in every version of the APIs for groups.

use std::ops::RangeInclusive;

use kafka_protocol::messages::leave_group_request::MemberIdentity;
use kafka_protocol::messages::{FindCoordinatorRequest, LeaveGroupRequest, ListGroupsRequest};

use crate::group_requests::{
    beating, committing, deleting_groups, describing_groups, find, group, joining, read_groups,
    reading, stable, syncing,
};
use crate::parity::exchange::{Exchange, Step};
use crate::requests::{create_plain, text};

pub(super) fn all() -> Vec<Exchange> {
    vec![
        joins(),
        syncs(),
        beats(),
        leaves(),
        commits(),
        fetches(),
        descriptions(),
        coordinators(),
        deletions(),
        lists(),
    ]
}

/// The steps of each version, for a group with the member `{a}`.
fn each(id: &str, versions: RangeInclusive<i16>, of: impl Fn(i16) -> Vec<Step>) -> Vec<Step> {
    stable(id, "a")
        .into_iter()
        .chain(versions.flat_map(of))
        .collect()
}

fn joins() -> Exchange {
    let id = "refused-join";
    let steps = each(id, 0..=7, |version| {
        let of = |group: &str, member: &str| joining(group, member, &[("range", b"m")]);
        vec![
            Step::new(version, &of("", "")),
            Step::new(version, &of(id, "x")),
            Step::new(version, &of("refused-join-not", "x")),
            Step::new(version, &of(id, "").with_session_timeout_ms(1)),
            Step::new(version, &of(id, "").with_protocol_type(text("connect"))),
            Step::new(version, &joining(id, "", &[("other", b"m")])),
            Step::new(version, &joining(id, "", &[])),
        ]
    });
    Exchange::new(
        id,
        "JoinGroup 0 to 7: the empty group, unknown members, a session too short, protocols that do not go with those that are there.",
        steps,
    )
}

fn syncs() -> Exchange {
    let id = "refused-sync";
    let steps = each(id, 0..=5, |version| {
        let of = |group: &str, generation, member: &str| {
            let request = syncing(group, generation, member, &[]);
            Step::new(
                version,
                &match version {
                    5.. => request
                        .with_protocol_type(Some(text("consumer")))
                        .with_protocol_name(Some(text("range"))),
                    _ => request,
                },
            )
        };
        vec![
            of("", 1, "{a}"),
            of("refused-sync-not", 1, "x"),
            of(id, 1, "x"),
            of(id, 1, ""),
            of(id, 0, "{a}"),
            of(id, 2, "{a}"),
        ]
    });
    Exchange::new(
        id,
        "SyncGroup 0 to 5: unknown groups and members, other generations.",
        steps,
    )
}

fn beats() -> Exchange {
    let id = "refused-beat";
    let steps = each(id, 0..=4, |version| {
        let of = |group: &str, generation, member: &str| {
            Step::new(version, &beating(group, generation, member))
        };
        vec![
            of("", 1, "{a}"),
            of("refused-beat-not", 1, "x"),
            of(id, 1, "x"),
            of(id, 1, ""),
            of(id, 0, "{a}"),
            of(id, 2, "{a}"),
        ]
    });
    Exchange::new(
        id,
        "Heartbeat 0 to 4: unknown groups and members, other generations.",
        steps,
    )
}

fn leaves() -> Exchange {
    let id = "refused-leave";
    let steps = each(id, 0..=4, |version| {
        let of = |name: &str, member: &str| {
            let request = LeaveGroupRequest::default().with_group_id(group(name));
            let one = MemberIdentity::default().with_member_id(text(member));
            Step::new(
                version,
                &match version {
                    ..3 => request.with_member_id(text(member)),
                    _ => request.with_members(vec![one]),
                },
            )
        };
        vec![
            of("", "{a}"),
            of("refused-leave-not", "x"),
            of(id, "x"),
            of(id, ""),
        ]
    });
    Exchange::new(id, "LeaveGroup 0 to 4: unknown groups and members.", steps)
}

fn commits() -> Exchange {
    let id = "refused-commit";
    let mut steps = vec![create_plain(&[id])];
    steps.extend(each(id, 2..=8, |version| {
        let of = |group: &str, member: (i32, &str), topic: &str, partition| {
            let offsets = [(partition, 1, Some("m"))];
            Step::new(version, &committing(group, member, topic, &offsets))
        };
        let long = "x".repeat(4_097);
        let long = committing(id, (1, "{a}"), id, &[(0, 1, Some(&long))]);
        vec![
            of("refused-commit-not", (1, "x"), id, 0),
            of(id, (1, "x"), id, 0),
            of(id, (0, "{a}"), id, 0),
            of(id, (2, "{a}"), id, 0),
            of(id, (-1, ""), id, 0),
            of(id, (1, "{a}"), "refused-no-topic", 0),
            of(id, (1, "{a}"), id, 7),
            Step::new(version, &long),
        ]
    }));
    Exchange::new(
        id,
        "OffsetCommit 2 to 8: unknown groups, members, topics and partitions, other generations, metadata too long.",
        steps,
    )
}

fn fetches() -> Exchange {
    let id = "refused-offsets";
    let mut steps = vec![create_plain(&[id]), find(id)];
    for version in 1..=7 {
        let of = |group: &str, topic: &str, partition| {
            Step::new(version, &reading(group, Some(&[(topic, &[partition])])))
        };
        steps.extend([
            of("", id, 0),
            of("refused-offsets-not", id, 0),
            of(id, "refused-no-topic", 0),
            of(id, "a b", 0),
            of(id, id, 7),
            Step::new(version, &reading(id, Some(&[]))),
        ]);
    }
    steps.push(read_groups(&[
        ("", Some(&[(id, &[0])])),
        (
            "refused-offsets-not",
            Some(&[("refused-no-topic", &[0, -1])]),
        ),
        (id, Some(&[("a b", &[0])])),
    ]));
    Exchange::new(
        id,
        "OffsetFetch 1 to 8 of groups, topics and partitions that are not there.",
        steps,
    )
}

fn descriptions() -> Exchange {
    let id = "refused-groups";
    let mut steps = vec![find(id)];
    steps.extend((0..=5).flat_map(|version| {
        let of = |ids: &[&str]| Step::new(version, &describing_groups(ids));
        [of(&["refused-groups"]), of(&[])]
    }));
    Exchange::new(
        id,
        "DescribeGroups 0 to 5 of groups that are not there.",
        steps,
    )
}

fn coordinators() -> Exchange {
    let each = (0..=4).flat_map(|version| {
        let of = |kind, key: &str| {
            let request = FindCoordinatorRequest::default().with_key_type(kind);
            let keys = vec![text(key)];
            Step::new(
                version,
                &match version {
                    4.. => request.with_coordinator_keys(keys),
                    _ => request.with_key(text(key)),
                },
            )
        };
        // Version 0 knows groups alone.
        match version {
            0 => vec![of(0, "")],
            _ => vec![of(0, ""), of(9, "refused-coordinator"), of(-1, "")],
        }
    });
    Exchange::new(
        "refused-coordinator",
        "FindCoordinator 0 to 4 of the empty group, and of kinds that are none.",
        each.collect(),
    )
}

fn deletions() -> Exchange {
    let id = "refused-deletion";
    let steps = each(id, 0..=2, |version| {
        let of = |ids: &[&str]| Step::new(version, &deleting_groups(ids));
        vec![
            of(&[id]),
            of(&["refused-deletion-not"]),
            of(&[id, "refused-deletion-not"]),
            of(&[]),
        ]
    });
    Exchange::new(
        id,
        "DeleteGroups 0 to 2 of a group with members, of one that is not there, and of none.",
        steps,
    )
}

fn lists() -> Exchange {
    let id = "refused-list-groups";
    let steps = each(id, 4..=5, |version| {
        let of = |state: &str| {
            let request = ListGroupsRequest::default();
            Step::new(version, &request.with_states_filter(vec![text(state)]))
        };
        vec![of("Stable"), of("Empty"), of("nonsense"), of("")]
    });
    Exchange::new(
        id,
        "ListGroups 4 and 5 in states that no group is in, or that there are not.",
        steps,
    )
}
