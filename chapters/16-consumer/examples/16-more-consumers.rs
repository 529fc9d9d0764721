//! More consumers than partitions.
//!
//! A topic of four partitions is read by one to eight consumers of one group. Each needs two
//! milliseconds for a record. Look at the last column, and at how many consumers own
//! nothing.

mod fake;

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use anyhow::Result;
use async_model::Clock;
use client::Client;
use consumer::{Assignor, Consumer, OffsetReset, Settings, Topics};
use message_model::{Moment, TopicName};
use tokio::task::JoinSet;

use fake::Fake;

const PARTITIONS: i32 = 4;
const PER_PARTITION: usize = 100;
const PROCESSING: Duration = Duration::from_millis(2);

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<()> {
    println!("consumers | idle | records a second");
    println!("----------|------|-----------------");
    for consumers in [1, 2, 4, 8] {
        let (idle, rate) = measure(consumers).await?;
        println!("{consumers:>9} | {idle:>4} | {rate:>16}");
    }
    Ok(())
}

/// How many consumers own nothing, and how many records they all process in a second.
async fn measure(consumers: usize) -> Result<(usize, u128)> {
    let fake = Fake::start(&[("orders", PARTITIONS)]).await;
    let clock = Clock::start();
    let left = Arc::new(AtomicUsize::new(
        PER_PARTITION * usize::try_from(PARTITIONS)?,
    ));
    let idle = Arc::new(AtomicUsize::new(0));
    let mut tasks = JoinSet::new();
    // The records come when the group has formed.
    let start = clock.now().plus(Duration::from_millis(1_500));
    for _ in 0..consumers {
        let consumer = join(&fake).await?;
        let (left, idle) = (Arc::clone(&left), Arc::clone(&idle));
        tasks.spawn(process(consumer, (clock, start), left, idle));
    }
    // Later than the last poll that does not look at what it gets.
    clock
        .sleep_until(start.plus(Duration::from_millis(200)))
        .await;
    let start = clock.now();
    let values: Vec<String> = (0..PER_PARTITION).map(|n| format!("order {n}")).collect();
    for partition in 0..PARTITIONS {
        fake.append("orders", partition, &values);
    }
    while let Some(outcome) = tasks.join_next().await {
        outcome??;
    }
    let took = clock.now().since(start).as_millis().max(1);
    let records = PER_PARTITION as u128 * 4;
    Ok((idle.load(Ordering::Relaxed), records * 1000 / took))
}

async fn join(fake: &Fake) -> Result<Consumer> {
    let client = Client::connect(&fake.address(), client::Settings::default()).await?;
    let settings = Settings {
        group: Some("billing".to_owned()),
        reset: OffsetReset::Earliest,
        assignors: vec![Assignor::Range],
        heartbeat_interval: Duration::from_millis(50),
        ..Settings::default()
    };
    let mut consumer = Consumer::new(Arc::new(client), settings);
    let topics = Topics::Named([TopicName::new("orders")?].into());
    consumer.subscribe(topics).await?;
    Ok(consumer)
}

/// Processes records until none is left.
async fn process(
    mut consumer: Consumer,
    (clock, start): (Clock, Moment),
    left: Arc<AtomicUsize>,
    idle: Arc<AtomicUsize>,
) -> Result<()> {
    while clock.now() < start {
        consumer.poll(Duration::from_millis(20)).await?;
    }
    if consumer.assignment().is_empty() {
        idle.fetch_add(1, Ordering::Relaxed);
    }
    while left.load(Ordering::Relaxed) > 0 {
        let Some(polled) = consumer.poll(Duration::from_millis(20)).await? else {
            continue;
        };
        for record in polled.records {
            record?;
            clock.sleep_until(clock.now().plus(PROCESSING)).await;
            left.fetch_sub(1, Ordering::Relaxed);
        }
    }
    Ok(())
}
