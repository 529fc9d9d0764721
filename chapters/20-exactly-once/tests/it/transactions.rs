//! Transactions from their begin to their end.

use std::time::Duration;

use record_batch::Marker;
use wire_protocol::ErrorCode;
use wire_protocol::message::InitProducerIdRequest;

use crate::asking::{Producer, init_request};
use crate::support::{NOW, Queue, sent};

const NONE: ErrorCode = ErrorCode::NONE;

/// Sends one value to a partition of `t`, in the producer's transaction.
async fn write(
    queue: &Queue,
    producer: &Producer,
    partition: i32,
    first: i32,
) -> Result<(), ErrorCode> {
    let sent = sent(producer.id, first).epoch(producer.epoch);
    let written = queue.send_to(partition, NOW, sent.in_transaction(), &["a"]);
    written.await.map(drop)
}

fn last_stable(queue: &Queue, partition: i32) -> i64 {
    queue.partition(partition).ends().unwrap().last_stable.0
}

#[tokio::test]
async fn a_transaction_ends_in_all_partitions_before_that_is_answered() {
    let queue = Queue::start().await;
    let producer = queue.producer("x").await;
    assert_eq!(queue.add(&producer, &[("t", &[0, 2])]).await, [NONE, NONE]);
    assert_eq!(queue.state("x"), "Ongoing");
    for partition in [0, 2] {
        write(&queue, &producer, partition, 0).await.unwrap();
        assert_eq!(last_stable(&queue, partition), 0);
    }
    assert_eq!(queue.end_txn(&producer, true).await, NONE);
    assert_eq!(queue.state("x"), "CompleteCommit");
    for partition in [0, 2] {
        let ends = queue.partition(partition).ends().unwrap();
        assert_eq!((ends.last_stable.0, ends.durable.0), (2, 2));
    }
    assert_eq!(last_stable(&queue, 1), 0, "not in the transaction");
    // The same again is the same, and the opposite is refused.
    assert_eq!(queue.end_txn(&producer, true).await, NONE);
    let opposite = queue.end_txn(&producer, false).await;
    assert_eq!(opposite, ErrorCode::INVALID_TXN_STATE);
    // The next transaction begins at once.
    assert_eq!(queue.add(&producer, &[("t", &[1])]).await, [NONE]);
    write(&queue, &producer, 1, 0).await.unwrap();
    assert_eq!(queue.end_txn(&producer, false).await, NONE);
    assert_eq!(queue.state("x"), "CompleteAbort");
}

/// One behind the other: the partition of the transaction, the decision, the marker. (The data
/// is not waited for here.) That all is complete is on disk with the next of them.
#[tokio::test]
async fn a_transaction_has_three_syncs_beside_its_data() {
    let queue = Queue::start().await;
    let producer = queue.producer("x").await;
    let mut counts = Vec::new();
    for number in 0..4 {
        assert_eq!(queue.add(&producer, &[("t", &[0])]).await, [NONE]);
        write(&queue, &producer, 0, number).await.unwrap();
        assert_eq!(queue.end_txn(&producer, true).await, NONE);
        counts.push(queue.disk.counts().syncs);
    }
    // With the first one come those of new files.
    let each: Vec<_> = counts.windows(2).map(|pair| pair[1] - pair[0]).collect();
    assert_eq!(each, [3, 3, 3]);
    let queue = queue.after_stop().await;
    assert_eq!(queue.state("x"), "CompleteCommit");
}

#[tokio::test]
async fn a_producer_writes_only_to_partitions_that_it_has_added() {
    let queue = Queue::start().await;
    let producer = queue.producer("x").await;
    let refused = Err(ErrorCode::INVALID_TXN_STATE);
    assert_eq!(write(&queue, &producer, 0, 0).await, refused);
    queue.add(&producer, &[("t", &[0])]).await;
    assert_eq!(write(&queue, &producer, 1, 0).await, refused);
    assert_eq!(queue.add(&producer, &[("t", &[1])]).await, [NONE]);
    assert_eq!(write(&queue, &producer, 1, 0).await, Ok(()));
}

#[tokio::test]
async fn all_partitions_are_added_or_none() {
    let queue = Queue::start().await;
    let producer = queue.producer("x").await;
    let codes = queue
        .add(
            &producer,
            &[("t", &[0, 9]), ("nobody", &[0]), ("no topic!", &[1])],
        )
        .await;
    let (unknown, not_tried) = (
        ErrorCode::UNKNOWN_TOPIC_OR_PARTITION,
        ErrorCode::OPERATION_NOT_ATTEMPTED,
    );
    assert_eq!(codes, [not_tried, unknown, unknown, unknown]);
    assert_eq!(queue.state("x"), "Empty");
}

#[tokio::test]
async fn the_second_instance_aborts_the_transaction_of_the_first_and_fences_it() {
    let queue = Queue::start().await;
    let first = queue.producer("x").await;
    queue.add(&first, &[("t", &[0])]).await;
    write(&queue, &first, 0, 0).await.unwrap();
    let asked = queue.init(init_request("x")).await;
    assert_eq!(asked.error_code, ErrorCode::CONCURRENT_TRANSACTIONS);
    let second = queue.producer("x").await;
    assert_eq!((second.id, second.epoch), (first.id, first.epoch + 2));
    assert_eq!(last_stable(&queue, 0), 2);
    let fenced = Err(ErrorCode::INVALID_PRODUCER_EPOCH);
    assert_eq!(write(&queue, &first, 0, 1).await, fenced);
    let new = ErrorCode::PRODUCER_FENCED;
    let old = ErrorCode::INVALID_PRODUCER_EPOCH;
    assert_eq!(queue.end_txn(&first, true).await, new);
    assert_eq!(queue.end_txn_version(1, &first, true).await, old);
    assert_eq!(queue.end_txn_version(2, &first, true).await, new);
    assert_eq!(queue.add(&first, &[("t", &[0])]).await, [new]);
    assert_eq!(queue.add_version(1, &first, &[("t", &[0])]).await, [old]);
    assert_eq!(queue.add_offsets(&first, "g").await, new);
    let goes_on = InitProducerIdRequest {
        producer_id: first.id,
        producer_epoch: first.epoch,
        ..init_request("x")
    };
    assert_eq!(queue.init(goes_on).await.error_code, new);
}

#[tokio::test]
async fn what_cannot_be_has_kafkas_codes() {
    let queue = Queue::start().await;
    let unknown = Producer {
        transactional_id: "nobody".to_owned(),
        id: 5,
        epoch: 0,
    };
    let no_topic = ErrorCode::NOT_COORDINATOR;
    assert_eq!(queue.end_txn(&unknown, true).await, no_topic);
    assert_eq!(queue.init(init_request("x")).await.error_code, no_topic);
    let producer = queue.producer("x").await;
    let mapping = ErrorCode::INVALID_PRODUCER_ID_MAPPING;
    assert_eq!(queue.end_txn(&unknown, true).await, mapping);
    assert_eq!(queue.add(&unknown, &[("t", &[0])]).await, [mapping]);
    let other = Producer {
        id: 99,
        ..producer.clone()
    };
    assert_eq!(queue.end_txn(&other, true).await, mapping);
    let nothing_begun = queue.end_txn(&producer, true).await;
    assert_eq!(nothing_begun, ErrorCode::INVALID_TXN_STATE);
    let nameless = Producer {
        transactional_id: String::new(),
        ..producer
    };
    let invalid = ErrorCode::INVALID_REQUEST;
    assert_eq!(queue.end_txn(&nameless, true).await, invalid);
    assert_eq!(queue.add(&nameless, &[("t", &[0])]).await, [invalid]);
    assert_eq!(queue.add_offsets(&nameless, "g").await, invalid);
    assert_eq!(queue.init(init_request("")).await.error_code, invalid);
    let half = InitProducerIdRequest {
        producer_id: 4,
        ..init_request("x")
    };
    assert_eq!(queue.init(half).await.error_code, invalid);
    for timeout in [-1, 0, 900_001] {
        let request = InitProducerIdRequest {
            transaction_timeout_ms: timeout,
            ..init_request("x")
        };
        let code = queue.init(request).await.error_code;
        assert_eq!(code, ErrorCode::INVALID_TRANSACTION_TIMEOUT);
    }
}

#[tokio::test]
async fn a_producer_without_a_transactional_id_gets_an_id_of_its_own() {
    let queue = Queue::start().await;
    let request = InitProducerIdRequest::default();
    let first = queue.init(request.clone()).await;
    let second = queue.init(request).await;
    assert_eq!((first.error_code, first.producer_epoch), (NONE, 0));
    assert!(second.producer_id > first.producer_id);
    let third = queue.producer("x").await;
    assert!(third.id > second.producer_id);
}

#[tokio::test(start_paused = true)]
async fn a_transaction_that_is_open_for_too_long_is_aborted() {
    let queue = Queue::start().await;
    let producer = queue.producer("x").await;
    queue.add(&producer, &[("t", &[0])]).await;
    write(&queue, &producer, 0, 0).await.unwrap();
    tokio::time::sleep(Duration::from_secs(59)).await;
    assert_eq!(queue.state("x"), "Ongoing");
    tokio::time::sleep(Duration::from_secs(2)).await;
    for _ in 0..10_000 {
        if queue.state("x") == "CompleteAbort" {
            break;
        }
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    assert_eq!(queue.state("x"), "CompleteAbort");
    assert_eq!(last_stable(&queue, 0), 2);
    let fenced = ErrorCode::PRODUCER_FENCED;
    assert_eq!(queue.end_txn(&producer, true).await, fenced);
    let late = write(&queue, &producer, 0, 1).await;
    assert_eq!(late, Err(ErrorCode::INVALID_PRODUCER_EPOCH));
}

#[tokio::test]
async fn a_topic_that_is_deleted_holds_no_transaction_up() {
    let queue = Queue::start().await;
    let topics = &queue.broker.topics;
    let u = crate::support::name("u");
    topics.create(&u, 1, topics.new_config()).await.unwrap();
    let producer = queue.producer("x").await;
    queue.add(&producer, &[("t", &[0]), ("u", &[0])]).await;
    topics.delete(&u).await.unwrap();
    assert_eq!(queue.end_txn(&producer, true).await, NONE);
    assert_eq!(queue.state("x"), "CompleteCommit");
}

#[tokio::test]
async fn transactions_whose_topic_is_deleted_stay_open_and_others_begin() {
    let queue = Queue::start().await;
    let producer = queue.producer("x").await;
    queue.add(&producer, &[("t", &[0, 1])]).await;
    write(&queue, &producer, 0, 0).await.unwrap();
    let topics = &queue.broker.topics;
    let transactions = crate::support::name("__transaction_state");
    topics.delete(&transactions).await.unwrap();
    queue.transactions.forget_deleted();
    // As in Kafka: an operator finds what hangs, and ends it.
    assert_eq!(last_stable(&queue, 0), 0);
    let gone = ErrorCode::NOT_COORDINATOR;
    assert_eq!(queue.end_txn(&producer, true).await, gone);
    // The topic is made again for whoever asks for the coordinator.
    let producer = queue.producer("x").await;
    queue.add(&producer, &[("t", &[1])]).await;
    write(&queue, &producer, 1, 0).await.unwrap();
    queue.transactions.forget_deleted();
    assert_eq!(queue.state("x"), "Ongoing", "it is not deleted now");
    assert_eq!(queue.end_txn(&producer, true).await, NONE);
    assert_eq!(queue.state("x"), "CompleteCommit");
}

#[tokio::test]
async fn a_marker_that_is_there_already_does_no_harm() {
    let queue = Queue::start().await;
    let producer = queue.producer("x").await;
    queue.add(&producer, &[("t", &[0])]).await;
    write(&queue, &producer, 0, 0).await.unwrap();
    let (id, epoch) = (producer.id, producer.epoch);
    queue.end(id, epoch, Marker::Commit).await.unwrap();
    assert_eq!(queue.end_txn(&producer, true).await, NONE);
    assert_eq!(last_stable(&queue, 0), 3);
}

#[tokio::test]
async fn a_stop_ends_the_calls_that_wait() {
    let queue = Queue::start().await;
    let producer = queue.producer("x").await;
    queue.transactions.stop();
    let stopped = ErrorCode::NOT_COORDINATOR;
    assert_eq!(queue.end_txn(&producer, true).await, stopped);
}
