//! The producer against a broker that answers as a test says.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod broker;
mod deliveries;
mod limits;
mod sequences;
mod traces;
mod transactions;

use std::sync::Arc;
use std::time::Duration;

use client::Client;
use message_model::TopicName;
use producer::{Producer, Settings};

/// No test takes as long.
pub(crate) const LIMIT: Duration = Duration::from_secs(30);

pub(crate) fn topic() -> TopicName {
    TopicName::new("t").unwrap()
}

/// Sent without linger, and again after a millisecond.
pub(crate) fn settings() -> Settings {
    Settings {
        linger: Duration::ZERO,
        backoff: Duration::from_millis(1),
        ..Settings::default()
    }
}

pub(crate) async fn connect(broker: &broker::Broker) -> Arc<Client> {
    let settings = client::Settings::default();
    Arc::new(Client::connect(&broker.address(), settings).await.unwrap())
}

pub(crate) async fn producer(broker: &broker::Broker, settings: Settings) -> Producer {
    Producer::new(connect(broker).await, settings)
}
