//! What a producer hears, and when.

use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use broker::api::{self, Acknowledgement};
use broker::{Error, Partition};
use message_model::Offset;
use tokio::sync::watch;
use wire_protocol::message::ProducePartition;
use wire_protocol::{ErrorCode, Records};

use crate::support::{Broker, batch, name, only_partition, open, produce_request, response};

#[tokio::test]
async fn acks_1_and_all_say_where_the_batch_is() {
    let broker = Broker::with_topic();
    for (acks, base_offset) in [(1, 0), (-1, 2), (1, 4), (-1, 6)] {
        let told = broker.produce(acks, "t", batch(&["a", "b"])).await;
        assert_eq!(told.error_code, ErrorCode::NONE);
        assert_eq!(told.base_offset, base_offset);
        assert_eq!(told.log_start_offset, 0);
        assert_eq!(told.log_append_time_ms, -1);
    }
}

#[tokio::test]
async fn acks_0_is_silent_and_closes_on_an_error() {
    let broker = Broker::with_topic();
    let fine = broker
        .acknowledge(produce_request(0, "t", batch(&["a"])))
        .await;
    assert!(matches!(fine, Acknowledgement::Silence));
    assert_eq!(broker.partition("t", 0).ends().unwrap().log_end, Offset(1));
    let unknown = broker
        .acknowledge(produce_request(0, "nowhere", batch(&["a"])))
        .await;
    assert!(matches!(unknown, Acknowledgement::Close));
    let corrupt = broker
        .acknowledge(produce_request(0, "t", vec![0; 100]))
        .await;
    assert!(matches!(corrupt, Acknowledgement::Close));
}

#[tokio::test]
async fn other_acks_are_refused_and_nothing_is_appended() {
    let broker = Broker::with_topic();
    for acks in [-2, 2, i16::MAX, i16::MIN] {
        let told = broker.produce(acks, "t", batch(&["a"])).await;
        assert_eq!(told.error_code, ErrorCode::INVALID_REQUIRED_ACKS);
        assert_eq!(told.base_offset, -1);
    }
    assert_eq!(broker.partition("t", 0).ends().unwrap().log_end, Offset(0));
}

#[tokio::test]
async fn unknown_topics_and_partitions() {
    let broker = Broker::with_topic();
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
        let told = only_partition(response(broker.acknowledge(request).await));
        assert_eq!(
            told.error_code,
            ErrorCode::UNKNOWN_TOPIC_OR_PARTITION,
            "{topic}-{index}"
        );
        assert_eq!(told.index, index);
    }
}

#[tokio::test]
async fn each_partition_has_its_own_answer() {
    let broker = Broker::start();
    broker.create("t", 3);
    let mut request = produce_request(-1, "t", batch(&["a"]));
    let partitions = [(1, batch(&["b"])), (7, batch(&["c"])), (2, vec![1, 2, 3])];
    for (index, batch) in partitions {
        let records = Records::from_bytes(batch);
        request.topics[0]
            .partitions
            .push(ProducePartition { index, records });
    }
    let told = response(broker.acknowledge(request).await);
    let codes: Vec<(i32, ErrorCode)> = told.topics[0]
        .partitions
        .iter()
        .map(|told| (told.index, told.error_code))
        .collect();
    let expected = vec![
        (0, ErrorCode::NONE),
        (1, ErrorCode::NONE),
        (7, ErrorCode::UNKNOWN_TOPIC_OR_PARTITION),
        (2, ErrorCode::CORRUPT_MESSAGE),
    ];
    assert_eq!(codes, expected);
}

#[tokio::test]
async fn canaries_are_refused_per_partition() {
    let told = only_partition(response(api::refuse_produce(produce_request(
        1,
        "t",
        vec![],
    ))));
    assert_eq!(told.error_code, ErrorCode::UNSUPPORTED_VERSION);
    let silent = api::refuse_produce(produce_request(0, "t", vec![]));
    assert!(matches!(silent, Acknowledgement::Close));
}

/// acks=all survives the loss of power, whatever the disk may lose.
#[tokio::test]
async fn acks_all_is_on_disk() {
    let broker = Broker::with_topic();
    broker.produce(-1, "t", batch(&["safe"])).await;
    broker.produce(1, "t", batch(&["not yet"])).await;
    let mut lost = 0;
    for _ in 0..50 {
        let topics = open(&broker.disk.crash()).topics;
        let partition = Arc::clone(&topics.get(&name("t")).unwrap().partitions[0]);
        match partition.ends().unwrap().log_end {
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
    let broker = Broker::with_topic();
    broker.produce(1, "t", batch(&["a"])).await;
    let topics = open(&broker.disk).topics;
    let partition = Arc::clone(&topics.get(&name("t")).unwrap().partitions[0]);
    assert_eq!(partition.ends().unwrap().log_end, Offset(1));
}

type Durable = Pin<Box<dyn Future<Output = Result<(), Error>> + Send>>;

/// A durability that completes when the test says so.
fn on_signal(signal: watch::Receiver<bool>) -> impl Fn(Arc<Partition>, Offset) -> Durable {
    move |_, _| {
        let mut signal = signal.clone();
        Box::pin(async move {
            let _ = signal.wait_for(|durable| *durable).await;
            Ok(())
        })
    }
}

#[tokio::test(start_paused = true)]
async fn only_acks_all_waits_for_durability() {
    let broker = Arc::new(Broker::with_topic());
    let (durable, signal) = watch::channel(false);
    let produce = |acks| {
        let broker = Arc::clone(&broker);
        let durable = on_signal(signal.clone());
        tokio::spawn(async move {
            let request = produce_request(acks, "t", batch(&["a"]));
            api::produce(
                &broker.topics,
                &broker.waits,
                broker.clock,
                durable,
                request,
            )
            .await
        })
    };
    response(produce(1).await.unwrap());
    let mut waiting = produce(-1);
    let early = tokio::time::timeout(Duration::from_secs(1), &mut waiting).await;
    assert!(
        early.is_err(),
        "acks=all is not answered before the record is durable"
    );
    durable.send(true).unwrap();
    let told = only_partition(response(waiting.await.unwrap()));
    assert_eq!((told.error_code, told.base_offset), (ErrorCode::NONE, 1));
}

#[tokio::test(start_paused = true)]
async fn who_waits_for_a_slow_disk_is_told_in_time() {
    let broker = Broker::with_topic();
    let (_never, signal) = watch::channel(false);
    let mut request = produce_request(-1, "t", batch(&["a"]));
    request.timeout_ms = 500;
    let before = broker.clock.now();
    let told = api::produce(
        &broker.topics,
        &broker.waits,
        broker.clock,
        on_signal(signal),
        request,
    );
    let told = only_partition(response(told.await));
    assert_eq!(told.error_code, ErrorCode::REQUEST_TIMED_OUT);
    let waited = broker.clock.now().since(before);
    assert!(
        waited >= Duration::from_millis(500) && waited < Duration::from_secs(1),
        "{waited:?}"
    );
}

#[tokio::test]
async fn a_sync_that_fails_is_told() {
    let broker = Broker::with_topic();
    // The write of the batch is one operation; the sync is the next one.
    broker.disk.fail_at(broker.disk.operations() + 1);
    let told = broker.produce(-1, "t", batch(&["a"])).await;
    assert_eq!(told.error_code, ErrorCode::KAFKA_STORAGE_ERROR);
    let next = broker.produce(1, "t", batch(&["b"])).await;
    assert_eq!(next.error_code, ErrorCode::KAFKA_STORAGE_ERROR);
}

/// Before a roll, which syncs under the partition's lock, the handler waits for
/// durability, so that the roll has little left to sync.
#[tokio::test]
async fn a_roll_is_preceded_by_a_wait_for_durability() {
    let broker = Broker::with_topic();
    let (_durable, signal) = watch::channel(true);
    let asked = Arc::new(std::sync::Mutex::new(Vec::new()));
    let long = "x".repeat(4_000);
    for _ in 0..3 {
        let asked = Arc::clone(&asked);
        let signal = on_signal(signal.clone());
        let durable = move |partition: Arc<Partition>, end: Offset| {
            asked
                .lock()
                .unwrap()
                .push((end, partition.ends().unwrap().log_end));
            signal(partition, end)
        };
        let request = produce_request(1, "t", batch(&[&long]));
        response(
            api::produce(
                &broker.topics,
                &broker.waits,
                broker.clock,
                durable,
                request,
            )
            .await,
        );
    }
    // The third batch does not fit in a segment of 10,000 bytes.
    assert_eq!(*asked.lock().unwrap(), vec![(Offset(2), Offset(2))]);
}
