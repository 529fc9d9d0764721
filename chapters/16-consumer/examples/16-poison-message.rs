//! One record of a hundred cannot be processed.
//!
//! The first consumer tries it again and again. The second one sends it to a retry topic,
//! and after three tries to the dead letters. Look at the lag.

mod fake;

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Result;
use client::Client;
use consumer::{Consumer, OffsetReset, Redelivery, SeekTo, Settings, Topics, group_lag};
use message_model::{PartitionIndex, TopicName, TopicPartition};

use fake::Fake;

const RECORDS: usize = 100;
const POISON: &str = "order 42";
/// How many polls each consumer gets.
const POLLS: usize = 20;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<()> {
    println!("a record that fails      | processed | tries of it | lag of orders | dead letters");
    println!("-------------------------|-----------|-------------|---------------|-------------");
    for redelivers in [false, true] {
        let topics = [("orders", 1), ("orders.retry", 1), ("orders.dlq", 1)];
        let fake = Fake::start(&topics).await;
        for n in 0..RECORDS {
            fake.append("orders", 0, &[format!("order {n}")]);
        }
        let client = Client::connect(&fake.address(), client::Settings::default()).await?;
        let client = Arc::new(client);
        let (processed, tries) = work(&client, redelivers).await?;
        let lag = lag(&client, "orders").await?;
        let dead = lag_of_nobody(&client, "orders.dlq").await?;
        let what = if redelivers {
            "goes out of the way"
        } else {
            "is tried again"
        };
        println!("{what:<24} | {processed:>9} | {tries:>11} | {lag:>13} | {dead:>12}");
    }
    Ok(())
}

/// How many records were processed, and how often the poison was tried.
async fn work(client: &Arc<Client>, redelivers: bool) -> Result<(usize, usize)> {
    let settings = Settings {
        group: Some("billing".to_owned()),
        reset: OffsetReset::Earliest,
        ..Settings::default()
    };
    let mut consumer = Consumer::new(Arc::clone(client), settings);
    let orders = TopicName::new("orders")?;
    let retry = Redelivery::retry_topic(&orders)?;
    let names = BTreeSet::from([orders, retry]);
    consumer.subscribe(Topics::Named(names)).await?;
    let redelivery = Redelivery::new(Arc::clone(client), 3);
    let (mut processed, mut tries, mut polls) = (0, 0, 0);
    while polls < POLLS {
        let Some(polled) = consumer.poll(Duration::from_millis(100)).await? else {
            polls += usize::from(!consumer.assignment().is_empty());
            continue;
        };
        polls += 1;
        for record in polled.records {
            let record = record?;
            if record.value.as_deref() != Some(POISON.as_bytes()) {
                processed += 1;
                continue;
            }
            tries += 1;
            if redelivers {
                redelivery.failed(&polled.partition, &record).await?;
            } else {
                // It stays where it is, and so does everything behind it.
                let again = SeekTo::Offset(record.offset);
                consumer.seek(&polled.partition, again).await?;
                break;
            }
        }
        consumer.commit_sync().await?;
    }
    consumer.close(Duration::from_secs(5)).await?;
    Ok((processed, tries))
}

async fn lag(client: &Arc<Client>, topic: &str) -> Result<i64> {
    lag_of(client, "billing", topic).await
}

/// All records of a topic are the lag of a group that has committed nothing.
async fn lag_of_nobody(client: &Arc<Client>, topic: &str) -> Result<i64> {
    lag_of(client, "nobody", topic).await
}

async fn lag_of(client: &Arc<Client>, group: &str, topic: &str) -> Result<i64> {
    let topic = TopicName::new(topic)?;
    let count = client
        .topic(&topic, client.deadline())
        .await?
        .partitions
        .len();
    let partition = |index| TopicPartition {
        topic: topic.clone(),
        partition: PartitionIndex(index),
    };
    let partitions = (0..).map(partition).take(count).collect();
    let lags = group_lag(client, group, partitions).await?;
    let of_topic = lags.iter().filter(|lag| lag.partition.topic == topic);
    Ok(of_topic.filter_map(consumer::GroupLag::offsets).sum())
}
