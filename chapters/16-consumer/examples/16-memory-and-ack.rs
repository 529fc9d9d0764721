//! "Put it into a queue in memory and commit, so the consumer is fast."
//!
//! The consumer puts what it polls into a queue for its workers. One version commits what it
//! has put there, the other what its workers have done, in whatever order. Both are killed
//! after the same number of processed records, and started again.

mod fake;

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use anyhow::Result;
use client::Client;
use consumer::{Consumer, Done, OffsetReset, Settings, Work};
use message_model::{Offset, PartitionIndex, TopicName, TopicPartition};

use fake::Fake;

/// Each is a batch of its own, so that each is a piece of work of its own.
const RECORDS: i64 = 1_000;
const KILLED_AFTER: usize = 302;
/// They finish out of order.
const WORKERS: usize = 4;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<()> {
    println!("the consumer commits        | committed at the kill | lost | done twice");
    println!("----------------------------|-----------------------|------|-----------");
    for done in [Done::AtNextPoll, Done::WhenSaid] {
        let fake = Fake::start(&[("orders", 1)]).await;
        for n in 0..RECORDS {
            fake.append("orders", 0, &[format!("order {n}")]);
        }
        let mut processed: BTreeMap<i64, u32> = BTreeMap::new();
        work(&fake, done, KILLED_AFTER, &mut processed).await?;
        let committed = fake.committed("billing", "orders", 0).unwrap_or(0);
        work(&fake, done, usize::MAX, &mut processed).await?;
        let what = match done {
            Done::AtNextPoll => "what is in its memory",
            Done::WhenSaid => "what its workers have done",
        };
        let lost = (0..RECORDS).filter(|n| !processed.contains_key(n)).count();
        let twice = processed.values().filter(|times| **times > 1).count();
        println!("{what:<27} | {committed:>21} | {lost:>4} | {twice:>10}");
    }
    Ok(())
}

/// Polls, queues, processes, commits; until `killed_after` records are processed or all are.
async fn work(
    fake: &Fake,
    done: Done,
    killed_after: usize,
    processed: &mut BTreeMap<i64, u32>,
) -> Result<()> {
    let client = Client::connect(&fake.address(), client::Settings::default()).await?;
    let settings = Settings {
        group: Some("billing".to_owned()),
        reset: OffsetReset::Earliest,
        partition_fetch_max_bytes: 1,
        done,
        ..Settings::default()
    };
    let mut consumer = Consumer::new(Arc::new(client), settings);
    let partition = TopicPartition {
        topic: TopicName::new("orders")?,
        partition: PartitionIndex(0),
    };
    consumer.assign(BTreeSet::from([partition.clone()])).await?;
    let acks = consumer.acks();
    let mut queue: VecDeque<Work> = VecDeque::new();
    let mut count = 0;
    loop {
        // Polling is faster than processing: the queue grows.
        for _ in 0..2 {
            if consumer.position(&partition) != Some(Offset(RECORDS)) {
                let polled = consumer.poll(Duration::from_secs(1)).await?;
                queue.extend(polled.map(|polled| polled.work));
            }
        }
        consumer.commit_async()?.wait().await?;
        // Each worker has one; the last of them is the first to finish.
        let turn = WORKERS - 1 - count % WORKERS;
        let Some(work) = queue.remove(turn.min(queue.len().saturating_sub(1))) else {
            return Ok(());
        };
        *processed.entry(work.offsets.start.0).or_insert(0) += 1;
        acks.done(&work);
        count += 1;
        if count == killed_after {
            return Ok(());
        }
    }
}
