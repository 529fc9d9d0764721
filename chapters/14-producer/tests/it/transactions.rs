//! Batches that belong to transactions.

use std::sync::Arc;

use message_model::{Offset, PartitionIndex, ProducerEpoch, ProducerId, TopicPartition};
use producer::{Error, Identity, Producer, Record, Settings, Transaction};
use tokio::sync::{Semaphore, mpsc};
use wire_protocol::ErrorCode;

use crate::broker::{Broker, Then};
use crate::{LIMIT, connect, topic};

/// What is asked for, and how often it may be answered so far.
struct Coordinator {
    asked: mpsc::UnboundedReceiver<Vec<TopicPartition>>,
    answers: Arc<Semaphore>,
}

/// A producer whose partitions come into the transaction when the test says so.
async fn producer(broker: &Broker, answer: Result<(), ErrorCode>) -> (Producer, Coordinator) {
    let (asking, asked) = mpsc::unbounded_channel();
    let answers = Arc::new(Semaphore::new(0));
    let identity = Identity {
        id: ProducerId(5),
        epoch: ProducerEpoch(1),
    };
    let waiting = Arc::clone(&answers);
    let transaction = Transaction::new("x".to_owned(), identity, move |partitions| {
        asking.send(partitions).unwrap();
        let waiting = Arc::clone(&waiting);
        Box::pin(async move {
            waiting.acquire().await.unwrap().forget();
            answer
        })
    });
    let settings = Settings {
        batch_bytes: 1,
        ..Settings::idempotent()
    };
    let producer = Producer::transactional(connect(broker).await, settings, transaction);
    (producer, Coordinator { asked, answers })
}

fn record(index: i32) -> Record<'static> {
    Record {
        partition: Some(PartitionIndex(index)),
        ..Record::of_value(b"a")
    }
}

fn partition(index: i32) -> TopicPartition {
    TopicPartition {
        topic: topic(),
        partition: PartitionIndex(index),
    }
}

#[tokio::test]
async fn nothing_is_sent_to_a_partition_before_it_is_in_the_transaction() {
    let broker = Broker::start(&[]).await;
    let (producer, mut coordinator) = producer(&broker, Ok(())).await;
    for transaction in 0..2 {
        producer.next_transaction();
        let mut deliveries = Vec::new();
        for _ in 0..3 {
            deliveries.push(producer.send(&topic(), record(0)).await);
        }
        let asked = tokio::time::timeout(LIMIT, coordinator.asked.recv()).await;
        assert_eq!(asked.unwrap().unwrap(), [partition(0)]);
        // Those that come meanwhile are asked about together, when this has been answered.
        for index in [0, 1, 1] {
            deliveries.push(producer.send(&topic(), record(index)).await);
        }
        assert_eq!(broker.state().batches.len(), transaction * 6);
        coordinator.answers.add_permits(2);
        let asked = tokio::time::timeout(LIMIT, coordinator.asked.recv()).await;
        assert_eq!(asked.unwrap().unwrap(), [partition(1)]);
        for delivery in deliveries {
            let delivered = tokio::time::timeout(LIMIT, delivery).await.unwrap();
            assert!(delivered.unwrap().offset >= Some(Offset(0)));
        }
    }
    let state = broker.state();
    for batch in &state.batches {
        assert!(batch.is_transactional());
        assert_eq!((batch.producer_id.0, batch.producer_epoch.0), (5, 1));
    }
    assert_eq!(state.logs.each_ref().map(Vec::len), [8, 4]);
    assert!(producer.failure().is_none());
}

/// A hole in the numbers cannot be healed with a new epoch: that is the coordinator's.
#[tokio::test]
async fn after_a_record_that_is_not_delivered_nothing_is_sent() {
    let refused = ErrorCode::TOPIC_AUTHORIZATION_FAILED;
    let broker = Broker::start(&[Then::Append, Then::Refuse(refused)]).await;
    let (producer, coordinator) = producer(&broker, Ok(())).await;
    coordinator.answers.add_permits(1);
    let first = producer.send(&topic(), record(0)).await;
    tokio::time::timeout(LIMIT, first).await.unwrap().unwrap();
    let second = producer.send(&topic(), record(0)).await;
    let failed = tokio::time::timeout(LIMIT, second).await.unwrap();
    assert!(matches!(failed, Err(Error::Refused(code)) if code == refused));
    let third = producer.send(&topic(), record(0)).await.await;
    assert!(matches!(third, Err(Error::Closed)));
    assert!(matches!(producer.failure(), Some(Error::Refused(code)) if code == refused));
    assert_eq!(broker.state().batches.len(), 2);
}

#[tokio::test]
async fn a_partition_that_is_refused_fails_its_records() {
    let broker = Broker::start(&[]).await;
    let refused = ErrorCode::INVALID_PRODUCER_EPOCH;
    let (producer, coordinator) = producer(&broker, Err(refused)).await;
    coordinator.answers.add_permits(1);
    let sent = producer.send(&topic(), record(0)).await;
    let failed = tokio::time::timeout(LIMIT, sent).await.unwrap();
    assert!(matches!(failed, Err(Error::Refused(code)) if code == refused));
    assert!(producer.failure().is_some());
    assert!(broker.state().batches.is_empty());
}
