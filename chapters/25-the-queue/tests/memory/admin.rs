//! The worst requests about topics.

use wire_protocol::message::{
    CreatableReplicaAssignment, CreatableTopic, CreatableTopicConfig, CreateTopicsRequest,
    DeleteTopicsRequest, ElectLeadersRequest, ElectLeadersTopic, FindCoordinatorRequest,
    MetadataRequest, MetadataTopic, MetadataTopics, OffsetForLeaderEpochPartition,
    OffsetForLeaderEpochRequest, OffsetForLeaderEpochTopic,
};

use crate::served::Served;
use crate::{Row, SIZE, a, different, long_name, many, name};

/// As many as fit, each with a number in front of it.
fn long_names() -> Vec<String> {
    let long = long_name();
    let count = SIZE / long.len();
    (0..count).map(|index| format!("{index}{long}")).collect()
}

pub(crate) fn metadata(served: &Served) -> Vec<Row> {
    let ask = |names: Vec<String>| {
        let topics = names.into_iter().map(|name| MetadataTopic { name });
        let request = MetadataRequest {
            topics: MetadataTopics(Some(topics.collect())),
            allow_auto_topic_creation: true,
            ..MetadataRequest::default()
        };
        served.measure(&request, 9)
    };
    vec![
        ("metadata: one name", ask(many(3, a()))),
        ("metadata: names", ask(different(6, name))),
        ("metadata: long names", ask(long_names())),
    ]
}

/// One that could be created.
fn topic(name: String) -> CreatableTopic {
    CreatableTopic {
        name,
        num_partitions: 1,
        replication_factor: 1,
        ..CreatableTopic::default()
    }
}

fn with(name: String, configs: Vec<CreatableTopicConfig>) -> CreatableTopic {
    CreatableTopic {
        configs,
        ..topic(name)
    }
}

fn setting(name: &str, value: &str) -> CreatableTopicConfig {
    CreatableTopicConfig {
        name: name.to_owned(),
        value: Some(value.to_owned()),
    }
}

pub(crate) fn create_topics(served: &Served) -> Vec<Row> {
    let ask = |topics, timeout_ms| {
        let request = CreateTopicsRequest {
            topics,
            timeout_ms,
            validate_only: true,
        };
        served.measure(&request, 5)
    };
    let assigned = CreatableTopic {
        num_partitions: -1,
        replication_factor: -1,
        assignments: many(8, CreatableReplicaAssignment::default()),
        ..topic(a())
    };
    let no_partitions = |number| CreatableTopic {
        num_partitions: 0,
        ..topic(name(number))
    };
    let size = setting("segment.bytes", "2000");
    let long = || vec![setting(&long_name(), "")];
    vec![
        ("create: one topic", ask(many(17, topic(a())), 1_000)),
        (
            "create: topics",
            ask(different(20, |number| topic(name(number))), 60_000),
        ),
        (
            "create: topics too late",
            ask(different(20, |number| topic(name(number))), 0),
        ),
        (
            "create: topics without partitions",
            ask(different(20, no_partitions), 60_000),
        ),
        ("create: assignments", ask(vec![assigned], 60_000)),
        (
            "create: wrong settings",
            ask(vec![with(a(), many(5, setting("a", "")))], 60_000),
        ),
        (
            "create: settings",
            ask(vec![with(a(), many(21, size))], 60_000),
        ),
        (
            "create: long settings",
            ask(
                different(30_000, |number| with(name(number), long())),
                60_000,
            ),
        ),
    ]
}

pub(crate) fn delete_topics(served: &Served) -> Vec<Row> {
    let ask = |topic_names| {
        let request = DeleteTopicsRequest {
            topic_names,
            ..DeleteTopicsRequest::default()
        };
        served.measure(&request, 4)
    };
    vec![
        ("delete: one name", ask(many(3, a()))),
        ("delete: names", ask(different(6, name))),
        ("delete: long names", ask(long_names())),
    ]
}

pub(crate) fn find_coordinator(served: &Served) -> Vec<Row> {
    let ask = |coordinator_keys| {
        let request = FindCoordinatorRequest {
            coordinator_keys,
            ..FindCoordinatorRequest::default()
        };
        served.measure(&request, 4)
    };
    vec![
        ("find coordinator: one key", ask(many(3, a()))),
        ("find coordinator: long keys", ask(long_names())),
    ]
}

pub(crate) fn offset_for_leader_epoch(served: &Served) -> Vec<Row> {
    let entry = |partition| OffsetForLeaderEpochPartition {
        partition,
        ..OffsetForLeaderEpochPartition::default()
    };
    let topic = |topic, partitions| OffsetForLeaderEpochTopic { topic, partitions };
    let ask = |topics| {
        let request = OffsetForLeaderEpochRequest {
            topics,
            ..OffsetForLeaderEpochRequest::default()
        };
        served.measure(&request, 4)
    };
    vec![
        ("epochs: topics", ask(many(7, topic(a(), vec![])))),
        (
            "epochs: partitions",
            ask(vec![topic(a(), different(12, entry))]),
        ),
    ]
}

pub(crate) fn elect_leaders(served: &Served) -> Vec<Row> {
    let topic = |topic, partitions| ElectLeadersTopic { topic, partitions };
    let ask = |topics| {
        let request = ElectLeadersRequest {
            topic_partitions: Some(topics),
            ..ElectLeadersRequest::default()
        };
        served.measure(&request, 2)
    };
    vec![
        ("elections: topics", ask(many(7, topic(a(), vec![])))),
        (
            "elections: partitions",
            ask(vec![topic(a(), different(4, |partition| partition))]),
        ),
    ]
}
