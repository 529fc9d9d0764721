//! What the later versions of an API have more of than those before.

use networking::Peer;
use wire_protocol::ErrorCode;
use wire_protocol::message::{
    CreateTopicsRequest, DescribeConfigsRequest, FetchEpochEndOffset, FetchPartitionResponse,
    InitProducerIdRequest, ListOffsetsPartitionResponse, MetadataRequest,
};

use crate::admin::{list_request, metadata_request, resource};
use crate::create_topics::creatable;
use crate::support::{Broker, batch, fetch_request};
use broker::api;

async fn list(broker: &Broker, version: i16, timestamp: i64) -> ListOffsetsPartitionResponse {
    let mut response = api::list_offsets(broker, version, list_request("t", timestamp)).await;
    response.topics.remove(0).partitions.remove(0)
}

#[tokio::test]
async fn a_time_is_known_from_its_version_on() {
    let broker = Broker::with_topic().await;
    broker.write(1, "t", &["a", "b", "c"]).await;
    for (timestamp, since) in [
        (-1, 1),
        (-2, 1),
        (0, 1),
        (-3, 7),
        (-4, 8),
        (-5, 9),
        (-6, 99),
    ] {
        for version in 1..=9 {
            let expected = match version >= since {
                true => ErrorCode::NONE,
                false => ErrorCode::UNSUPPORTED_VERSION,
            };
            let got = list(&broker, version, timestamp).await.error_code;
            assert_eq!(got, expected, "time {timestamp} in version {version}");
        }
    }
}

#[tokio::test]
async fn an_offset_has_its_leader_epoch_from_version_4_on() {
    let broker = Broker::with_topic().await;
    broker.write(1, "t", &["a", "b", "c"]).await;
    for version in 1..=9 {
        let epoch = if version < 4 { -1 } else { 0 };
        for timestamp in [-1, -2, 1_001] {
            let answer = list(&broker, version, timestamp).await;
            assert_eq!(answer.leader_epoch, epoch, "version {version}");
        }
        assert_eq!(list(&broker, version, 5_000).await.leader_epoch, -1);
    }
    let mut request = list_request("t", -1);
    request.topics[0].partitions[0].current_leader_epoch = 7;
    let response = api::list_offsets(&broker, 4, request).await;
    let code = response.topics[0].partitions[0].error_code;
    assert_eq!(code, ErrorCode::UNKNOWN_LEADER_EPOCH);
}

/// The batches are of 600 bytes and the segments of 1,024: it looks through many.
#[tokio::test]
async fn the_record_with_the_largest_timestamp_is_the_first_that_has_it() {
    let broker = Broker::start();
    broker
        .create_with("t", 1, &[("segment.bytes", "1024")])
        .await;
    let nothing = list(&broker, 7, -3).await;
    assert_eq!((nothing.timestamp, nothing.offset), (-1, -1));
    let long = "x".repeat(600);
    // Timestamps 1000; 1000, 1001; 1000, 1001, 1002 … and back again.
    let counts = (1..=5).chain((1..=5).rev());
    for count in counts {
        let values = vec![long.as_str(); count];
        let answer = broker.produce(1, "t", batch(&values)).await;
        assert_eq!(answer.error_code, ErrorCode::NONE);
    }
    let largest = list(&broker, 7, -3).await;
    // The batch of five is behind 1 + 2 + 3 + 4 records.
    assert_eq!((largest.timestamp, largest.offset), (1_004, 14));
    assert_eq!(largest.leader_epoch, 0);
}

/// Fetches from `from` as if the record before were of `epoch`.
async fn fetch_behind(broker: &Broker, epoch: i32, from: i64) -> FetchPartitionResponse {
    // It would wait for long if it waited.
    let mut request = fetch_request(&[("t", 0, from)], 10_000, 1);
    request.topics[0].partitions[0].last_fetched_epoch = epoch;
    let mut response = broker.fetch(request).await;
    response.responses.remove(0).partitions.remove(0)
}

#[tokio::test]
async fn a_fetch_says_where_the_logs_part() {
    let broker = Broker::with_topic().await;
    broker.write(1, "t", &["a", "b", "c"]).await;
    for epoch in [-2, -1, 0] {
        let same = fetch_behind(&broker, epoch, 1).await;
        assert_eq!(same.error_code, ErrorCode::NONE);
        assert_eq!(same.diverging_epoch, FetchEpochEndOffset::default());
        assert!(!same.records.is_empty(), "epoch {epoch}");
    }
    for from in [4, 1_000] {
        let diverging = fetch_behind(&broker, 0, from).await;
        let expected = FetchEpochEndOffset {
            epoch: 0,
            end_offset: 3,
        };
        assert_eq!(diverging.diverging_epoch, expected);
        assert_eq!(diverging.error_code, ErrorCode::NONE);
        assert_eq!(
            (diverging.high_watermark, diverging.log_start_offset),
            (3, 0)
        );
        assert!(diverging.records.is_empty());
    }
    let newer = fetch_behind(&broker, 1, 1).await;
    assert_eq!(newer.error_code, ErrorCode::OFFSET_OUT_OF_RANGE);
}

#[tokio::test]
async fn metadata_says_what_a_client_may_do_if_it_asks() {
    let broker = Broker::with_topic().await;
    let not_asked = i32::MIN;
    for (cluster, topics) in [(false, false), (true, false), (false, true), (true, true)] {
        let request = MetadataRequest {
            include_cluster_authorized_operations: cluster,
            include_topic_authorized_operations: topics,
            ..metadata_request(None)
        };
        let response = api::metadata(&broker, &Peer::default(), request).await;
        let expected = if cluster { 8_096 } else { not_asked };
        assert_eq!(response.cluster_authorized_operations, expected);
        let expected = if topics { 3_576 } else { not_asked };
        assert_eq!(response.topics[0].topic_authorized_operations, expected);
    }
}

#[tokio::test]
async fn a_creation_is_described_from_version_5_on() {
    let broker = Broker::start();
    for (version, validate_only) in [(4, true), (4, false), (5, true), (5, false)] {
        let topic = creatable(&format!("v{version}"));
        let request = CreateTopicsRequest {
            topics: vec![topic],
            timeout_ms: 30_000,
            validate_only,
        };
        let response = api::create_topics(&broker, &Peer::default(), version, request).await;
        let topic = &response.topics[0];
        assert_eq!(topic.error_code, ErrorCode::NONE);
        let settings = topic.configs.as_deref().unwrap();
        if version == 4 {
            assert_eq!((topic.num_partitions, settings.len()), (-1, 0));
            continue;
        }
        assert_eq!((topic.num_partitions, topic.replication_factor), (2, 1));
        let named = |name: &str| settings.iter().find(|setting| setting.name == name);
        let size = named("segment.bytes").unwrap();
        assert_eq!(
            (size.value.as_deref(), size.config_source),
            (Some("10000"), 4)
        );
        assert_eq!(named("retention.ms").unwrap().config_source, 5);
    }
}

#[tokio::test]
async fn an_epoch_without_a_producer_id_is_refused() {
    let broker = Broker::start();
    for (producer_id, producer_epoch, code) in [
        (-1, -1, ErrorCode::NONE),
        (5, 3, ErrorCode::NONE),
        (5, -1, ErrorCode::INVALID_REQUEST),
        (-1, 3, ErrorCode::INVALID_REQUEST),
    ] {
        let request = InitProducerIdRequest {
            producer_id,
            producer_epoch,
            ..InitProducerIdRequest::default()
        };
        let answer = api::init_producer_id(&broker, request).await;
        assert_eq!(answer.error_code, code, "{producer_id} {producer_epoch}");
    }
}

#[tokio::test]
async fn settings_have_types_and_say_what_they_are_for() {
    let broker = Broker::with_topic().await;
    let ask = |include_documentation| DescribeConfigsRequest {
        resources: vec![
            resource(
                2,
                "t",
                Some(&["segment.bytes", "retention.ms", "preallocate"]),
            ),
            resource(4, "3", None),
        ],
        include_synonyms: true,
        include_documentation,
    };
    let plain = api::describe_configs(&broker, ask(false));
    let entries = &plain.results[0].configs;
    let types: Vec<_> = entries
        .iter()
        .map(|entry| (entry.name.as_str(), entry.config_type))
        .collect();
    assert_eq!(
        types,
        [
            ("preallocate", 1),
            ("retention.ms", 5),
            ("segment.bytes", 3)
        ]
    );
    assert_eq!(entries[2].documentation, None);
    // The value is the broker's, under its name.
    assert_eq!(entries[2].synonyms[0].name, "log.segment.bytes");
    let documented = api::describe_configs(&broker, ask(true));
    for result in &documented.results {
        let entry = result.configs.last().unwrap();
        let documentation = entry.documentation.as_deref();
        assert_eq!(documentation, Some("How large a segment gets."));
    }
}
