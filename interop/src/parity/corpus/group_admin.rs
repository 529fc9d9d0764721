//! FindCoordinator, DescribeGroups, ListGroups and DeleteGroups.

use kafka_protocol::messages::{FindCoordinatorRequest, ListGroupsRequest};

use crate::group_requests::{
    commit, delete_groups, deleting_groups, describe_groups, describing_groups, find, first,
    joining, leave, list_groups, read, stable, sync,
};
use crate::parity::exchange::{Exchange, Step};
use crate::requests::{create_plain, text};

const FIND_COORDINATOR: i16 = 10;
const DESCRIBE_GROUPS: i16 = 15;
const DELETE_GROUPS: i16 = 42;

pub(super) fn all() -> Vec<Exchange> {
    vec![
        find_versions(),
        find_what(),
        describe_versions(),
        describe_states(),
        describe_what(),
        list_versions(),
        list_filters(),
        delete_versions(),
        delete_what(),
    ]
}

fn finding(version: i16, kind: i8, key: &str) -> Step {
    let request = FindCoordinatorRequest::default().with_key_type(kind);
    Step::new(
        version,
        &match version {
            4.. => request.with_coordinator_keys(vec![text(key)]),
            _ => request.with_key(text(key)),
        },
    )
}

fn find_versions() -> Exchange {
    let all = (0..=4).map(|version| finding(version, 0, "find-versions"));
    Exchange::new(
        "find-versions",
        "FindCoordinator 0 to 4 of a group.",
        all.collect(),
    )
}

fn find_what() -> Exchange {
    // A list of keys: null. A key: null.
    let (nulls, null) = ([0, 0, 0, 0], [0xff, 0xff]);
    Exchange::new(
        "find-what",
        "FindCoordinator of the empty group, of kinds that are none, and of null.",
        vec![
            finding(0, 0, ""),
            finding(2, 0, ""),
            finding(4, 0, ""),
            finding(1, 9, "find-what"),
            finding(3, 9, "find-what"),
            finding(4, -1, "find-what"),
            finding(3, 2, "find-what"),
            Step::raw(FIND_COORDINATOR, 0, &null),
            Step::raw(FIND_COORDINATOR, 4, &nulls),
        ],
    )
}

fn describe_versions() -> Exchange {
    let id = "describe-versions";
    let ids = [id, "describe-versions-not"];
    let mut steps = stable(id, "a");
    steps.push(find("describe-versions-not"));
    steps.extend((0..=5).map(|version| Step::new(version, &describing_groups(&ids))));
    steps.extend((3..=5).map(|version| {
        let request = describing_groups(&ids);
        Step::new(version, &request.with_include_authorized_operations(true))
    }));
    Exchange::new(
        id,
        "DescribeGroups 0 to 5 of a group and of one that is not there, and what the client may do.",
        steps,
    )
}

fn describe_states() -> Exchange {
    let id = "describe-states";
    let look = || describe_groups(&[id]);
    let join =
        |member: &str| Step::new(5, &joining(id, member, &[("range", b"m"), ("other", b"o")]));
    Exchange::new(
        id,
        "DescribeGroups of a group in each of its states.",
        vec![
            find(id),
            look(),
            join("").names("a").until(id, "Empty", 0),
            look(),
            join("{a}"),
            look(),
            sync(id, 1, "{a}", &[("{a}", "first")]),
            look(),
            join("").on("b").names("b"),
            join("{b}")
                .on("b")
                .parked()
                .until(id, "PreparingRebalance", 2),
            look(),
            join("{a}").then_reads(&["b"]),
            look(),
            sync(id, 2, "{a}", &[("{a}", "second"), ("{b}", "other")]),
            look(),
            leave(id, "{b}"),
            look(),
            leave(id, "{a}"),
            look(),
            delete_groups(&[id]),
            look(),
        ],
    )
}

fn describe_what() -> Exchange {
    let id = "describe-what";
    // A list of groups: null.
    let null = [0xff, 0xff, 0xff, 0xff];
    Exchange::new(
        id,
        "DescribeGroups of nothing, of the empty group, of a group twice, and of null.",
        [
            stable(id, "a"),
            vec![
                describe_groups(&[]),
                describe_groups(&[""]),
                describe_groups(&[id, id]),
                Step::raw(DESCRIBE_GROUPS, 0, &null),
            ],
        ]
        .concat(),
    )
}

fn list_versions() -> Exchange {
    let id = "list-versions";
    let empty = "list-versions-empty";
    let mut steps = vec![
        create_plain(&[id]),
        find(empty),
        commit(empty, (-1, ""), id, 1),
    ];
    steps.extend(stable(id, "a"));
    steps.extend((0..=5).map(|version| Step::new(version, &ListGroupsRequest::default())));
    Exchange::new(
        id,
        "ListGroups 0 to 5, of a group with a member and of one that only has offsets.",
        steps,
    )
}

fn list_filters() -> Exchange {
    let id = "list-filters";
    let (empty, new) = ("list-filters-empty", "list-filters-new");
    let mut steps = vec![
        create_plain(&[id]),
        find(empty),
        commit(empty, (-1, ""), id, 1),
    ];
    steps.extend(stable(id, "a"));
    steps.extend(first(new, "b"));
    steps.extend([
        list_groups(&["Stable"], &[]),
        list_groups(&["stable", "EMPTY"], &[]),
        list_groups(&["CompletingRebalance"], &[]),
        list_groups(&["PreparingRebalance", "Dead"], &[]),
        list_groups(&["Stable", "nonsense"], &[]),
        list_groups(&["nonsense"], &[]),
        list_groups(&[""], &[]),
        list_groups(&[], &["classic"]),
        list_groups(&[], &["Classic"]),
        list_groups(&[], &["consumer"]),
        list_groups(&["Stable"], &["consumer", "classic"]),
        list_groups(&[], &["nonsense"]),
        list_groups(&["Stable"], &[""]),
    ]);
    Exchange::new(
        id,
        "ListGroups in some states and of some types, in any case, and of such as there are not.",
        steps,
    )
}

fn delete_versions() -> Exchange {
    let id = "delete-versions";
    let mut steps = vec![create_plain(&[id])];
    for version in 0..=2 {
        let group = format!("{id}-{version}");
        steps.extend([
            find(&group),
            commit(&group, (-1, ""), id, 1),
            Step::new(version, &deleting_groups(&[&group])),
            Step::new(version, &deleting_groups(&[&group])),
            read(&group, None),
        ]);
    }
    Exchange::new(
        id,
        "DeleteGroups 0 to 2 of a group with offsets, and once more.",
        steps,
    )
}

fn delete_what() -> Exchange {
    let id = "delete-what";
    let empty = "delete-what-empty";
    // A list of groups: null.
    let null = [0xff, 0xff, 0xff, 0xff];
    let mut steps = vec![
        create_plain(&[id]),
        find(empty),
        commit(empty, (-1, ""), id, 1),
    ];
    steps.extend(stable(id, "a"));
    steps.extend([
        delete_groups(&[id]),
        delete_groups(&[id, empty, "delete-what-not"]),
        describe_groups(&[id, empty]),
        delete_groups(&[]),
        delete_groups(&[""]),
        leave(id, "{a}"),
        delete_groups(&[id, id]),
        describe_groups(&[id]),
        Step::raw(DELETE_GROUPS, 0, &null),
    ]);
    Exchange::new(
        id,
        "DeleteGroups of a group with members, beside one without and one that is not there; of nothing, the empty group, a group twice, and null.",
        steps,
    )
}
