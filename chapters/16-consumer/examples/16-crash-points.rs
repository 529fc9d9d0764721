//! A consumer dies in the middle of its work. What is lost, and what is done twice, says
//! where it commits.
//!
//! A hundred records are processed one by one. At a chosen record the consumer dies, before
//! or after it has processed it, or committed. A second one takes over. Each row is one such
//! crash; "lost" and "twice" count records.

mod fake;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use anyhow::Result;
use client::Client;
use consumer::{Committed, Consumer, OffsetReset, Settings};
use message_model::{Offset, PartitionIndex, TopicName, TopicPartition};

use fake::Fake;

const RECORDS: i64 = 100;
const CRASH_AT: i64 = 42;

/// Where the consumer commits.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Commits {
    BeforeProcessing,
    AfterProcessing,
}

/// At which point of record 42 it dies.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Crash {
    AtTheStart,
    InTheMiddle,
    AtTheEnd,
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<()> {
    println!("commit            | the consumer dies                 | lost | twice");
    println!("------------------|-----------------------------------|------|------");
    for commits in [Commits::BeforeProcessing, Commits::AfterProcessing] {
        for crash in [Crash::AtTheStart, Crash::InTheMiddle, Crash::AtTheEnd] {
            let fake = Fake::start(&[("orders", 1)]).await;
            let values: Vec<String> = (0..RECORDS).map(|n| format!("order {n}")).collect();
            fake.append("orders", 0, &values);
            let mut processed: BTreeMap<i64, u32> = BTreeMap::new();
            work(&fake, commits, Some(crash), &mut processed).await?;
            work(&fake, commits, None, &mut processed).await?;
            let lost = (0..RECORDS).filter(|n| !processed.contains_key(n)).count();
            let twice = processed.values().filter(|times| **times > 1).count();
            let (commit, dies) = words(commits, crash);
            println!("{commit:<17} | {dies:<33} | {lost:>4} | {twice:>5}");
        }
    }
    Ok(())
}

fn words(commits: Commits, crash: Crash) -> (&'static str, &'static str) {
    match (commits, crash) {
        (Commits::BeforeProcessing, Crash::AtTheStart) => {
            ("before processing", "before it commits")
        }
        (Commits::BeforeProcessing, Crash::InTheMiddle) => {
            ("before processing", "when it has committed")
        }
        (Commits::BeforeProcessing, Crash::AtTheEnd) => {
            ("before processing", "when it has processed")
        }
        (Commits::AfterProcessing, Crash::AtTheStart) => {
            ("after processing", "before it processes")
        }
        (Commits::AfterProcessing, Crash::InTheMiddle) => {
            ("after processing", "when it has processed")
        }
        (Commits::AfterProcessing, Crash::AtTheEnd) => {
            ("after processing", "when it has committed")
        }
    }
}

/// Processes what its group has not committed, until the end or the crash.
async fn work(
    fake: &Fake,
    commits: Commits,
    crash: Option<Crash>,
    processed: &mut BTreeMap<i64, u32>,
) -> Result<()> {
    let client = Client::connect(&fake.address(), client::Settings::default()).await?;
    let settings = Settings {
        group: Some("billing".to_owned()),
        reset: OffsetReset::Earliest,
        ..Settings::default()
    };
    let mut consumer = Consumer::new(Arc::new(client), settings);
    let partition = TopicPartition {
        topic: TopicName::new("orders")?,
        partition: PartitionIndex(0),
    };
    consumer.assign(BTreeSet::from([partition.clone()])).await?;
    while consumer.position(&partition) != Some(Offset(RECORDS)) {
        let Some(polled) = consumer.poll(Duration::from_secs(1)).await? else {
            continue;
        };
        for record in polled.records {
            let offset = record?.offset;
            let dies = |at: Crash| offset.0 == CRASH_AT && crash == Some(at);
            let next = Committed {
                offset: offset.plus(1),
                metadata: String::new(),
            };
            let commit = BTreeMap::from([(partition.clone(), next)]);
            if dies(Crash::AtTheStart) {
                return Ok(());
            }
            if commits == Commits::BeforeProcessing {
                consumer.commit_offsets(commit.clone()).await?;
            } else {
                *processed.entry(offset.0).or_insert(0) += 1;
            }
            if dies(Crash::InTheMiddle) {
                return Ok(());
            }
            if commits == Commits::BeforeProcessing {
                *processed.entry(offset.0).or_insert(0) += 1;
            } else {
                consumer.commit_offsets(commit).await?;
            }
            if dies(Crash::AtTheEnd) {
                return Ok(());
            }
        }
    }
    Ok(())
}
