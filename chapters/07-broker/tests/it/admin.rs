//! Metadata, deletion, settings, offsets by time, producer ids.

use broker::api;
use networking::Peer;
use record_batch::layout;
use wire_protocol::ErrorCode;
use wire_protocol::message::{
    DeleteTopicsRequest, DescribeConfigsRequest, DescribeConfigsResource, DescribeConfigsResponse,
    DescribeConfigsResult, DescribeConfigsSynonym, InitProducerIdRequest, ListOffsetsPartition,
    ListOffsetsRequest, ListOffsetsTopic, MetadataRequest, MetadataResponse, MetadataTopic,
    MetadataTopics,
};

use crate::support::{Broker, batch};

/// Asks about some topics, or about all.
pub(crate) fn metadata_request(topics: Option<&[&str]>) -> MetadataRequest {
    let wanted = |name: &&str| MetadataTopic {
        name: (*name).to_owned(),
    };
    MetadataRequest {
        topics: MetadataTopics(topics.map(|topics| topics.iter().map(wanted).collect())),
        allow_auto_topic_creation: true,
        ..MetadataRequest::default()
    }
}

pub(crate) async fn metadata(broker: &Broker, topics: Option<&[&str]>) -> MetadataResponse {
    api::metadata(broker, &Peer::default(), metadata_request(topics)).await
}

/// Name, code and number of partitions.
pub(crate) fn topics(response: &MetadataResponse) -> Vec<(&str, ErrorCode, usize)> {
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

fn without_auto_create() -> Broker {
    Broker::start().but(|broker| broker.auto_create = false)
}

#[tokio::test]
async fn metadata_says_where_partitions_are() {
    let broker = without_auto_create();
    broker.create("t", 1).await;
    broker.create("u", 3).await;
    let all = metadata(&broker, None).await;
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
    assert!(partition.offline_replicas.is_empty());
    let none = metadata(&broker, Some(&[])).await;
    assert!(none.topics.is_empty());
}

#[tokio::test]
async fn metadata_creates_topics_if_both_sides_agree() {
    let unknown = [("new", ErrorCode::UNKNOWN_TOPIC_OR_PARTITION, 0)];
    let off = without_auto_create();
    assert_eq!(topics(&metadata(&off, Some(&["new"])).await), unknown);
    assert!(off.topics.all().is_empty());

    let broker = Broker::with_topic().await;
    let request = MetadataRequest {
        allow_auto_topic_creation: false,
        ..metadata_request(Some(&["new"]))
    };
    let not_allowed = api::metadata(&broker, &Peer::default(), request).await;
    assert_eq!(topics(&not_allowed), unknown);
    let created = metadata(&broker, Some(&["new", "no such name!", "t"])).await;
    let expected = [
        ("new", ErrorCode::NONE, 2),
        ("no such name!", ErrorCode::INVALID_TOPIC_EXCEPTION, 0),
        ("t", ErrorCode::NONE, 1),
    ];
    assert_eq!(topics(&created), expected);
}

/// Two clients want the same topic at the same time: it is created once, and both
/// hear that it is there, or that they shall ask again.
#[tokio::test]
async fn a_topic_that_two_want_is_created_once() {
    let broker = Broker::start();
    let (first, second) = tokio::join!(
        metadata(&broker, Some(&["new"])),
        metadata(&broker, Some(&["new"]))
    );
    let there = vec![("new", ErrorCode::NONE, 2)];
    assert_eq!(topics(&first), there);
    let soon = vec![("new", ErrorCode::LEADER_NOT_AVAILABLE, 0)];
    let second = topics(&second);
    assert!(second == there || second == soon, "{second:?}");
    assert_eq!(topics(&metadata(&broker, Some(&["new"])).await), there);
}

pub(crate) async fn delete(
    broker: &Broker,
    names: &[&str],
    timeout_ms: i32,
) -> Vec<(String, ErrorCode)> {
    let request = DeleteTopicsRequest {
        topic_names: names.iter().map(|name| (*name).to_owned()).collect(),
        timeout_ms,
    };
    let response = api::delete_topics(broker, request).await;
    let results = response.responses.into_iter();
    results.map(|one| (one.name, one.error_code)).collect()
}

#[tokio::test]
async fn delete_topics() {
    let broker = Broker::with_topic().await;
    let unknown = ErrorCode::UNKNOWN_TOPIC_OR_PARTITION;
    let expected = [
        ("not a name", unknown),
        ("t", ErrorCode::NONE),
        ("u", unknown),
    ];
    let expected = expected.map(|(name, code)| (name.to_owned(), code));
    let codes = delete(&broker, &["t", "u", "not a name"], 1_000).await;
    assert_eq!(codes, expected);
    assert!(broker.topics.all().is_empty());
}

/// As in Kafka.
#[tokio::test]
async fn without_time_nothing_is_deleted() {
    let broker = Broker::with_topic().await;
    for timeout_ms in [0, -1] {
        let codes = delete(&broker, &["t"], timeout_ms).await;
        assert_eq!(codes, [("t".to_owned(), ErrorCode::REQUEST_TIMED_OUT)]);
    }
    assert_eq!(broker.topics.all().len(), 1);
}

/// Asks for partition 0 of a topic.
pub(crate) fn list_request(topic: &str, timestamp: i64) -> ListOffsetsRequest {
    ListOffsetsRequest {
        topics: vec![ListOffsetsTopic {
            name: topic.to_owned(),
            partitions: vec![ListOffsetsPartition {
                timestamp,
                ..ListOffsetsPartition::default()
            }],
        }],
        ..ListOffsetsRequest::default()
    }
}

pub(crate) async fn list(broker: &Broker, topic: &str, timestamp: i64) -> (ErrorCode, i64, i64) {
    let request = list_request(topic, timestamp);
    let mut response = api::list_offsets(broker, 9, request).await;
    let found = response.topics.remove(0).partitions.remove(0);
    (found.error_code, found.timestamp, found.offset)
}

#[tokio::test]
async fn offsets_by_time() {
    let broker = Broker::with_topic().await;
    // Timestamps 1000, 1001, 1002.
    broker.write(1, "t", &["a", "b", "c"]).await;
    let fine = ErrorCode::NONE;
    assert_eq!(list(&broker, "t", -1).await, (fine, -1, 3));
    assert_eq!(list(&broker, "t", -2).await, (fine, -1, 0));
    assert_eq!(list(&broker, "t", 0).await, (fine, 1_000, 0));
    assert_eq!(list(&broker, "t", 1_001).await, (fine, 1_001, 1));
    assert_eq!(list(&broker, "t", 1_003).await, (fine, -1, -1));
    assert_eq!(list(&broker, "t", -3).await, (fine, 1_002, 2));
    assert_eq!(list(&broker, "t", -4).await, (fine, -1, 0));
    assert_eq!(list(&broker, "t", -5).await, (fine, -1, -1));
    let unsupported = (ErrorCode::UNSUPPORTED_VERSION, -1, -1);
    assert_eq!(list(&broker, "t", -6).await, unsupported);
    assert_eq!(
        list(&broker, "u", -1).await,
        (ErrorCode::UNKNOWN_TOPIC_OR_PARTITION, -1, -1)
    );
}

/// The same in sealed segments, whichever of them are loaded.
#[tokio::test]
async fn offsets_by_time_in_many_segments() {
    let broker = Broker::start();
    broker
        .create_with("t", 1, &[("segment.bytes", "1024")])
        .await;
    let long = "x".repeat(600);
    for offset in 0..12 {
        let mut one = batch(&[&long]);
        let timestamp: i64 = 1_000 + 10 * offset;
        one[layout::BASE_TIMESTAMP..layout::MAX_TIMESTAMP]
            .copy_from_slice(&timestamp.to_be_bytes());
        one[layout::MAX_TIMESTAMP..layout::PRODUCER_ID].copy_from_slice(&timestamp.to_be_bytes());
        crate::support::mend(&mut one);
        let answer = broker.produce(1, "t", one).await;
        assert_eq!(answer.error_code, ErrorCode::NONE);
    }
    for offset in (0..12).chain((0..12).rev()) {
        let timestamp = 1_000 + 10 * offset;
        let expected = (ErrorCode::NONE, timestamp, offset);
        assert_eq!(list(&broker, "t", timestamp - 3).await, expected);
    }
}

pub(crate) fn resource(
    resource_type: i8,
    resource_name: &str,
    keys: Option<&[&str]>,
) -> DescribeConfigsResource {
    DescribeConfigsResource {
        resource_type,
        resource_name: resource_name.to_owned(),
        configuration_keys: keys.map(|keys| keys.iter().map(|key| (*key).to_owned()).collect()),
    }
}

pub(crate) fn describe(
    broker: &Broker,
    resources: Vec<DescribeConfigsResource>,
) -> DescribeConfigsResponse {
    let request = DescribeConfigsRequest {
        resources,
        include_synonyms: true,
        ..DescribeConfigsRequest::default()
    };
    api::describe_configs(broker, request)
}

/// Name, value and source.
fn shown(result: &DescribeConfigsResult) -> Vec<(&str, Option<&str>, i8)> {
    let entries = result.configs.iter();
    entries
        .map(|entry| {
            (
                entry.name.as_str(),
                entry.value.as_deref(),
                entry.config_source,
            )
        })
        .collect()
}

#[tokio::test]
async fn describe_configs() {
    let broker = Broker::start();
    broker
        .create_with("configured", 1, &[("retention.ms", "1234")])
        .await;
    let keys = ["retention.ms", "segment.bytes", "segment.ms"];
    let resources = vec![
        resource(2, "configured", Some(&keys)),
        resource(4, "3", None),
        resource(2, "u", None),
        resource(4, "9", None),
        resource(2, "not a name", None),
        resource(32, "a group", None),
        resource(4, "", None),
    ];
    let response = describe(&broker, resources);
    let results = &response.results;
    let expected = [
        ("retention.ms", Some("1234"), 1),
        ("segment.bytes", Some("10000"), 4),
        ("segment.ms", Some("3600000"), 5),
    ];
    assert_eq!(shown(&results[0]), expected);
    let codes: Vec<ErrorCode> = results.iter().map(|result| result.error_code).collect();
    let expected = [
        ErrorCode::NONE,
        ErrorCode::NONE,
        ErrorCode::UNKNOWN_TOPIC_OR_PARTITION,
        ErrorCode::INVALID_REQUEST,
        ErrorCode::INVALID_TOPIC_EXCEPTION,
        ErrorCode::INVALID_REQUEST,
        ErrorCode::NONE,
    ];
    assert_eq!(codes, expected);
    // What holds for all brokers and can change while they run: nothing.
    assert!(results[6].configs.is_empty());
}

/// Where a value could come from, first where it does; as in Kafka, with its types.
#[tokio::test]
async fn a_setting_says_where_it_comes_from() {
    let broker = Broker::start();
    broker
        .create_with("t", 1, &[("segment.bytes", "2000")])
        .await;
    let keys = ["segment.bytes", "retention.ms"];
    let response = describe(
        &broker,
        vec![resource(2, "t", Some(&keys)), resource(4, "3", None)],
    );
    let origins = |result: usize, entry: usize| {
        let entry = &response.results[result].configs[entry];
        let synonyms = entry.synonyms.iter();
        let origin = |one: &DescribeConfigsSynonym| {
            let value = one.value.clone().unwrap_or_default();
            format!("{}={value} from {}", one.name, one.source)
        };
        let origins: Vec<String> = synonyms.map(origin).collect();
        (
            entry.name.as_str(),
            entry.read_only,
            entry.config_type,
            origins,
        )
    };
    let own = "segment.bytes=2000 from 1".to_owned();
    let brokers = ["10000 from 4", "1073741824 from 5"];
    let brokers = brokers.map(|value| format!("log.segment.bytes={value}"));
    let [static_value, default] = brokers.clone();
    let retention = ["log.retention.ms=-1 from 5".to_owned()];
    assert_eq!(
        origins(0, 0),
        ("retention.ms", false, 5, retention.to_vec())
    );
    assert_eq!(
        origins(0, 1),
        ("segment.bytes", false, 3, vec![own, static_value, default])
    );
    assert_eq!(
        origins(1, 0),
        ("log.segment.bytes", true, 3, brokers.to_vec())
    );
}

/// As in Kafka: a type that does not exist spoils the whole request.
#[tokio::test]
async fn nothing_is_described_beside_a_type_that_does_not_exist() {
    let broker = Broker::with_topic().await;
    let resources = vec![resource(2, "t", None), resource(77, "x", None)];
    for result in describe(&broker, resources).results {
        assert_eq!(result.error_code, ErrorCode::INVALID_REQUEST);
        assert!(result.configs.is_empty());
    }
}

#[tokio::test]
async fn an_empty_list_of_names_asks_for_all_settings() {
    let broker = Broker::with_topic().await;
    let response = describe(
        &broker,
        vec![resource(2, "t", None), resource(2, "t", Some(&[]))],
    );
    let all = shown(&response.results[0]);
    assert!(all.len() > 10, "{all:?}");
    assert!(all.is_sorted(), "{all:?}");
    assert_eq!(all, shown(&response.results[1]));
}

#[tokio::test]
async fn producer_ids_are_handed_out_and_transactions_refused() {
    let broker = Broker::start();
    for expected in 0..3 {
        let answer = api::init_producer_id(&broker, InitProducerIdRequest::default()).await;
        assert_eq!(
            (answer.error_code, answer.producer_id),
            (ErrorCode::NONE, expected)
        );
        assert_eq!(answer.producer_epoch, 0);
    }
    let transactional = InitProducerIdRequest {
        transactional_id: Some("tx".to_owned()),
        ..InitProducerIdRequest::default()
    };
    let answer = api::init_producer_id(&broker, transactional).await;
    assert_eq!(answer.error_code, ErrorCode::COORDINATOR_NOT_AVAILABLE);
}
