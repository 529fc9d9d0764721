//! What a transactional producer writes.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use client::Client;
use consumer::{Committed, Consumer, OffsetReset, SeekTo};
use exactly_once_client::{Error, Settings, TransactionalProducer};
use message_model::{Offset, TopicName};
use mqd_guard::Port;

use super::{committed, connect, create, partition, record, settings, start};
use crate::support::mqd;

async fn init(client: &Arc<Client>, id: &str) -> TransactionalProducer {
    TransactionalProducer::init(Arc::clone(client), settings(id))
        .await
        .unwrap()
}

/// Sends these values to the topic's partition 0.
async fn send(producer: &mut TransactionalProducer, topic: &TopicName, values: &[&str]) {
    for value in values {
        let delivery = producer.send(topic, record(0, value)).await.unwrap();
        drop(delivery);
    }
}

#[tokio::test]
async fn what_is_committed_is_read_and_what_is_aborted_is_not() {
    let mqd = start();
    let client = connect(&mqd).await;
    let (a, b) = (create(&client, "a", 1).await, create(&client, "b", 1).await);
    let mut producer = init(&client, "x").await;
    producer.begin().unwrap();
    send(&mut producer, &a, &["1", "2"]).await;
    send(&mut producer, &b, &["3"]).await;
    producer.commit().await.unwrap();
    producer.begin().unwrap();
    send(&mut producer, &a, &["4"]).await;
    send(&mut producer, &b, &["5"]).await;
    producer.abort().await.unwrap();
    producer.begin().unwrap();
    producer.abort().await.unwrap();
    producer.begin().unwrap();
    producer.commit().await.unwrap();
    producer.begin().unwrap();
    send(&mut producer, &a, &["6"]).await;
    producer.commit().await.unwrap();
    assert_eq!(committed(&client, &a, 0).await, ["1", "2", "6"]);
    assert_eq!(committed(&client, &b, 0).await, ["3"]);
}

#[tokio::test]
async fn methods_in_the_wrong_order_are_refused_and_change_nothing() {
    let mqd = start();
    let client = connect(&mqd).await;
    let topic = create(&client, "t", 1).await;
    let mut producer = init(&client, "x").await;
    let sent = producer.send(&topic, record(0, "0")).await;
    assert!(matches!(sent, Err(Error::NoTransaction)));
    assert!(matches!(producer.commit().await, Err(Error::NoTransaction)));
    assert!(matches!(producer.abort().await, Err(Error::NoTransaction)));
    producer.begin().unwrap();
    send(&mut producer, &topic, &["1"]).await;
    assert!(matches!(producer.begin(), Err(Error::NotEnded)));
    producer.commit().await.unwrap();
    assert_eq!(committed(&client, &topic, 0).await, ["1"]);
}

/// Several batches of a partition are in flight, and the numbers go on from one transaction
/// to the next.
#[tokio::test]
async fn many_batches_of_many_transactions_are_in_order() {
    let mqd = start();
    let client = connect(&mqd).await;
    let topic = create(&client, "t", 2).await;
    let mut settings = settings("x");
    settings.producer.batch_bytes = 200;
    settings.producer.linger = Duration::ZERO;
    let producer = TransactionalProducer::init(Arc::clone(&client), settings);
    let mut producer = producer.await.unwrap();
    let mut wanted = [Vec::new(), Vec::new()];
    for transaction in 0..10 {
        producer.begin().unwrap();
        for number in 0..100 {
            let value = format!("{transaction}.{number}");
            let index = number % 2;
            producer.send(&topic, record(index, &value)).await.unwrap();
            if transaction % 3 != 2 {
                wanted[usize::from(index == 1)].push(value);
            }
        }
        match transaction % 3 {
            2 => producer.abort().await.unwrap(),
            _ => producer.commit().await.unwrap(),
        }
    }
    for (index, wanted) in (0..).zip(wanted) {
        assert_eq!(committed(&client, &topic, index).await, wanted);
    }
}

#[tokio::test]
async fn the_older_instance_is_fenced_and_its_transaction_aborted() {
    let mqd = start();
    let client = connect(&mqd).await;
    let topic = create(&client, "t", 1).await;
    let mut older = init(&client, "x").await;
    older.begin().unwrap();
    let sent = older.send(&topic, record(0, "older")).await.unwrap();
    sent.await.unwrap();
    let mut newer = init(&client, "x").await;
    newer.begin().unwrap();
    send(&mut newer, &topic, &["newer"]).await;
    let late = older.send(&topic, record(0, "late")).await.unwrap();
    late.await.unwrap_err();
    let ended = older.commit().await.unwrap_err();
    assert!(ended.is_fenced(), "{ended}");
    assert!(older.abort().await.unwrap_err().is_fenced());
    assert!(older.begin().unwrap_err().is_fenced());
    newer.commit().await.unwrap();
    assert_eq!(committed(&client, &topic, 0).await, ["newer"]);
}

#[tokio::test]
async fn a_transaction_that_is_open_for_too_long_ends_its_producer() {
    let mqd = mqd()
        .set("transaction.state.log.num.partitions", "1")
        .set("offsets.topic.num.partitions", "1")
        .start()
        .unwrap();
    let client = connect(&mqd).await;
    let topic = create(&client, "t", 1).await;
    let settings = Settings {
        timeout: Duration::from_millis(100),
        ..settings("x")
    };
    let producer = TransactionalProducer::init(Arc::clone(&client), settings);
    let mut producer = producer.await.unwrap();
    producer.begin().unwrap();
    let sent = producer.send(&topic, record(0, "1")).await.unwrap();
    sent.await.unwrap();
    // Returns when the coordinator has aborted it.
    assert_eq!(committed(&client, &topic, 0).await, [""; 0]);
    let ended = producer.commit().await.unwrap_err();
    assert!(ended.is_fenced(), "{ended}");
}

#[tokio::test]
async fn a_record_that_is_not_delivered_leaves_only_the_abort() {
    let mqd = start();
    let client = connect(&mqd).await;
    let topic = create(&client, "t", 1).await;
    client
        .create_topic(
            &TopicName::new("small").unwrap(),
            1,
            &[("max.message.bytes", "200")],
        )
        .await
        .unwrap();
    let small = TopicName::new("small").unwrap();
    let long = "x".repeat(500);
    let mut producer = init(&client, "x").await;
    producer.begin().unwrap();
    send(&mut producer, &topic, &["1"]).await;
    let delivery = producer.send(&small, record(0, &long)).await.unwrap();
    let refused = delivery.await.unwrap_err();
    assert!(matches!(refused, producer::Error::TooLarge), "{refused}");
    let refused = producer.commit().await.unwrap_err();
    assert!(matches!(refused, Error::NotDelivered(_)), "{refused}");
    let refused = producer.send(&topic, record(0, "2")).await.unwrap_err();
    assert!(matches!(refused, Error::MustAbort), "{refused}");
    producer.abort().await.unwrap();
    producer.begin().unwrap();
    send(&mut producer, &topic, &["3"]).await;
    send(&mut producer, &small, &["4"]).await;
    producer.commit().await.unwrap();
    assert_eq!(committed(&client, &topic, 0).await, ["3"]);
    assert_eq!(committed(&client, &small, 0).await, ["4"]);
}

#[tokio::test]
async fn offsets_count_when_the_transaction_is_committed() {
    let mqd = start();
    let client = connect(&mqd).await;
    let topic = create(&client, "t", 1).await;
    let settings = consumer::Settings {
        group: Some("g".to_owned()),
        ..consumer::Settings::default()
    };
    let consumer = Consumer::new(Arc::clone(&client), settings);
    let group = consumer.group_metadata().unwrap();
    let to = |offset| {
        let committed = Committed {
            offset: Offset(offset),
            metadata: String::new(),
        };
        BTreeMap::from([(partition(&topic, 0), committed)])
    };
    let all = BTreeSet::from([partition(&topic, 0)]);
    let mut producer = init(&client, "x").await;
    producer.begin().unwrap();
    producer.send_offsets(&group, &to(5)).await.unwrap();
    assert_eq!(consumer.committed(&all).await.unwrap(), BTreeMap::new());
    producer.commit().await.unwrap();
    assert_eq!(consumer.committed(&all).await.unwrap(), to(5));
    producer.begin().unwrap();
    producer.send_offsets(&group, &to(7)).await.unwrap();
    producer.abort().await.unwrap();
    assert_eq!(consumer.committed(&all).await.unwrap(), to(5));
}

/// Otherwise it would begin in front of records whose results are about to be committed.
#[tokio::test]
async fn a_consumer_waits_for_offsets_that_a_transaction_may_change() {
    let mqd = start();
    let client = connect(&mqd).await;
    let topic = create(&client, "t", 1).await;
    let settings = consumer::Settings {
        group: Some("g".to_owned()),
        reset: OffsetReset::Earliest,
        read_committed: true,
        ..consumer::Settings::default()
    };
    let mut consumer = Consumer::new(Arc::clone(&client), settings);
    let group = consumer.group_metadata().unwrap();
    let all = BTreeSet::from([partition(&topic, 0)]);
    let committed = Committed {
        offset: Offset(5),
        metadata: String::new(),
    };
    let offsets = BTreeMap::from([(partition(&topic, 0), committed)]);
    let mut producer = init(&client, "x").await;
    producer.begin().unwrap();
    producer.send_offsets(&group, &offsets).await.unwrap();
    {
        let mut assigning = std::pin::pin!(consumer.assign(all));
        let early = tokio::time::timeout(Duration::from_millis(300), &mut assigning).await;
        assert!(early.is_err(), "the offset was not known");
        producer.commit().await.unwrap();
        assigning.await.unwrap();
    }
    assert_eq!(consumer.position(&partition(&topic, 0)), Some(Offset(5)));
}

/// What is open comes at its end, so that is where the end is.
#[tokio::test]
async fn the_end_of_committed_records_is_before_an_open_transaction() {
    let mqd = start();
    let client = connect(&mqd).await;
    let topic = create(&client, "t", 1).await;
    let t0 = partition(&topic, 0);
    let settings = consumer::Settings {
        reset: OffsetReset::Latest,
        read_committed: true,
        ..consumer::Settings::default()
    };
    let mut consumer = Consumer::new(Arc::clone(&client), settings);
    let mut producer = init(&client, "x").await;
    producer.begin().unwrap();
    send(&mut producer, &topic, &["1"]).await;
    producer.commit().await.unwrap();
    producer.begin().unwrap();
    let sent = producer.send(&topic, record(0, "2")).await.unwrap();
    sent.await.unwrap();
    consumer.assign([t0.clone()].into()).await.unwrap();
    // Behind the record and the marker of the first transaction.
    assert_eq!(consumer.position(&t0), Some(Offset(2)));
    consumer.seek(&t0, SeekTo::End).await.unwrap();
    assert_eq!(consumer.position(&t0), Some(Offset(2)));
    producer.commit().await.unwrap();
    consumer.seek(&t0, SeekTo::End).await.unwrap();
    assert_eq!(consumer.position(&t0), Some(Offset(4)));
}

#[tokio::test]
async fn a_broker_that_is_killed_within_a_transaction_loses_nothing() {
    let mut mqd = start();
    let client = connect(&mqd).await;
    let topic = create(&client, "t", 1).await;
    let mut producer = init(&client, "x").await;
    let mut wanted = Vec::new();
    for round in 0..4 {
        producer.begin().unwrap();
        for number in 0..20 {
            let value = format!("{round}.{number}");
            let delivery = producer.send(&topic, record(0, &value)).await.unwrap();
            if number == 10 {
                delivery.await.unwrap();
                mqd.kill_9().unwrap();
                mqd.restart(Port::Same).unwrap();
            }
            wanted.push(value);
        }
        producer.commit().await.unwrap();
    }
    assert_eq!(committed(&client, &topic, 0).await, wanted);
}
