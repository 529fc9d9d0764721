//! The consumer through its public API, against a broker in this process.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod bytes_of_members;
mod groups;
mod patterns;
mod reading;
mod shared_client;
mod traces;

#[path = "../../examples/fake/mod.rs"]
mod fake;

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use client::Client;
use consumer::{Consumer, OffsetReset, Settings, Topics};
use message_model::{PartitionIndex, TopicName, TopicPartition};

/// Longer than anything takes that is to happen.
pub(crate) const PATIENCE: Duration = Duration::from_secs(20);

pub(crate) fn topic(name: &str) -> TopicName {
    TopicName::new(name).unwrap()
}

pub(crate) fn partition(name: &str, index: i32) -> TopicPartition {
    TopicPartition {
        topic: topic(name),
        partition: PartitionIndex(index),
    }
}

pub(crate) fn named(names: &[&str]) -> Topics {
    Topics::Named(names.iter().map(|name| topic(name)).collect())
}

pub(crate) fn settings(group: &str) -> Settings {
    Settings {
        group: Some(group.to_owned()),
        reset: OffsetReset::Earliest,
        heartbeat_interval: Duration::from_millis(50),
        fetch_max_wait: Duration::from_millis(100),
        ..Settings::default()
    }
}

pub(crate) async fn consumer(fake: &fake::Fake, settings: Settings) -> Consumer {
    let client = Client::connect(&fake.address(), client::Settings::default()).await;
    Consumer::new(Arc::new(client.unwrap()), settings)
}

/// Polls until `count` records are there; their values, in order.
pub(crate) async fn read(consumer: &mut Consumer, count: usize) -> Vec<String> {
    let mut values = Vec::new();
    let read = async {
        while values.len() < count {
            if let Some(polled) = consumer.poll(PATIENCE).await.unwrap() {
                for record in polled.records {
                    let value = record.unwrap().value.unwrap();
                    values.push(String::from_utf8(value.to_vec()).unwrap());
                }
            }
        }
    };
    tokio::time::timeout(PATIENCE, read).await.unwrap();
    values
}

/// Polls both until each owns what `is_wanted` says.
pub(crate) async fn settle(
    consumers: &mut [&mut Consumer],
    is_wanted: impl Fn(&[BTreeSet<TopicPartition>]) -> bool,
) {
    let settle = async {
        loop {
            let owned: Vec<_> = consumers
                .iter()
                .map(|consumer| consumer.assignment())
                .collect();
            if is_wanted(&owned) {
                return;
            }
            for consumer in consumers.iter_mut() {
                consumer.poll(Duration::from_millis(10)).await.unwrap();
            }
        }
    };
    tokio::time::timeout(PATIENCE, settle).await.unwrap();
}

pub(crate) fn values(from: usize, to: usize) -> Vec<String> {
    (from..to).map(|n| format!("value {n}")).collect()
}
