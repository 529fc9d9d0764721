//! Metadata, topic admin, settings, offsets by time, producer ids.

use std::path::Path;
use std::sync::Arc;

use broker::ProducerIds;
use broker::api::{self, AutoCreate, BrokerInfo, Setting, SettingSource};
use message_model::BrokerId;
use wire_protocol::ErrorCode;
use wire_protocol::message::{
    CreatableReplicaAssignment, CreatableTopic, CreatableTopicConfig, CreateTopicsRequest,
    DeleteTopicsRequest, DescribeConfigsRequest, DescribeConfigsResource, FindCoordinatorRequest,
    InitProducerIdRequest, ListOffsetsPartition, ListOffsetsRequest, ListOffsetsTopic,
    MetadataRequest, MetadataResponse, MetadataTopic,
};

use crate::support::{Broker, DATA_DIR, batch, name};

fn info() -> BrokerInfo {
    BrokerInfo {
        id: BrokerId(3),
        cluster_id: "a cluster".to_owned(),
        host: "127.0.0.1".to_owned(),
        port: 9092,
    }
}

async fn metadata(broker: &Broker, auto: AutoCreate, topics: Option<&[&str]>) -> MetadataResponse {
    let asked = |name: &&str| MetadataTopic {
        name: (*name).to_owned(),
    };
    let request = MetadataRequest {
        topics: topics.map(|topics| topics.iter().map(asked).collect()),
        ..MetadataRequest::default()
    };
    api::metadata(&broker.topics, &info(), auto, request).await
}

fn topics(response: &MetadataResponse) -> Vec<(&str, ErrorCode, usize)> {
    let all = response.topics.iter();
    all.map(|topic| {
        (
            topic.name.as_str(),
            topic.error_code,
            topic.partitions.len(),
        )
    })
    .collect()
}

#[tokio::test]
async fn metadata_says_where_partitions_are() {
    let broker = Broker::with_topic();
    broker.create("u", 3);
    let all = metadata(&broker, AutoCreate::Off, None).await;
    assert_eq!(
        topics(&all),
        [("t", ErrorCode::NONE, 1), ("u", ErrorCode::NONE, 3)]
    );
    assert_eq!(all.controller_id, 3);
    assert_eq!(all.cluster_id.as_deref(), Some("a cluster"));
    let us = &all.brokers[0];
    assert_eq!(
        (us.node_id, us.host.as_str(), us.port),
        (3, "127.0.0.1", 9092)
    );
    let partition = &all.topics[1].partitions[2];
    assert_eq!((partition.partition_index, partition.leader_id), (2, 3));
    assert_eq!(
        (&partition.replica_nodes, &partition.isr_nodes),
        (&vec![3], &vec![3])
    );
    let none = metadata(&broker, AutoCreate::Off, Some(&[])).await;
    assert!(none.topics.is_empty());
}

#[tokio::test]
async fn metadata_creates_topics_if_both_sides_agree() {
    let broker = Broker::with_topic();
    let off = metadata(&broker, AutoCreate::Off, Some(&["new"])).await;
    assert_eq!(
        topics(&off),
        [("new", ErrorCode::UNKNOWN_TOPIC_OR_PARTITION, 0)]
    );
    let request = MetadataRequest {
        topics: Some(vec![MetadataTopic {
            name: "new".to_owned(),
        }]),
        allow_auto_topic_creation: false,
    };
    let on = AutoCreate::Partitions(2);
    let not_allowed = api::metadata(&broker.topics, &info(), on, request).await;
    assert_eq!(
        topics(&not_allowed),
        [("new", ErrorCode::UNKNOWN_TOPIC_OR_PARTITION, 0)]
    );
    let created = metadata(&broker, on, Some(&["new", "no such name!", "t"])).await;
    let expected = [
        ("new", ErrorCode::NONE, 2),
        ("no such name!", ErrorCode::INVALID_TOPIC_EXCEPTION, 0),
        ("t", ErrorCode::NONE, 1),
    ];
    assert_eq!(topics(&created), expected);
}

#[tokio::test]
async fn a_name_that_is_asked_for_often_is_answered_once() {
    let broker = Broker::with_topic();
    broker.create("wide", 100);
    let often = metadata(&broker, AutoCreate::Off, Some(&["wide"; 1_000])).await;
    assert_eq!(topics(&often), [("wide", ErrorCode::NONE, 100)]);
}

fn creatable(name: &str) -> CreatableTopic {
    CreatableTopic {
        name: name.to_owned(),
        num_partitions: 2,
        replication_factor: 1,
        ..CreatableTopic::default()
    }
}

fn with_config(name: &str, value: Option<&str>) -> CreatableTopic {
    CreatableTopic {
        configs: vec![CreatableTopicConfig {
            name: name.to_owned(),
            value: value.map(str::to_owned),
        }],
        ..creatable("configured")
    }
}

async fn create(
    broker: &Broker,
    topics: Vec<CreatableTopic>,
    validate_only: bool,
) -> Vec<ErrorCode> {
    let request = CreateTopicsRequest {
        topics,
        timeout_ms: 30_000,
        validate_only,
    };
    let response = api::create_topics(&broker.topics, broker.clock, request).await;
    response
        .topics
        .iter()
        .map(|topic| topic.error_code)
        .collect()
}

#[tokio::test]
async fn create_topics_says_what_is_wrong_with_each() {
    let broker = Broker::with_topic();
    let partitions = |count| CreatableTopic {
        num_partitions: count,
        ..creatable("u")
    };
    let copies = CreatableTopic {
        replication_factor: 2,
        ..creatable("copies")
    };
    let assigned = CreatableTopic {
        assignments: vec![CreatableReplicaAssignment::default()],
        ..creatable("assigned")
    };
    let cases = [
        (creatable("new"), ErrorCode::NONE),
        (creatable("t"), ErrorCode::TOPIC_ALREADY_EXISTS),
        (creatable("not a name"), ErrorCode::INVALID_TOPIC_EXCEPTION),
        (partitions(0), ErrorCode::INVALID_PARTITIONS),
        (partitions(-1), ErrorCode::INVALID_PARTITIONS),
        (partitions(101), ErrorCode::INVALID_PARTITIONS),
        (copies, ErrorCode::INVALID_REPLICATION_FACTOR),
        (assigned, ErrorCode::INVALID_REPLICA_ASSIGNMENT),
        (
            with_config("retention.ms", Some("soon")),
            ErrorCode::INVALID_CONFIG,
        ),
        (with_config("retention.ms", None), ErrorCode::INVALID_CONFIG),
        (
            with_config("retention.hours", Some("1")),
            ErrorCode::INVALID_CONFIG,
        ),
        (with_config("retention.ms", Some("1")), ErrorCode::NONE),
    ];
    for validate_only in [true, false] {
        for (topic, code) in &cases {
            let got = create(&broker, vec![topic.clone()], validate_only).await;
            assert_eq!(got, [*code], "{topic:?}, validate only: {validate_only}");
        }
    }
    assert_eq!(broker.topics.all().len(), 3);
}

#[tokio::test]
async fn a_topic_that_is_named_twice_is_not_created() {
    let broker = Broker::start();
    let twice = vec![creatable("a"), creatable("b"), creatable("a")];
    let codes = create(&broker, twice, false).await;
    let (twice, fine) = (ErrorCode::INVALID_REQUEST, ErrorCode::NONE);
    assert_eq!(codes, [twice, fine, twice]);
    assert!(broker.topics.get(&name("a")).is_none());
}

#[tokio::test]
async fn delete_topics() {
    let broker = Broker::with_topic();
    let request = DeleteTopicsRequest {
        topic_names: ["t", "t", "u", "not a name"].map(str::to_owned).to_vec(),
        ..DeleteTopicsRequest::default()
    };
    let response = api::delete_topics(&broker.topics, &broker.waits, request).await;
    let codes: Vec<ErrorCode> = response
        .responses
        .iter()
        .map(|one| one.error_code)
        .collect();
    let unknown = ErrorCode::UNKNOWN_TOPIC_OR_PARTITION;
    assert_eq!(codes, [ErrorCode::NONE, unknown, unknown, unknown]);
    assert!(broker.topics.all().is_empty());
}

async fn list(broker: &Broker, topic: &str, timestamp: i64) -> (ErrorCode, i64, i64) {
    let request = ListOffsetsRequest {
        topics: vec![ListOffsetsTopic {
            name: topic.to_owned(),
            partitions: vec![ListOffsetsPartition {
                partition_index: 0,
                timestamp,
            }],
        }],
        ..ListOffsetsRequest::default()
    };
    let mut response = api::list_offsets(&broker.topics, request).await;
    let found = response.topics.remove(0).partitions.remove(0);
    (found.error_code, found.timestamp, found.offset)
}

#[tokio::test]
async fn offsets_by_time() {
    let broker = Broker::with_topic();
    // Timestamps 1000, 1001, 1002.
    broker.produce(1, "t", batch(&["a", "b", "c"])).await;
    let fine = ErrorCode::NONE;
    assert_eq!(list(&broker, "t", -1).await, (fine, -1, 3));
    assert_eq!(list(&broker, "t", -2).await, (fine, -1, 0));
    assert_eq!(list(&broker, "t", 0).await, (fine, 1_000, 0));
    assert_eq!(list(&broker, "t", 1_001).await, (fine, 1_001, 1));
    assert_eq!(list(&broker, "t", 1_003).await, (fine, -1, -1));
    assert_eq!(
        list(&broker, "t", -3).await,
        (ErrorCode::UNSUPPORTED_VERSION, -1, -1)
    );
    assert_eq!(
        list(&broker, "u", -1).await,
        (ErrorCode::UNKNOWN_TOPIC_OR_PARTITION, -1, -1)
    );
}

#[tokio::test]
async fn describe_configs() {
    let broker = Broker::start();
    let topic = with_config("retention.ms", Some("1234"));
    assert_eq!(create(&broker, vec![topic], false).await, [ErrorCode::NONE]);
    let settings = [Setting {
        name: "log.segment.bytes".to_owned(),
        value: "10000".to_owned(),
        source: SettingSource::Broker,
    }];
    let resource =
        |resource_type, resource_name: &str, keys: Option<&[&str]>| DescribeConfigsResource {
            resource_type,
            resource_name: resource_name.to_owned(),
            configuration_keys: keys.map(|keys| keys.iter().map(|key| (*key).to_owned()).collect()),
        };
    let keys = ["retention.ms", "segment.bytes", "segment.ms"];
    let request = DescribeConfigsRequest {
        resources: vec![
            resource(2, "configured", Some(&keys)),
            resource(4, "3", None),
            resource(2, "u", None),
            resource(4, "9", None),
            resource(1, "x", None),
            resource(4, "3", None),
        ],
        include_synonyms: true,
    };
    let response = api::describe_configs(&broker.topics, BrokerId(3), &settings, request);
    let results = &response.results;
    assert_eq!(results.len(), 5, "what is asked for twice is answered once");
    let shown: Vec<(&str, Option<&str>, i8)> = results[0]
        .configs
        .iter()
        .map(|entry| {
            (
                entry.name.as_str(),
                entry.value.as_deref(),
                entry.config_source,
            )
        })
        .collect();
    let expected = [
        ("retention.ms", Some("1234"), 1),
        ("segment.bytes", Some("10000"), 4),
        ("segment.ms", Some("3600000"), 5),
    ];
    assert_eq!(shown, expected);
    assert_eq!(results[0].configs[0].synonyms.len(), 1);
    assert_eq!(results[1].configs[0].name, "log.segment.bytes");
    assert_eq!(results[2].error_code, ErrorCode::UNKNOWN_TOPIC_OR_PARTITION);
    assert_eq!(results[3].error_code, ErrorCode::INVALID_REQUEST);
    assert_eq!(results[4].error_code, ErrorCode::INVALID_REQUEST);
}

#[tokio::test]
async fn producer_ids_are_handed_out_and_transactions_refused() {
    let broker = Broker::start();
    let ids = ProducerIds::open(Arc::new(broker.disk.clone()), Path::new(DATA_DIR)).unwrap();
    let ids = Arc::new(ids);
    for expected in 0..3 {
        let told = api::init_producer_id(&ids, InitProducerIdRequest::default()).await;
        assert_eq!(
            (told.error_code, told.producer_id),
            (ErrorCode::NONE, expected)
        );
        assert_eq!(told.producer_epoch, 0);
    }
    let transactional = InitProducerIdRequest {
        transactional_id: Some("tx".to_owned()),
        ..InitProducerIdRequest::default()
    };
    let told = api::init_producer_id(&ids, transactional).await;
    assert_eq!(told.error_code, ErrorCode::COORDINATOR_NOT_AVAILABLE);
}

#[test]
fn there_is_no_coordinator_yet() {
    let told = api::find_coordinator(&FindCoordinatorRequest::default());
    assert_eq!(told.error_code, ErrorCode::COORDINATOR_NOT_AVAILABLE);
    assert_eq!((told.node_id, told.port), (-1, -1));
}
