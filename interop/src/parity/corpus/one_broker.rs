//! What a broker alone is asked of epochs, leaders and the cluster.

use kafka_protocol::messages::elect_leaders_request::TopicPartitions;
use kafka_protocol::messages::list_partition_reassignments_request::ListPartitionReassignmentsTopics;
use kafka_protocol::messages::offset_for_leader_epoch_request::{
    OffsetForLeaderPartition, OffsetForLeaderTopic,
};
use kafka_protocol::messages::{
    BrokerId, DescribeClusterRequest, ElectLeadersRequest, ListPartitionReassignmentsRequest,
    OffsetForLeaderEpochRequest,
};

use crate::parity::batch::Batch;
use crate::parity::exchange::{Exchange, Step};
use crate::requests::{create_plain, name, production};

pub(super) fn all() -> Vec<Exchange> {
    vec![
        epochs(),
        epochs_of_unknown(),
        epochs_refused(),
        cluster(),
        reassignments(),
        elections(),
        elections_of_all(),
        elections_by_version(),
        elections_refused(),
    ]
}

/// Partition, the epoch that the client knows, the epoch asked about.
type Asked<'a> = (&'a str, &'a [(i32, i32, i32)]);

fn ends(version: i16, topics: &[Asked<'_>]) -> Step {
    let partition = |(index, current, epoch): &(i32, i32, i32)| {
        OffsetForLeaderPartition::default()
            .with_partition(*index)
            .with_current_leader_epoch(*current)
            .with_leader_epoch(*epoch)
    };
    let topics = topics.iter().map(|(topic, partitions)| {
        OffsetForLeaderTopic::default()
            .with_topic(name(topic))
            .with_partitions(partitions.iter().map(partition).collect())
    });
    let request = OffsetForLeaderEpochRequest::default()
        .with_replica_id(BrokerId(if version < 3 { -2 } else { -1 }))
        .with_topics(topics.collect());
    Step::new(version, &request)
}

fn epochs() -> Exchange {
    let batch = Batch::of(&["a", "b", "c"]).bytes();
    let of = |version, current, epoch| ends(version, &[("epoch-ends", &[(0, current, epoch)])]);
    Exchange::new(
        "epoch-ends",
        "OffsetForLeaderEpoch 2 to 4: the epoch of all records, one before, one after, none; and epochs that the leader does not have.",
        vec![
            create_plain(&["epoch-ends"]),
            of(4, -1, 0),
            Step::new(9, &production("epoch-ends", 1, &[(0, Some(&batch))])),
            of(2, -1, 0),
            of(3, -1, 0),
            of(4, -1, 0),
            of(4, 0, 0),
            of(4, -1, 1),
            of(4, -1, -1),
            of(4, -1, -2),
            of(4, 1, 0),
            of(4, -2, 0),
        ],
    )
}

fn epochs_of_unknown() -> Exchange {
    Exchange::new(
        "epoch-ends-of-unknown",
        "OffsetForLeaderEpoch of what is not there, of nothing, and twice of the same.",
        vec![
            create_plain(&["epochs-known"]),
            ends(
                4,
                &[("epochs-known", &[(0, -1, 0), (7, -1, 0), (-1, -1, 0)])],
            ),
            ends(4, &[("epochs-no-topic", &[(0, -1, 0)])]),
            ends(4, &[("a b", &[(0, -1, 0)])]),
            ends(4, &[]),
            ends(4, &[("epochs-known", &[])]),
            ends(4, &[("epochs-known", &[(0, -1, 0), (0, -1, 0)])]),
            ends(
                4,
                &[
                    ("epochs-known", &[(0, -1, 0)]),
                    ("epochs-known", &[(0, -1, 0)]),
                ],
            ),
        ],
    )
}

fn epochs_refused() -> Exchange {
    let id = "epochs-refused";
    let of =
        |version, topic: &str, partition: (i32, i32, i32)| ends(version, &[(topic, &[partition])]);
    let each = (2..=4).flat_map(|version| {
        [
            of(version, "epochs-no-topic", (0, -1, 0)),
            of(version, id, (7, -1, 0)),
            of(version, id, (0, 1, 0)),
            of(version, id, (0, -2, 0)),
            of(version, id, (0, -1, 5)),
            ends(version, &[]),
        ]
    });
    Exchange::new(
        id,
        "OffsetForLeaderEpoch 2 to 4: unknown topics and partitions, epochs that are not the leader's.",
        [create_plain(&[id])].into_iter().chain(each).collect(),
    )
}

fn cluster() -> Exchange {
    let ask = |version, operations, kind| {
        let request = DescribeClusterRequest::default()
            .with_include_cluster_authorized_operations(operations)
            .with_endpoint_type(kind);
        Step::new(version, &request)
    };
    Exchange::new(
        "cluster",
        "DescribeCluster 0 and 1, with operations, of controllers, and of what is none.",
        vec![
            ask(0, false, 1),
            ask(1, false, 1),
            ask(1, true, 1),
            ask(1, false, 2),
            ask(1, false, 0),
            ask(1, false, 9),
        ],
    )
}

fn reassignments() -> Exchange {
    let ask = |timeout, topics: Option<&[(&str, &[i32])]>| {
        let topic = |(topic, partitions): &(&str, &[i32])| {
            ListPartitionReassignmentsTopics::default()
                .with_name(name(topic))
                .with_partition_indexes(partitions.to_vec())
        };
        let request = ListPartitionReassignmentsRequest::default()
            .with_timeout_ms(timeout)
            .with_topics(topics.map(|topics| topics.iter().map(topic).collect()));
        Step::new(0, &request)
    };
    Exchange::new(
        "reassignments",
        "ListPartitionReassignments of all, of some, of none, of what is not there.",
        vec![
            create_plain(&["reassignments"]),
            ask(10_000, None),
            ask(10_000, Some(&[])),
            ask(10_000, Some(&[("reassignments", &[0])])),
            ask(
                10_000,
                Some(&[("reassignments", &[7]), ("reassignments-not", &[0])]),
            ),
            ask(10_000, Some(&[("a b", &[0])])),
            ask(0, None),
            ask(-1, None),
        ],
    )
}

fn elect(version: i16, kind: i8, topics: Option<&[(&str, &[i32])]>) -> Step {
    let topic = |(topic, partitions): &(&str, &[i32])| {
        TopicPartitions::default()
            .with_topic(name(topic))
            .with_partitions(partitions.to_vec())
    };
    let request = ElectLeadersRequest::default()
        .with_election_type(kind)
        .with_timeout_ms(10_000)
        .with_topic_partitions(topics.map(|topics| topics.iter().map(topic).collect()));
    Step::new(version, &request)
}

fn elections() -> Exchange {
    Exchange::new(
        "elections",
        "ElectLeaders of partitions that have a leader, or are not there; preferred and unclean.",
        vec![
            create_plain(&["elections"]),
            elect(2, 0, Some(&[("elections", &[0])])),
            elect(2, 1, Some(&[("elections", &[0])])),
            elect(2, 0, Some(&[("elections", &[0, 7, -1])])),
            elect(2, 0, Some(&[("elections-not", &[0])])),
            elect(2, 0, Some(&[("a b", &[0])])),
            elect(2, 0, Some(&[("elections", &[0, 0])])),
            elect(2, 0, Some(&[("elections", &[])])),
        ],
    )
}

fn elections_of_all() -> Exchange {
    Exchange::new(
        "elections-of-all",
        "ElectLeaders of no partitions, and of a kind that there is none of.",
        vec![
            create_plain(&["elections-of-all"]),
            elect(2, 0, Some(&[])),
            elect(2, 9, None),
            elect(2, 9, Some(&[("elections-of-all", &[0])])),
        ],
    )
}

fn elections_by_version() -> Exchange {
    let of = |version| elect(version, 0, Some(&[("elections-versions", &[0])]));
    Exchange::new(
        "elections-versions",
        "ElectLeaders 0 to 2.",
        vec![create_plain(&["elections-versions"]), of(0), of(1), of(2)],
    )
}

fn elections_refused() -> Exchange {
    let id = "elections-refused";
    let each = (0..=2).flat_map(|version| {
        [
            elect(version, 0, Some(&[("elections-not", &[0])])),
            elect(version, 0, Some(&[(id, &[7])])),
            elect(version, 0, Some(&[])),
        ]
    });
    Exchange::new(
        id,
        "ElectLeaders 0 to 2 of topics and partitions that are not there, and of none.",
        [create_plain(&[id])].into_iter().chain(each).collect(),
    )
}
