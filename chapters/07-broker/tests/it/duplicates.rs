//! What is named twice in a request: merged or refused, as in Kafka.

use broker::api;
use message_model::Offset;
use wire_protocol::ErrorCode;

use crate::admin::{delete, describe, list_request, metadata, resource, topics};
use crate::create_topics::{creatable, create_topics};
use crate::support::{Broker, bytes, fetch_request, name, notes, until_waiting};

/// Of several entries the last one counts, in the place of the first.
#[tokio::test]
async fn of_a_partition_in_a_fetch_the_last_one_counts() {
    let broker = Broker::with_topic().await;
    broker.create("u", 1).await;
    broker.write(1, "t", &["a"]).await;
    broker.write(1, "t", &["b"]).await;
    let mut request = fetch_request(&[("t", 0, 7), ("u", 0, 0), ("t", 0, 1)], 0, 0);
    // Also within one topic's entry.
    let again = request.topics[2].partitions[0].clone();
    request.topics[2].partitions.insert(0, again);
    request.topics[2].partitions[0].fetch_offset = 9;
    let response = broker.fetch(request).await;
    let found: Vec<(&str, usize)> = response
        .responses
        .iter()
        .map(|topic| (topic.topic.as_str(), topic.partitions.len()))
        .collect();
    assert_eq!(found, [("t", 1), ("u", 1)]);
    let found = &response.responses[0].partitions[0];
    assert_eq!(found.error_code, ErrorCode::NONE);
    let whole = bytes(&found.records);
    let first = record_batch::Batches::new(&whole).next().unwrap().unwrap();
    assert_eq!(first.0.base_offset, Offset(1));
}

/// It leaves one note, however often a partition is named.
#[tokio::test(start_paused = true)]
async fn a_fetch_that_names_a_partition_often_waits_for_it_once() {
    let broker = Broker::with_topic().await;
    let often = vec![("t", 0, 0); 20_000];
    let fetch = broker.fetch(fetch_request(&often, 50_000, 1));
    let watch = async {
        until_waiting(&broker, 1).await;
        let notes = notes(&broker.partition("t", 0));
        broker.write(1, "t", &["a"]).await;
        notes
    };
    let (response, notes) = tokio::join!(fetch, watch);
    assert_eq!(notes, 1);
    assert_eq!(response.responses.len(), 1);
}

#[tokio::test]
async fn a_partition_in_list_offsets_is_refused_once() {
    let broker = Broker::with_topic().await;
    broker.create("u", 1).await;
    let mut request = list_request("t", -1);
    request.topics.push(list_request("u", -1).topics.remove(0));
    request
        .topics
        .push(list_request("t", 1_000).topics.remove(0));
    let response = api::list_offsets(&broker, 9, request).await;
    let codes: Vec<(&str, ErrorCode)> = response
        .topics
        .iter()
        .flat_map(|topic| {
            let codes = topic.partitions.iter().map(|found| found.error_code);
            codes.map(|code| (topic.name.as_str(), code))
        })
        .collect();
    let expected = [("t", ErrorCode::INVALID_REQUEST), ("u", ErrorCode::NONE)];
    assert_eq!(codes, expected);
}

/// One refusal for the name; the others are deleted.
#[tokio::test]
async fn a_name_in_delete_topics_is_refused_once() {
    let broker = Broker::with_topic().await;
    broker.create("u", 1).await;
    let codes = delete(&broker, &["t", "u", "t", "t"], 1_000).await;
    let expected = [("t", ErrorCode::INVALID_REQUEST), ("u", ErrorCode::NONE)];
    assert_eq!(codes, expected.map(|(name, code)| (name.to_owned(), code)));
    let left: Vec<_> = broker.topics.all();
    assert_eq!(left.len(), 1);
    assert_eq!(left[0].name, name("t"));
}

#[tokio::test]
async fn a_name_in_create_topics_is_refused_once() {
    let broker = Broker::start();
    let twice = vec![creatable("a"), creatable("b"), creatable("a")];
    let response = create_topics(&broker, twice, false).await;
    let codes: Vec<(&str, ErrorCode)> = response
        .topics
        .iter()
        .map(|topic| (topic.name.as_str(), topic.error_code))
        .collect();
    let expected = [("a", ErrorCode::INVALID_REQUEST), ("b", ErrorCode::NONE)];
    assert_eq!(codes, expected);
    assert!(broker.topics.get(&name("a")).is_none());
}

/// Else a small request could make us build a huge response.
#[tokio::test]
async fn a_name_in_metadata_is_answered_once() {
    let broker = Broker::start();
    broker.create("wide", 100).await;
    let often = metadata(&broker, Some(&["wide"; 1_000])).await;
    assert_eq!(topics(&often), [("wide", ErrorCode::NONE, 100)]);
}

/// They may ask for different settings.
#[tokio::test]
async fn a_resource_in_describe_configs_is_answered_each_time() {
    let broker = Broker::with_topic().await;
    let resources = vec![
        resource(2, "t", Some(&["retention.ms"])),
        resource(2, "t", Some(&["segment.ms"])),
    ];
    let response = describe(&broker, resources);
    let names: Vec<&str> = response
        .results
        .iter()
        .map(|result| result.configs[0].name.as_str())
        .collect();
    assert_eq!(names, ["retention.ms", "segment.ms"]);
}
