//! OffsetCommit, OffsetFetch and OffsetDelete.

use kafka_protocol::messages::offset_delete_request::{
    OffsetDeleteRequestPartition, OffsetDeleteRequestTopic,
};
use kafka_protocol::messages::{OffsetCommitRequest, OffsetDeleteRequest};

use crate::group_requests::{
    commit, committing, delete_groups, find, first, group, join_as, joining, leave, read,
    read_groups, reading, stable, subscription, sync,
};
use crate::parity::exchange::{Exchange, Step};
use crate::requests::{create, create_plain, name, text, topic};

/// A commit from outside of a group.
const NOBODY: (i32, &str) = (-1, "");

const OFFSET_COMMIT: i16 = 8;

pub(super) fn all() -> Vec<Exchange> {
    vec![
        commit_versions(),
        commit_where(),
        commit_what(),
        commit_by_strangers(),
        commit_by_members(),
        commit_by_instances(),
        fetch_versions(),
        fetch_where(),
        fetch_groups(),
        delete_offsets(),
        delete_read(),
    ]
}

fn commit_versions() -> Exchange {
    let id = "commit-versions";
    let commits = (2..=8).flat_map(|version: i16| {
        let request = committing(id, NOBODY, id, &[(0, i64::from(version), Some("m"))]);
        [Step::new(version, &request), read(id, None)]
    });
    let mut steps = vec![create_plain(&[id]), find(id)];
    steps.extend(commits);
    let mut request = committing(id, NOBODY, id, &[(0, 9, Some("m"))]);
    request.topics[0].partitions[0].committed_leader_epoch = 3;
    steps.extend([Step::new(6, &request), read(id, None)]);
    let retention = |millis| {
        let request = committing(id, NOBODY, id, &[(0, millis, Some("m"))]);
        Step::new(4, &request.with_retention_time_ms(millis))
    };
    steps.extend([retention(60_000), read(id, None)]);
    Exchange::new(
        id,
        "OffsetCommit 2 to 8 from outside of a group, with a leader's epoch, and with a time to keep it.",
        steps,
    )
}

fn commit_where() -> Exchange {
    let id = "commit-where";
    let at = |topic: &str, partitions: &[i32]| {
        let offsets: Vec<_> = partitions.iter().map(|&one| (one, 5, Some("m"))).collect();
        Step::new(7, &committing(id, NOBODY, topic, &offsets))
    };
    Exchange::new(
        id,
        "Commits of topics and partitions that are not there, beside those that are, twice, and of nothing.",
        vec![
            create(vec![topic(id, 2, 1)]),
            find(id),
            at("commit-no-topic", &[0]),
            at(id, &[7]),
            at(id, &[-1]),
            at(id, &[0, 7]),
            at("a b", &[0]),
            at("", &[0]),
            at(id, &[]),
            at(id, &[1, 1]),
            Step::new(7, &OffsetCommitRequest::default().with_group_id(group(id))),
            read(id, None),
        ],
    )
}

fn commit_what() -> Exchange {
    let id = "commit-what";
    let with = |offset, metadata: Option<&str>| {
        let request = committing(id, NOBODY, id, &[(0, offset, metadata), (1, 1, Some(""))]);
        [Step::new(7, &request), read(id, None)]
    };
    // Group id: null.
    let null = [0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0, 0];
    let mut steps = vec![create(vec![topic(id, 2, 1)]), find(id)];
    steps.extend(with(0, None));
    steps.extend(with(-1, Some("below")));
    steps.extend(with(-5, Some("below")));
    steps.extend(with(i64::MAX, Some("last")));
    steps.extend(with(1, Some(&"x".repeat(4_096))));
    steps.extend(with(2, Some(&"x".repeat(4_097))));
    steps.extend([
        commit("", NOBODY, id, 3),
        read("", None),
        Step::raw(OFFSET_COMMIT, 2, &null),
    ]);
    Exchange::new(
        id,
        "Offsets below 0 and behind all, metadata that is null, the longest, and too long; and the empty and the null group.",
        steps,
    )
}

fn commit_by_strangers() -> Exchange {
    let id = "commit-by-strangers";
    Exchange::new(
        id,
        "Commits into a group that is not there, and that has no members, with generations and member ids.",
        [
            vec![
                create_plain(&[id]),
                find(id),
                commit(id, (0, ""), id, 1),
                commit(id, (1, "x"), id, 1),
                commit(id, (-1, "x"), id, 2),
                read(id, None),
            ],
            stable(id, "a"),
            vec![
                leave(id, "{a}"),
                commit(id, (1, "{a}"), id, 3),
                commit(id, (2, "{a}"), id, 3),
                commit(id, (0, ""), id, 3),
                commit(id, (-1, "x"), id, 4),
                read(id, None),
                commit(id, NOBODY, id, 5),
                read(id, None),
            ],
        ]
        .concat(),
    )
}

fn commit_by_members() -> Exchange {
    let id = "commit-by-members";
    Exchange::new(
        id,
        "Commits into a group that has a member: before its first share and with it, by it and by others.",
        [
            vec![create_plain(&[id])],
            first(id, "a"),
            vec![
                commit(id, (1, "{a}"), id, 1),
                commit(id, (0, "{a}"), id, 1),
                commit(id, NOBODY, id, 1),
                sync(id, 1, "{a}", &[("{a}", "s")]),
                commit(id, (1, "{a}"), id, 2),
                commit(id, (0, "{a}"), id, 3),
                commit(id, (2, "{a}"), id, 3),
                commit(id, (-1, "{a}"), id, 3),
                commit(id, (1, "x"), id, 3),
                commit(id, (1, ""), id, 3),
                commit(id, NOBODY, id, 3),
                commit(id, (2, "x"), id, 3),
                commit(id, (1, "{a}"), "commit-no-topic", 3),
                commit(id, (2, "{a}"), "commit-no-topic", 3),
                read(id, None),
            ],
        ]
        .concat(),
    )
}

fn commit_by_instances() -> Exchange {
    let id = "commit-by-instances";
    let by = |generation, member: &str, instance: &str, offset| {
        let request = committing(id, (generation, member), id, &[(0, offset, Some("m"))]);
        Step::new(7, &request.with_group_instance_id(Some(text(instance))))
    };
    Exchange::new(
        id,
        "Commits by a static member, by one of which a newer process is there, and by strangers.",
        vec![
            create_plain(&[id]),
            find(id),
            join_as(id, "", "i").names("a"),
            sync(id, 1, "{a}", &[("{a}", "s")]),
            by(1, "{a}", "i", 1),
            join_as(id, "", "i").names("b"),
            by(1, "{a}", "i", 2),
            by(1, "{b}", "j", 2),
            by(1, "x", "j", 2),
            by(1, "", "i", 2),
            by(-1, "", "i", 2),
            by(2, "{b}", "i", 2),
            by(1, "{b}", "i", 3),
            read(id, None),
        ],
    )
}

fn fetch_versions() -> Exchange {
    let id = "offsets-versions";
    let ask = |version| Step::new(version, &reading(id, Some(&[(id, &[0, 1])])));
    let mut steps = vec![
        create(vec![topic(id, 2, 1)]),
        find(id),
        commit(id, NOBODY, id, 5),
    ];
    steps.extend((1..=7).map(ask));
    steps.push(read_groups(&[(id, Some(&[(id, &[0, 1])]))]));
    steps.extend((2..=7).map(|version| Step::new(version, &reading(id, None))));
    steps.push(Step::new(7, &reading(id, None).with_require_stable(true)));
    steps.push(read_groups(&[(id, None)]));
    Exchange::new(
        id,
        "OffsetFetch 1 to 8 of a partition with an offset and one without, and of all topics.",
        steps,
    )
}

fn fetch_where() -> Exchange {
    let id = "offsets-where";
    let all = |version, group: &str| Step::new(version, &reading(group, Some(&[(id, &[0])])));
    Exchange::new(
        id,
        "OffsetFetch of groups, topics and partitions that are not there, of nothing, and twice of the same.",
        vec![
            create_plain(&[id]),
            find(id),
            all(1, "offsets-where-not"),
            all(2, "offsets-where-not"),
            read("offsets-where-not", None),
            read("", None),
            commit(id, NOBODY, id, 5),
            read(id, Some(&[])),
            read(id, Some(&[(id, &[])])),
            read(id, Some(&[(id, &[7, -1])])),
            read(id, Some(&[("offsets-no-topic", &[0]), (id, &[0])])),
            read(id, Some(&[("a b", &[0]), ("", &[0])])),
            read(id, Some(&[(id, &[0, 0])])),
            read(id, Some(&[(id, &[0]), (id, &[0])])),
        ],
    )
}

fn fetch_groups() -> Exchange {
    let id = "offsets-groups";
    let (one, two) = ("offsets-groups-1", "offsets-groups-2");
    Exchange::new(
        id,
        "OffsetFetch 8 of no groups, two, the same twice, one that is not there, and the empty one.",
        vec![
            create_plain(&[id]),
            find(one),
            find(two),
            find("offsets-groups-3"),
            commit(one, NOBODY, id, 1),
            commit(two, NOBODY, id, 2),
            read_groups(&[]),
            read_groups(&[(one, None), (two, Some(&[(id, &[0])]))]),
            read_groups(&[(one, None), (one, Some(&[(id, &[0])]))]),
            read_groups(&[("offsets-groups-3", None), (one, Some(&[])), ("", None)]),
            read_groups(&[("offsets-groups-3", Some(&[(id, &[0])]))]),
        ],
    )
}

fn deleting(id: &str, topics: &[(&str, &[i32])]) -> Step {
    let topics = topics.iter().map(|(topic, partitions)| {
        let partitions = partitions
            .iter()
            .map(|&index| OffsetDeleteRequestPartition::default().with_partition_index(index));
        OffsetDeleteRequestTopic::default()
            .with_name(name(topic))
            .with_partitions(partitions.collect())
    });
    let request = OffsetDeleteRequest::default().with_group_id(group(id));
    Step::new(0, &request.with_topics(topics.collect()))
}

fn delete_offsets() -> Exchange {
    let id = "delete-offsets";
    let two = |offset| {
        let offsets = [(0, offset, Some("m")), (1, offset, Some("m"))];
        Step::new(7, &committing(id, NOBODY, id, &offsets))
    };
    Exchange::new(
        id,
        "OffsetDelete of groups, topics, partitions and offsets that are not there; of some, and of all.",
        vec![
            create(vec![topic(id, 2, 1)]),
            find(id),
            deleting("", &[(id, &[0])]),
            deleting(id, &[(id, &[0])]),
            two(5),
            deleting(id, &[]),
            deleting(id, &[(id, &[])]),
            deleting(id, &[("offsets-no-topic", &[0]), ("a b", &[0])]),
            deleting(id, &[(id, &[0, 7, -1])]),
            read(id, None),
            deleting(id, &[(id, &[0])]),
            deleting(id, &[(id, &[1, 1])]),
            read(id, None),
            deleting(id, &[(id, &[1])]),
        ],
    )
}

fn delete_read() -> Exchange {
    let id = "delete-offsets-read";
    let (kept, other) = ("delete-offsets-read-kept", "delete-offsets-read-other");
    let reads = subscription(&[kept], &[]);
    let ask = |member: &str| Step::new(5, &joining(id, member, &[("range", &reads)]));
    let connect = joining(other, "", &[("default", b"m")]).with_protocol_type(text("connect"));
    Exchange::new(
        id,
        "OffsetDelete of topics that members read, that none reads, and of a group of another kind that has members.",
        vec![
            create_plain(&[kept, id]),
            find(id),
            find(other),
            commit(id, NOBODY, kept, 1),
            commit(id, NOBODY, id, 2),
            ask("").names("a"),
            ask("{a}"),
            deleting(id, &[(kept, &[0]), (id, &[0])]),
            sync(id, 1, "{a}", &[("{a}", "s")]),
            commit(id, (1, "{a}"), id, 3),
            deleting(id, &[(kept, &[0]), (id, &[0])]),
            read(id, None),
            commit(other, NOBODY, id, 1),
            Step::new(3, &connect).names("b"),
            deleting(other, &[(id, &[0])]),
            leave(other, "{b}"),
            deleting(other, &[(id, &[0])]),
            leave(id, "{a}"),
            deleting(id, &[(kept, &[0])]),
            delete_groups(&[id]),
            read(id, None),
        ],
    )
}
