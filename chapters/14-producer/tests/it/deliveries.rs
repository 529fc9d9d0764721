//! Records get to the log, in order, whatever the broker does first.

use std::time::Duration;

use message_model::{Offset, PartitionIndex};
use producer::{Acks, Delivered, Error, Order, Record, Settings, partition_of_key};
use record_batch::Codec;
use wire_protocol::ErrorCode;

use crate::broker::{Broker, Then};
use crate::{LIMIT, producer, settings, topic};

/// A record for partition 0.
fn record(value: &[u8]) -> Record<'_> {
    Record {
        partition: Some(PartitionIndex(0)),
        ..Record::of_value(value)
    }
}

fn values(count: u8) -> Vec<Vec<u8>> {
    (0..count).map(|one| vec![one]).collect()
}

/// Sends `count` records, and expects each at its offset.
async fn all_are_delivered(broker: &Broker, settings: Settings, count: u8) {
    let producer = producer(broker, settings).await;
    let mut deliveries = Vec::new();
    for value in values(count) {
        deliveries.push(producer.send(&topic(), record(&value)).await);
    }
    for (offset, delivery) in (0..).zip(deliveries) {
        let delivered = tokio::time::timeout(LIMIT, delivery).await.unwrap();
        let expected = Delivered {
            partition: PartitionIndex(0),
            offset: Some(Offset(offset)),
        };
        assert_eq!(delivered.unwrap(), expected);
    }
    assert_eq!(broker.state().logs[0], values(count));
}

#[tokio::test]
async fn each_record_is_at_its_offset() {
    let broker = Broker::start(&[]).await;
    all_are_delivered(&broker, settings(), 50).await;
}

#[tokio::test]
async fn a_key_decides_the_partition_and_records_without_one_stay_together() {
    let broker = Broker::start(&[]).await;
    let producer = producer(&broker, settings()).await;
    for number in 0..20 {
        let key = format!("user-{number}");
        let record = Record::of_key(key.as_bytes(), b"a");
        let delivered = producer.send(&topic(), record).await.await.unwrap();
        assert_eq!(delivered.partition, partition_of_key(key.as_bytes(), 2));
    }
    let mut partitions = Vec::new();
    for _ in 0..20 {
        let delivered = producer.send(&topic(), Record::of_value(b"a")).await.await;
        partitions.push(delivered.unwrap().partition);
    }
    assert!(
        partitions.iter().all(|one| *one == partitions[0]),
        "{partitions:?}"
    );
}

#[tokio::test]
async fn every_codec() {
    for codec in [Codec::Gzip, Codec::Snappy, Codec::Lz4, Codec::Zstd] {
        let broker = Broker::start(&[]).await;
        let settings = Settings {
            codec,
            ..settings()
        };
        all_are_delivered(&broker, settings, 50).await;
        let codecs = broker
            .state()
            .batches
            .iter()
            .map(|one| one.codec().unwrap())
            .collect::<Vec<_>>();
        assert!(codecs.iter().all(|one| *one == codec), "{codecs:?}");
    }
}

#[tokio::test]
async fn what_is_refused_for_now_is_sent_again_in_order() {
    let refuse = Then::Refuse(ErrorCode::NOT_LEADER_OR_FOLLOWER);
    let broker = Broker::start(&[Then::Append, refuse, refuse, Then::Append, refuse]).await;
    all_are_delivered(&broker, settings(), 50).await;
}

#[tokio::test]
async fn a_lost_answer_repeats_a_batch_without_numbers() {
    let broker = Broker::start(&[Then::Vanish]).await;
    let producer = producer(&broker, settings()).await;
    let delivery = producer.send(&topic(), record(b"a")).await;
    let delivered = tokio::time::timeout(LIMIT, delivery)
        .await
        .unwrap()
        .unwrap();
    assert_eq!(delivered.offset, Some(Offset(1)));
    assert_eq!(broker.state().logs[0], [b"a", b"a"]);
}

#[tokio::test]
async fn a_batch_that_is_too_large_is_cut_until_it_fits() {
    let broker = Broker::start(&[]).await;
    broker.state().records_max = Some(3);
    for codec in [Codec::None, Codec::Lz4] {
        broker.state().logs = Default::default();
        let settings = Settings {
            codec,
            linger: Duration::from_secs(3_600),
            ..settings()
        };
        let producer = producer(&broker, settings).await;
        let mut deliveries = Vec::new();
        for value in values(20) {
            deliveries.push(producer.send(&topic(), record(&value)).await);
        }
        tokio::time::timeout(LIMIT, producer.flush()).await.unwrap();
        for (offset, delivery) in (0..).zip(deliveries) {
            assert_eq!(delivery.await.unwrap().offset, Some(Offset(offset)));
        }
        assert_eq!(broker.state().logs[0], values(20));
    }
}

#[tokio::test]
async fn a_refused_batch_fails_alone() {
    let broker = Broker::start(&[Then::Refuse(ErrorCode::INVALID_RECORD)]).await;
    let producer = producer(&broker, settings()).await;
    let refused = producer.send(&topic(), record(b"a")).await.await;
    assert!(
        matches!(refused, Err(Error::Refused(ErrorCode::INVALID_RECORD))),
        "{refused:?}"
    );
    let delivered = producer.send(&topic(), record(b"b")).await.await.unwrap();
    assert_eq!(delivered.offset, Some(Offset(0)));
}

#[tokio::test]
async fn without_acks_nothing_is_known() {
    let broker = Broker::start(&[]).await;
    let settings = Settings {
        acks: Acks::None,
        ..settings()
    };
    let producer = producer(&broker, settings).await;
    let delivered = producer.send(&topic(), record(b"a")).await.await.unwrap();
    assert_eq!(delivered.offset, None);
    broker.until_came(1).await;
}

#[tokio::test]
async fn batches_have_numbers() {
    let broker = Broker::start(&[
        Then::Append,
        Then::Refuse(ErrorCode::NOT_LEADER_OR_FOLLOWER),
    ])
    .await;
    let settings = Settings {
        idempotent: true,
        order: Order::OneAtATime,
        ..settings()
    };
    all_are_delivered(&broker, settings, 30).await;
    let state = broker.state();
    let mut next = 0;
    let mut last = None;
    for batch in &state.batches {
        assert_eq!((batch.producer_id.0, batch.producer_epoch.0), (77, 0));
        if last != Some(batch.base_sequence) {
            assert_eq!(batch.base_sequence, next);
            next += batch.record_count;
        }
        last = Some(batch.base_sequence);
    }
    assert_eq!(next, 30);
}

/// The broker says nothing to the second batch, and those behind it come all the same.
#[tokio::test]
async fn an_idempotent_producer_has_several_batches_in_flight() {
    let broker = Broker::start(&[Then::Append, Then::Silence]).await;
    let settings = Settings {
        batch_bytes: 1,
        request_timeout: LIMIT * 2,
        ..Settings::idempotent()
    };
    let producer = producer(&broker, settings).await;
    // Until its first batch is acknowledged it waits.
    let first = producer.send(&topic(), record(b"1")).await;
    tokio::time::timeout(LIMIT, first).await.unwrap().unwrap();
    let mut deliveries = Vec::new();
    for value in [b"2", b"3", b"4", b"5", b"6"] {
        deliveries.push(producer.send(&topic(), record(value)).await);
    }
    broker.until_came(6).await;
    let state = broker.state();
    let numbers = state.batches.iter().map(|one| one.base_sequence);
    assert_eq!(numbers.collect::<Vec<_>>(), [0, 1, 2, 3, 4, 5]);
}

#[test]
fn a_thread_outside_of_the_runtime() {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let (broker, producer) = runtime.block_on(async {
        let broker = Broker::start(&[]).await;
        let producer = producer(&broker, settings()).await;
        (broker, producer)
    });
    for offset in 0..10 {
        let delivered = producer
            .send_blocking(&topic(), record(b"a"))
            .wait()
            .unwrap();
        assert_eq!(delivered.offset, Some(Offset(offset)));
    }
    runtime.block_on(producer.close(LIMIT));
    assert_eq!(broker.state().logs[0].len(), 10);
}
