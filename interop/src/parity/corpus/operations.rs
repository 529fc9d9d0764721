//! What operators do to records and partitions: delete and add.

use kafka_protocol::messages::create_partitions_request::{
    CreatePartitionsAssignment, CreatePartitionsTopic,
};
use kafka_protocol::messages::delete_records_request::{
    DeleteRecordsPartition, DeleteRecordsTopic,
};
use kafka_protocol::messages::{BrokerId, CreatePartitionsRequest, DeleteRecordsRequest};

use crate::parity::batch::Batch;
use crate::parity::exchange::{Exchange, Step};
use crate::requests::{create, create_plain, fetch, listing, metadata, name, produce, set, topic};

pub(super) fn all() -> Vec<Exchange> {
    vec![
        records(),
        records_refused(),
        records_by_policy(),
        partitions(),
        partitions_refused(),
        partitions_by_hand(),
    ]
}

/// Topic, and in it partitions and offsets.
type Below<'a> = (&'a str, &'a [(i32, i64)]);

fn delete_below(version: i16, timeout_ms: i32, topics: &[Below<'_>]) -> Step {
    let partition = |(index, offset): &(i32, i64)| {
        DeleteRecordsPartition::default()
            .with_partition_index(*index)
            .with_offset(*offset)
    };
    let topics = topics.iter().map(|(topic, partitions)| {
        DeleteRecordsTopic::default()
            .with_name(name(topic))
            .with_partitions(partitions.iter().map(partition).collect())
    });
    let request = DeleteRecordsRequest::default()
        .with_topics(topics.collect())
        .with_timeout_ms(timeout_ms);
    Step::new(version, &request)
}

fn records() -> Exchange {
    let below = |version, offset| delete_below(version, 1_000, &[("below", &[(0, offset)])]);
    let batch = Batch::of(&["a", "b", "c", "d"]);
    Exchange::new(
        "below",
        "DeleteRecords: below an offset, below a lower one, all; who fetches below is out of range.",
        vec![
            create_plain(&["below"]),
            produce("below", &batch),
            below(0, 2),
            below(1, 1),
            Step::new(1, &listing("below", &[(0, -2)])),
            fetch("below", 1),
            below(2, 4),
            below(2, -1),
            Step::new(1, &listing("below", &[(0, -2)])),
            produce("below", &batch),
            fetch("below", 3),
        ],
    )
}

fn records_refused() -> Exchange {
    let one = |offset| delete_below(2, 1_000, &[("below-what", &[(0, offset)])]);
    Exchange::new(
        "below-what",
        "DeleteRecords of what is not there, above the end, twice, and without time.",
        vec![
            create_plain(&["below-what"]),
            produce("below-what", &Batch::of(&["a", "b"])),
            one(3),
            one(-2),
            delete_below(2, 1_000, &[("below-what", &[(7, 0)])]),
            delete_below(2, 1_000, &[("below-what", &[(-1, 0)])]),
            delete_below(2, 1_000, &[("below-nothing", &[(0, 0)])]),
            delete_below(2, 1_000, &[("not a name", &[(0, 0)])]),
            delete_below(2, 1_000, &[("", &[(0, 0)])]),
            delete_below(2, 1_000, &[("below-what", &[])]),
            delete_below(2, 1_000, &[]),
            delete_below(2, 1_000, &[("below-what", &[(0, 9), (0, 0)])]),
            delete_below(2, 0, &[("below-what", &[(0, 1)])]),
            delete_below(2, -1, &[("below-what", &[(0, 2)])]),
        ],
    )
}

fn records_by_policy() -> Exchange {
    let with =
        |topic_name, policy| set(topic(topic_name, 1, 1), &[("cleanup.policy", Some(policy))]);
    let topics = [
        ("below-compact", "compact"),
        ("below-both", "compact,delete"),
        ("below-neither", ""),
    ];
    let mut steps = vec![create(
        topics.map(|(topic, policy)| with(topic, policy)).to_vec(),
    )];
    steps.extend(topics.map(|(topic, _)| fetch(topic, 0)));
    steps.extend(topics.map(|(topic, _)| delete_below(2, 1_000, &[(topic, &[(0, 0)])])));
    Exchange::new(
        "below-by-policy",
        "DeleteRecords of a topic that is compacted, of one that is also deleted from, and of one that is neither.",
        steps,
    )
}

fn more(topic_name: &str, count: i32) -> CreatePartitionsTopic {
    CreatePartitionsTopic::default()
        .with_name(name(topic_name))
        .with_count(count)
        .with_assignments(None)
}

fn grow(topics: Vec<CreatePartitionsTopic>, timeout_ms: i32, validate_only: bool) -> Step {
    let request = CreatePartitionsRequest::default()
        .with_topics(topics)
        .with_timeout_ms(timeout_ms)
        .with_validate_only(validate_only);
    Step::new(3, &request)
}

fn partitions() -> Exchange {
    let to = |count, validate_only| grow(vec![more("grown", count)], 10_000, validate_only);
    Exchange::new(
        "grown",
        "CreatePartitions: checked, done, and done again.",
        vec![
            create_plain(&["grown"]),
            to(3, true),
            metadata(&["grown"]),
            to(3, false),
            a_moment("grown"),
            metadata(&["grown"]),
            to(3, false),
            to(2, false),
        ],
    )
}

fn partitions_refused() -> Exchange {
    let to = |topic, count| grow(vec![more(topic, count)], 10_000, false);
    Exchange::new(
        "grown-not",
        "CreatePartitions of a topic that is not there, to fewer partitions, twice in a request, and without time.",
        vec![
            create_plain(&["grown-not", "grown-beside"]),
            to("grown-not", 1),
            to("grown-not", 0),
            to("grown-not", -1),
            to("grown-nowhere", 3),
            to("not a name", 3),
            to("", 3),
            grow(
                vec![
                    more("grown-not", 2),
                    more("grown-beside", 2),
                    more("grown-not", 3),
                ],
                10_000,
                true,
            ),
            grow(vec![more("grown-not", 2)], 0, false),
            grow(vec![more("grown-not", 2)], -1, false),
            grow(vec![more("grown-not", 2), more("grown-not", 2)], 0, false),
            grow(vec![], 10_000, false),
            metadata(&["grown-not"]),
        ],
    )
}

fn partitions_by_hand() -> Exchange {
    let to = |count, assignments: &[&[i32]]| {
        let assignments = assignments.iter().map(|brokers| {
            CreatePartitionsAssignment::default()
                .with_broker_ids(brokers.iter().map(|id| BrokerId(*id)).collect())
        });
        let topic = more("grown-by-hand", count).with_assignments(Some(assignments.collect()));
        grow(vec![topic], 10_000, false)
    };
    Exchange::new(
        "grown-by-hand",
        "CreatePartitions with assignments: to another broker, too many, too few, none, to nobody, to one twice, and right ones.",
        vec![
            create_plain(&["grown-by-hand"]),
            to(2, &[&[2]]),
            to(2, &[&[1], &[1]]),
            to(3, &[&[1]]),
            to(2, &[]),
            to(2, &[&[]]),
            to(2, &[&[1, 1]]),
            to(2, &[&[-1]]),
            to(1, &[&[2]]),
            to(3, &[&[1], &[1]]),
            a_moment("grown-by-hand"),
            metadata(&["grown-by-hand"]),
        ],
    )
}

/// A fetch that finds nothing and waits 50 ms: so long may Kafka's broker take until it
/// has what its controller has.
pub(super) fn a_moment(topic: &str) -> Step {
    fetch(topic, 0)
}
