//! The end that sells, and how both ends read and write the queue.

use std::collections::BTreeSet;
use std::marker::PhantomData;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context as _, Result};
use client::Client;
use consumer::{Consumer, OffsetReset};
use message_model::{PartitionIndex, Timestamp, TopicName, TopicPartition};
use producer::{Producer, Record};
use serde::de::DeserializeOwned;

use super::{Answer, ORDERS, Order, RESULTS, Stock};
use crate::serve::stop;
use crate::topics::create_topic;

/// How long a poll waits. Any news ends it earlier.
const POLL: Duration = Duration::from_secs(10);
/// The pause after the topic could not be read.
const PAUSE: Duration = Duration::from_millis(500);
/// No buyer waits longer, so older orders are not answered once more.
const ANSWERED_FOR: Duration = Duration::from_secs(60);

/// The `T`s of a topic with one partition.
pub(super) struct Reading<T> {
    consumer: Consumer,
    client: Arc<Client>,
    values: PhantomData<T>,
}

impl<T: DeserializeOwned> Reading<T> {
    /// Reads all that the topic has.
    async fn of_all(bootstrap: &str, topic: &str) -> Result<Reading<T>> {
        Reading::from(bootstrap, topic, OffsetReset::Earliest).await
    }

    /// Reads what comes from now on.
    pub(super) async fn of_new(bootstrap: &str, topic: &str) -> Result<Reading<T>> {
        Reading::from(bootstrap, topic, OffsetReset::Latest).await
    }

    async fn from(bootstrap: &str, topic: &str, reset: OffsetReset) -> Result<Reading<T>> {
        let topic = create_topic(bootstrap, topic).await?;
        let client = Arc::new(Client::connect(bootstrap, client::Settings::default()).await?);
        let settings = consumer::Settings {
            reset,
            ..consumer::Settings::default()
        };
        let mut consumer = Consumer::new(Arc::clone(&client), settings);
        let partition = TopicPartition {
            topic,
            partition: PartitionIndex(0),
        };
        consumer.assign(BTreeSet::from([partition])).await?;
        Ok(Reading {
            consumer,
            client,
            values: PhantomData,
        })
    }

    /// Returns what comes next, in order, each with its time. What is no `T` is left out.
    pub(super) async fn next(&mut self) -> Vec<(Timestamp, T)> {
        let polled = self.consumer.poll(POLL).await;
        if let Err(error) = &polled {
            eprintln!("the queue cannot be read now: {error}");
            let clock = self.client.clock();
            clock.sleep_until(clock.now().plus(PAUSE)).await;
        }
        let polled = polled.into_iter().flatten();
        let records = polled.flat_map(|polled| polled.records).flatten();
        let value = |record: client::ConsumedRecord| {
            let value = serde_json::from_slice(record.value.as_deref()?).ok()?;
            Some((record.timestamp, value))
        };
        records.filter_map(value).collect()
    }
}

/// How both ends send: at once, and each record into the log once.
pub(super) fn sending() -> producer::Settings {
    producer::Settings {
        linger: Duration::ZERO,
        ..producer::Settings::idempotent()
    }
}

/// Sells `stock` to those whose orders come first, until Ctrl-C.
///
/// The topic of orders is the stock's memory: all of them are read at each start, which leads
/// to the same sales again. So start it with the same stock.
///
/// # Errors
/// If the queue cannot be reached at the start.
pub async fn worker(bootstrap: &str, stock: Stock) -> Result<()> {
    let results = create_topic(bootstrap, RESULTS).await?;
    let orders = Reading::of_all(bootstrap, ORDERS).await?;
    let producer = Producer::new(Arc::clone(&orders.client), sending());
    println!("the stock is ready");
    tokio::select! {
        ended = sell(stock, orders, &producer, &results) => return ended,
        () = stop() => {}
    }
    producer.flush().await;
    println!("stopped");
    Ok(())
}

async fn sell(
    mut stock: Stock,
    mut orders: Reading<Order>,
    producer: &Producer,
    results: &TopicName,
) -> Result<()> {
    loop {
        let mut deliveries = Vec::new();
        for (time, order) in orders.next().await {
            let outcome = stock.sell(&order.user, &order.item);
            if orders.client.clock().wall().since(time) > ANSWERED_FOR {
                continue;
            }
            println!("{} of {}: {outcome:?}", order.item, order.user);
            let ticket = order.ticket;
            let answer = serde_json::to_vec(&Answer { ticket, outcome });
            let answer = answer.context("a result as JSON")?;
            let record = Record {
                value: Some(&answer),
                ..Record::default()
            };
            deliveries.push(producer.send(results, record).await);
        }
        for delivery in deliveries {
            if let Err(error) = delivery.await {
                eprintln!("a result is lost, its buyer has to ask again: {error}");
            }
        }
    }
}
