//! Memory, deadlines and the end.

use std::future::Future;
use std::pin::pin;
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use client::Client;
use message_model::PartitionIndex;
use producer::{Error, Order, Producer, Record, Settings};

use crate::broker::{Broker, Then};
use crate::{LIMIT, producer, settings, topic};

/// A record of somewhat more than 1,000 bytes.
const LARGE: [u8; 1_000] = [7; 1_000];

fn small_memory() -> Settings {
    Settings {
        memory: 2_500,
        ..settings()
    }
}

#[tokio::test]
async fn without_room_a_call_waits_until_there_is_some() {
    let broker = Broker::start(&[]).await;
    broker.serve(false);
    let producer = producer(&broker, small_memory()).await;
    let first = producer.send(&topic(), Record::of_value(&LARGE)).await;
    let second = producer.send(&topic(), Record::of_value(&LARGE)).await;
    let (name, record) = (topic(), Record::of_value(&LARGE));
    let mut third = pin!(producer.send(&name, record));
    let waits = third.as_mut().poll(&mut Context::from_waker(Waker::noop()));
    assert!(matches!(waits, Poll::Pending));
    broker.serve(true);
    let third = tokio::time::timeout(LIMIT, third).await.unwrap();
    for delivery in [first, second, third] {
        tokio::time::timeout(LIMIT, delivery)
            .await
            .unwrap()
            .unwrap();
    }
}

#[tokio::test]
async fn a_call_that_waits_and_is_dropped_leaves_its_room_to_others() {
    let broker = Broker::start(&[]).await;
    broker.serve(false);
    let producer = producer(&broker, small_memory()).await;
    let first = producer.send(&topic(), Record::of_value(&LARGE)).await;
    let huge = [1; 2_000];
    {
        let (name, record) = (topic(), Record::of_value(&huge));
        let mut gone = pin!(producer.send(&name, record));
        let waits = gone.as_mut().poll(&mut Context::from_waker(Waker::noop()));
        assert!(matches!(waits, Poll::Pending));
    }
    // It fits beside the first one, and would have had to wait behind the one that is gone.
    let second = producer.send(&topic(), Record::of_value(&LARGE)).await;
    broker.serve(true);
    for delivery in [first, second] {
        tokio::time::timeout(LIMIT, delivery)
            .await
            .unwrap()
            .unwrap();
    }
}

#[tokio::test]
async fn without_room_for_too_long_the_delivery_says_so() {
    let broker = Broker::start(&[]).await;
    broker.serve(false);
    let settings = Settings {
        max_block: Duration::from_millis(20),
        ..small_memory()
    };
    let producer = producer(&broker, settings).await;
    for _ in 0..2 {
        producer.send(&topic(), Record::of_value(&LARGE)).await;
    }
    let refused = producer
        .send(&topic(), Record::of_value(&LARGE))
        .await
        .await;
    assert!(matches!(refused, Err(Error::NoRoom)), "{refused:?}");
}

#[tokio::test]
async fn what_can_never_be_sent() {
    let broker = Broker::start(&[]).await;
    let producer = producer(&broker, small_memory()).await;
    let huge = [1; 3_000];
    let refused = producer.send(&topic(), Record::of_value(&huge)).await.await;
    assert!(matches!(refused, Err(Error::TooLarge)), "{refused:?}");
    let record = Record {
        partition: Some(PartitionIndex(2)),
        ..Record::of_value(b"a")
    };
    let refused = producer.send(&topic(), record).await.await;
    assert!(matches!(refused, Err(Error::NoPartition)), "{refused:?}");
}

#[tokio::test]
async fn a_deadline_begins_at_the_call() {
    let broker = Broker::start(&[Then::Silence]).await;
    let settings = Settings {
        delivery_timeout: Duration::from_millis(50),
        ..settings()
    };
    let producer = producer(&broker, settings).await;
    let delivery = producer.send(&topic(), Record::of_value(b"a")).await;
    let expired = tokio::time::timeout(LIMIT, delivery).await.unwrap();
    let expected = Error::Expired {
        may_be_in_log: true,
    }
    .to_string();
    assert_eq!(expired.unwrap_err().to_string(), expected);
}

#[tokio::test]
async fn closing_ends_every_record() {
    let broker = Broker::start(&[]).await;
    broker.serve(false);
    let producer = producer(&broker, small_memory()).await;
    let mut deliveries = Vec::new();
    for _ in 0..2 {
        deliveries.push(producer.send(&topic(), Record::of_value(&LARGE)).await);
    }
    let (name, record) = (topic(), Record::of_value(&LARGE));
    let mut waiting = pin!(producer.send(&name, record));
    let waits = waiting
        .as_mut()
        .poll(&mut Context::from_waker(Waker::noop()));
    assert!(matches!(waits, Poll::Pending));
    producer.close(Duration::ZERO).await;
    deliveries.push(waiting.await);
    deliveries.push(producer.send(&topic(), Record::of_value(b"late")).await);
    for delivery in deliveries {
        let ended = tokio::time::timeout(LIMIT, delivery).await.unwrap();
        assert!(matches!(ended, Err(Error::Closed)), "{ended:?}");
    }
}

#[tokio::test]
async fn closing_waits_for_what_was_sent() {
    let broker = Broker::start(&[]).await;
    let settings = Settings {
        linger: Duration::from_secs(3_600),
        ..settings()
    };
    let producer = producer(&broker, settings).await;
    let delivery = producer.send(&topic(), Record::of_value(b"a")).await;
    producer.close(LIMIT).await;
    delivery.await.unwrap();
}

#[tokio::test]
async fn a_producer_that_is_dropped_ends_every_record() {
    let broker = Broker::start(&[]).await;
    broker.serve(false);
    let producer = producer(&broker, settings()).await;
    let delivery = producer.send(&topic(), Record::of_value(b"a")).await;
    drop(producer);
    let ended = tokio::time::timeout(LIMIT, delivery).await.unwrap();
    assert!(matches!(ended, Err(Error::Closed)), "{ended:?}");
}

#[tokio::test]
async fn many_tasks_send_at_the_same_time() {
    let broker = Broker::start(&[]).await;
    let producer = std::sync::Arc::new(producer(&broker, small_memory()).await);
    let mut tasks = tokio::task::JoinSet::new();
    for number in 0..20_u8 {
        let producer = std::sync::Arc::clone(&producer);
        tasks.spawn(async move {
            let value = [number; 1_000];
            producer
                .send(&topic(), Record::of_value(&value))
                .await
                .await
        });
    }
    while let Some(delivered) = tokio::time::timeout(LIMIT, tasks.join_next())
        .await
        .unwrap()
    {
        delivered.unwrap().unwrap();
    }
    let state = broker.state();
    assert_eq!(state.logs.iter().map(Vec::len).sum::<usize>(), 20);
}

#[tokio::test]
async fn partitions_that_are_added_are_found() {
    let broker = Broker::start(&[]).await;
    broker.state().partitions = 1;
    let often = client::Settings {
        metadata_max_age: Duration::from_millis(10),
        ..client::Settings::default()
    };
    let client = Client::connect(&broker.address(), often).await.unwrap();
    let producer = Producer::new(client.into(), settings());
    let to_second = Record {
        partition: Some(PartitionIndex(1)),
        ..Record::of_value(b"x")
    };
    let sent = producer.send(&topic(), to_second).await.await;
    assert!(matches!(sent, Err(Error::NoPartition)));
    broker.state().partitions = 2;
    let found = async {
        while let Err(Error::NoPartition) = producer.send(&topic(), to_second).await.await {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(LIMIT, found).await.unwrap();
    assert_eq!(broker.state().logs[1], [b"x"]);
}

#[tokio::test]
#[should_panic(expected = "an idempotent producer keeps the order")]
async fn an_idempotent_producer_without_order_is_not_made() {
    let broker = Broker::start(&[]).await;
    let settings = Settings {
        idempotent: true,
        order: Order::Nothing,
        ..settings()
    };
    producer(&broker, settings).await;
}
