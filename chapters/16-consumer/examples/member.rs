//! A member of a group that says what it gets and loses, and counts what it reads.
//!
//! `cargo run -p consumer --example member -- BOOTSTRAP GROUP TOPICS SECONDS [ASSIGNORS] [INSTANCE]`
//!
//! TOPICS is a list with commas, or a pattern that begins with `^`.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, Result, bail};
use client::Client;
use consumer::{Assignor, Consumer, OffsetReset, Pattern, RebalanceListener, Settings, Topics};
use message_model::{TopicName, TopicPartition};

struct Says;

impl RebalanceListener for Says {
    fn assigned(&mut self, partitions: &BTreeSet<TopicPartition>) {
        println!("assigned {}", list(partitions));
    }

    fn revoked(&mut self, partitions: &BTreeSet<TopicPartition>) {
        println!("revoked {}", list(partitions));
    }

    fn lost(&mut self, partitions: &BTreeSet<TopicPartition>) {
        println!("lost {}", list(partitions));
    }
}

fn list(partitions: &BTreeSet<TopicPartition>) -> String {
    let names: Vec<String> = partitions.iter().map(ToString::to_string).collect();
    format!("[{}]", names.join(","))
}

fn assignor(name: &str) -> Result<Assignor> {
    let all = [
        Assignor::Range,
        Assignor::RoundRobin,
        Assignor::Sticky,
        Assignor::CooperativeSticky,
    ];
    let found = all.into_iter().find(|assignor| assignor.name() == name);
    found.context("no such assignor")
}

#[tokio::main(flavor = "multi_thread", worker_threads = 2)]
async fn main() -> Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [bootstrap, group, topics, seconds, rest @ ..] = arguments.as_slice() else {
        bail!("BOOTSTRAP GROUP TOPICS SECONDS [ASSIGNORS] [INSTANCE]");
    };
    let mut settings = Settings {
        group: Some(group.clone()),
        reset: OffsetReset::Earliest,
        auto_commit: Some(Duration::from_secs(1)),
        instance: rest.get(1).cloned(),
        ..Settings::default()
    };
    if let Some(names) = rest.first() {
        settings.assignors = names.split(',').map(assignor).collect::<Result<_>>()?;
    }
    let client = Client::connect(bootstrap, client::Settings::default()).await?;
    let clock = client.clock();
    let mut consumer = Consumer::new(Arc::new(client), settings);
    consumer.listen(Says);
    let topics = if topics.starts_with('^') {
        Topics::Matching(Pattern::new(topics)?)
    } else {
        let names: Result<_, _> = topics.split(',').map(TopicName::new).collect();
        Topics::Named(names?)
    };
    consumer.subscribe(topics).await?;
    let end = clock.now().plus(Duration::from_secs(seconds.parse()?));
    let (mut records, mut bytes) = (0_u64, 0);
    while clock.now() < end {
        let Some(polled) = consumer.poll(Duration::from_millis(200)).await? else {
            continue;
        };
        for record in polled.records {
            let record = record?;
            records += 1;
            bytes += record.value.as_ref().map_or(0, bytes::Bytes::len);
        }
    }
    println!(
        "read {records} records, {bytes} bytes; lag {:?}",
        consumer.lag()
    );
    consumer.close(Duration::from_secs(10)).await?;
    Ok(())
}
