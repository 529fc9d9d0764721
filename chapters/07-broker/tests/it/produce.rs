//! What a producer hears, and when.

use broker::api::{self, Acknowledgement};
use message_model::Offset;
use wire_protocol::message::ProducePartition;
use wire_protocol::{ErrorCode, Records};

use crate::support::{Broker, batch, name, only_partition, open_topics, produce_request, response};

#[tokio::test]
async fn acks_1_and_all_say_where_the_batch_is() {
    let broker = Broker::with_topic().await;
    for (acks, base_offset) in [(1, 0), (-1, 2), (1, 4), (-1, 6)] {
        let answer = broker.produce(acks, "t", batch(&["a", "b"])).await;
        assert_eq!(answer.error_code, ErrorCode::NONE);
        assert_eq!(answer.base_offset, base_offset);
        assert_eq!(answer.log_start_offset, 0);
        assert_eq!(answer.log_append_time_ms, -1);
    }
}

#[tokio::test]
async fn acks_0_is_silent_and_closes_on_an_error() {
    let broker = Broker::with_topic().await;
    let produce = async |topic, batch| {
        let request = produce_request(0, topic, batch);
        api::produce(&broker, request).await
    };
    let fine = produce("t", batch(&["a"])).await;
    assert!(matches!(fine, Acknowledgement::Silence));
    assert_eq!(broker.partition("t", 0).ends().unwrap().log_end, Offset(1));
    let unknown = produce("nowhere", batch(&["a"])).await;
    assert!(matches!(unknown, Acknowledgement::Close));
    let corrupt = produce("t", vec![0; 100]).await;
    assert!(matches!(corrupt, Acknowledgement::Close));
}

#[tokio::test]
async fn other_acks_are_refused_and_nothing_is_appended() {
    let broker = Broker::with_topic().await;
    for acks in [-2, 2, i16::MAX, i16::MIN] {
        let answer = broker.produce(acks, "t", batch(&["a"])).await;
        assert_eq!(answer.error_code, ErrorCode::INVALID_REQUIRED_ACKS);
        assert_eq!(answer.base_offset, -1);
    }
    assert_eq!(broker.partition("t", 0).ends().unwrap().log_end, Offset(0));
}

#[tokio::test]
async fn unknown_topics_and_partitions() {
    let broker = Broker::with_topic().await;
    for (topic, index) in [
        ("u", 0),
        ("t", 1),
        ("t", -1),
        ("t", i32::MAX),
        ("not a name", 0),
        ("", 0),
    ] {
        let mut request = produce_request(1, topic, batch(&["a"]));
        request.topics[0].partitions[0].index = index;
        let answer = only_partition(response(api::produce(&broker, request).await).await);
        assert_eq!(
            answer.error_code,
            ErrorCode::UNKNOWN_TOPIC_OR_PARTITION,
            "{topic}-{index}"
        );
        assert_eq!(answer.index, index);
    }
}

#[tokio::test]
async fn each_partition_has_its_own_answer() {
    let broker = Broker::start();
    broker.create("t", 3).await;
    let mut request = produce_request(-1, "t", batch(&["a"]));
    let partitions = [(1, batch(&["b"])), (7, batch(&["c"])), (2, vec![1, 2, 3])];
    for (index, batch) in partitions {
        let records = Records::from_bytes(batch);
        request.topics[0]
            .partitions
            .push(ProducePartition { index, records });
    }
    let answer = response(api::produce(&broker, request).await).await;
    let codes: Vec<(i32, ErrorCode)> = answer.topics[0]
        .partitions
        .iter()
        .map(|answer| (answer.index, answer.error_code))
        .collect();
    let expected = vec![
        (0, ErrorCode::NONE),
        (1, ErrorCode::NONE),
        (7, ErrorCode::UNKNOWN_TOPIC_OR_PARTITION),
        (2, ErrorCode::CORRUPT_MESSAGE),
    ];
    assert_eq!(codes, expected);
}

/// Kafka appends the last one and drops the first without a word; see `differences.md`.
#[tokio::test]
async fn a_partition_that_is_named_twice_gets_both_batches() {
    let broker = Broker::with_topic().await;
    let mut request = produce_request(-1, "t", batch(&["a"]));
    request.topics[0].partitions.push(ProducePartition {
        index: 0,
        records: Records::from_bytes(batch(&["b", "c"])),
    });
    let answer = response(api::produce(&broker, request).await).await;
    let offsets = answer.topics[0].partitions.iter();
    let offsets: Vec<i64> = offsets.map(|answer| answer.base_offset).collect();
    assert_eq!(offsets, [0, 1]);
    assert_eq!(broker.partition("t", 0).ends().unwrap().log_end, Offset(3));
}

#[tokio::test]
async fn canaries_are_refused_per_partition() {
    let refused = api::refuse_produce(produce_request(1, "t", vec![]));
    let answer = only_partition(response(refused).await);
    assert_eq!(answer.error_code, ErrorCode::UNSUPPORTED_VERSION);
    let silent = api::refuse_produce(produce_request(0, "t", vec![]));
    assert!(matches!(silent, Acknowledgement::Close));
}

/// acks=all survives the loss of power, whatever the disk may lose.
#[tokio::test]
async fn acks_all_is_on_disk() {
    let broker = Broker::with_topic().await;
    broker.write(-1, "t", &["safe"]).await;
    broker.write(1, "t", &["not yet"]).await;
    let ends = broker.partition("t", 0).ends().unwrap();
    assert_eq!((ends.durable, ends.log_end), (Offset(1), Offset(2)));
    let mut lost = 0;
    for _ in 0..50 {
        let topic = open_topics(&broker.disk.crash()).get(&name("t")).unwrap();
        match topic.partitions[0].ends().unwrap().log_end {
            Offset(1) => lost += 1,
            end => assert_eq!(end, Offset(2), "what was acknowledged with all is there"),
        }
    }
    assert!(
        lost > 0,
        "acks=1 promises less: the simulated disk loses it at times"
    );
}

/// acks=1 survives the end of the process: the page cache lives on.
#[tokio::test]
async fn acks_1_is_in_the_page_cache() {
    let broker = Broker::with_topic().await;
    broker.write(1, "t", &["a"]).await;
    let topic = open_topics(&broker.disk).get(&name("t")).unwrap();
    assert_eq!(topic.partitions[0].ends().unwrap().log_end, Offset(1));
}

/// The handler returns as soon as the batch is in the page cache, so that the next
/// request of the connection can begin; only the answer waits for the disk.
#[tokio::test]
async fn acks_all_takes_effect_before_it_is_answered() {
    let broker = Broker::with_topic().await;
    let request = produce_request(-1, "t", batch(&["a"]));
    let Acknowledgement::Later(answer) = api::produce(&broker, request).await else {
        panic!("an answer that comes later was expected");
    };
    let ends = broker.partition("t", 0).ends().unwrap();
    assert_eq!((ends.durable, ends.high_watermark), (Offset(0), Offset(1)));
    assert_eq!(only_partition(answer.await).base_offset, 0);
    assert_eq!(broker.partition("t", 0).ends().unwrap().durable, Offset(1));
}
