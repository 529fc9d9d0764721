//! Orders of ten customers in one partition of a real broker, and workers that need 2 ms for
//! an order, and 20 ms for one in ten.
//!
//! ```text
//! mqd --listen 127.0.0.1:9092 --data-dir /tmp/queue &
//! cargo run -p ordering --example 18-shop -- 127.0.0.1:9092
//! ```

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use anyhow::{Context as _, Result};
use async_model::Clock;
use client::{Client, ConsumedRecord};
use consumer::{OffsetReset, Topics};
use message_model::{Moment, TopicName, TopicPartition};
use ordering::part::Limits;
use ordering::{Failed, Processor, Settings, process_in_order};
use producer::{Producer, Record};
use tokio::sync::watch;

const CUSTOMERS: u32 = 10;
const ORDERS: u32 = 50;

/// Notes which order of which customer was finished behind a later one.
#[derive(Clone)]
struct Shop {
    seen: Arc<Mutex<Seen>>,
    clock: Clock,
    finished: watch::Sender<u32>,
}

#[derive(Default)]
struct Seen {
    /// When the first order was begun: joining the group takes some time.
    began: Option<Moment>,
    /// Of each customer, the last order that was finished.
    last: BTreeMap<u32, u32>,
    overtaken: u32,
}

impl Shop {
    fn seen(&self) -> MutexGuard<'_, Seen> {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Processor for Shop {
    async fn process(&self, _: &TopicPartition, record: &ConsumedRecord) -> Result<(), Failed> {
        self.seen().began.get_or_insert(self.clock.now());
        let value = record.value.as_deref().ok_or(Failed)?;
        let value = std::str::from_utf8(value).map_err(|_| Failed)?;
        let (customer, order) = value.split_once(' ').ok_or(Failed)?;
        let customer: u32 = customer.parse().map_err(|_| Failed)?;
        let order: u32 = order.parse().map_err(|_| Failed)?;
        let is_slow = (customer + order).is_multiple_of(10);
        let takes = if is_slow { 20 } else { 2 };
        tokio::time::sleep(Duration::from_millis(takes)).await;
        let mut seen = self.seen();
        let last = seen.last.entry(customer).or_default();
        let is_overtaken = order < *last;
        *last = order.max(*last);
        seen.overtaken += u32::from(is_overtaken);
        drop(seen);
        self.finished.send_modify(|finished| *finished += 1);
        Ok(())
    }

    async fn give_up(&self, _: &TopicPartition, _: &ConsumedRecord) -> Result<(), Failed> {
        Ok(())
    }
}

#[tokio::main]
async fn main() -> Result<()> {
    let bootstrap = std::env::args().nth(1).context("give HOST:PORT")?;
    let client = Client::connect(&bootstrap, client::Settings::default()).await?;
    let client = Arc::new(client);
    println!("workers                | seconds | overtaken");
    println!("-----------------------|---------|----------");
    for (name, workers, with_keys) in [
        ("1", 1, true),
        ("8", 8, true),
        ("8, records have no key", 8, false),
    ] {
        // A topic of its own for each row, and each run.
        let topic = format!("shop-{}-{workers}-{with_keys}", std::process::id());
        let topic = TopicName::new(&topic)?;
        client.create_topic(&topic, 1, &[]).await?;
        send(&client, &topic, with_keys).await;
        let (seconds, overtaken) = consume(&client, topic, workers).await?;
        println!("{name:<22} | {seconds:>7.2} | {overtaken:>9}");
    }
    Ok(())
}

async fn send(client: &Arc<Client>, topic: &TopicName, with_keys: bool) {
    let producer = Producer::new(Arc::clone(client), producer::Settings::default());
    for order in 0..ORDERS {
        for customer in 0..CUSTOMERS {
            let (key, value) = (customer.to_string(), format!("{customer} {order}"));
            let record = match with_keys {
                true => Record::of_key(key.as_bytes(), value.as_bytes()),
                false => Record::of_value(value.as_bytes()),
            };
            drop(producer.send(topic, record).await);
        }
    }
    producer.close(Duration::from_secs(30)).await;
}

/// Processes all orders, and returns how many seconds it took, and how many were overtaken.
async fn consume(client: &Arc<Client>, topic: TopicName, workers: usize) -> Result<(f64, u32)> {
    let shop = Shop {
        seen: Arc::default(),
        clock: client.clock(),
        finished: watch::Sender::new(0),
    };
    let settings = Settings {
        consumer: consumer::Settings {
            group: Some(topic.as_str().to_owned()),
            reset: OffsetReset::Earliest,
            ..consumer::Settings::default()
        },
        limits: Limits {
            workers,
            ..Settings::default().limits
        },
        ..Settings::default()
    };
    let mut finished = shop.finished.subscribe();
    let ended = Mutex::new(Moment::START);
    let all = async {
        // Never an error: the shop has the other end.
        let all = |finished: &u32| *finished == CUSTOMERS * ORDERS;
        let _ = finished.wait_for(all).await;
        *ended.lock().unwrap_or_else(PoisonError::into_inner) = shop.clock.now();
    };
    let topics = Topics::Named([topic].into());
    process_in_order(Arc::clone(client), topics, shop.clone(), settings, all).await?;
    let ended = ended.into_inner().unwrap_or_else(PoisonError::into_inner);
    let seen = shop.seen();
    let began = seen.began.unwrap_or(Moment::START);
    Ok((ended.since(began).as_secs_f64(), seen.overtaken))
}
