//! The chapter through its public API, against a broker in this process.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod ends;
mod failures;
mod kafka;
mod laws;
mod order;
mod rebalances;
mod recorder;
mod traces;

#[path = "../../../16-consumer/examples/fake/mod.rs"]
mod fake;

use std::sync::Arc;
use std::time::Duration;

use client::Client;
use consumer::{OffsetReset, Topics};
use message_model::TopicName;
use ordering::Settings;
use ordering::part::Limits;
use producer::{Producer, Record};

use fake::Fake;

/// Longer than anything takes that is to happen.
pub(crate) const PATIENCE: Duration = Duration::from_secs(20);

pub(crate) fn topic() -> TopicName {
    TopicName::new("orders").unwrap()
}

pub(crate) fn topics() -> Topics {
    Topics::Named([topic()].into())
}

pub(crate) fn settings(workers: usize, window_max: usize) -> Settings {
    Settings {
        consumer: consumer::Settings {
            group: Some("billing".to_owned()),
            reset: OffsetReset::Earliest,
            heartbeat_interval: Duration::from_millis(20),
            fetch_max_wait: Duration::from_millis(50),
            // The consumer returns no more if it does not hear what is done.
            partition_fetch_max_bytes: 1,
            span_max: 60,
            ..consumer::Settings::default()
        },
        limits: Limits {
            workers,
            window_max,
            tries_max: 2,
            backoff: Duration::from_millis(1),
        },
        commit_interval: Duration::from_millis(20),
        drain_patience: PATIENCE,
    }
}

pub(crate) async fn client(fake: &Fake) -> Arc<Client> {
    let client = Client::connect(&fake.address(), client::Settings::default()).await;
    Arc::new(client.unwrap())
}

/// Sends `count` records for each key, in turn; the values are `KEY NUMBER`, from `from` on.
pub(crate) async fn send(fake: &Fake, keys: &[&str], from: usize, count: usize) {
    let producer = Producer::new(client(fake).await, producer::Settings::default());
    for number in from..from + count {
        for key in keys {
            let value = format!("{key} {number}");
            let record = Record::of_key(key.as_bytes(), value.as_bytes());
            drop(producer.send(&topic(), record).await);
        }
    }
    producer.flush().await;
}
