//! What all clients of a run share.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use anyhow::{Context as _, Result};
use client::Client;
use message_model::{PartitionIndex, TopicName, TopicPartition};

use super::recorder::Recorder;
use crate::promise::Promise;

/// The most that a call may take while things happen.
pub(super) const PATIENCE: Duration = Duration::from_millis(800);
/// How long a client waits before it tries again.
pub(super) const BACKOFF: Duration = Duration::from_millis(20);

/// What all clients of a run share.
#[derive(Debug, Clone)]
pub(super) struct Setup {
    pub(super) recorder: Recorder,
    /// Where clients connect to.
    pub(super) address: String,
    pub(super) topic: TopicName,
    pub(super) partitions: u32,
    /// What the clients rely on.
    pub(super) promise: Promise,
    stopped: Arc<AtomicBool>,
}

impl Setup {
    pub(super) fn new(address: String, partitions: u32, promise: Promise) -> Result<Setup> {
        Ok(Setup {
            recorder: Recorder::start(),
            address,
            topic: TopicName::new("orders")?,
            partitions,
            promise,
            stopped: Arc::default(),
        })
    }

    /// Returns every partition.
    pub(super) fn all(&self) -> BTreeSet<TopicPartition> {
        let of = |index: u32| TopicPartition {
            topic: self.topic.clone(),
            partition: PartitionIndex(index.cast_signed()),
        };
        (0..self.partitions).map(of).collect()
    }

    /// Ends the clients: each finishes what it is doing.
    pub(super) fn stop(&self) {
        self.stopped.store(true, Ordering::Relaxed);
    }

    pub(super) fn is_stopped(&self) -> bool {
        self.stopped.load(Ordering::Relaxed)
    }

    /// Connects, as soon as the broker can be reached; `None` if the run has ended before.
    pub(super) async fn connect(&self) -> Option<Arc<Client>> {
        while !self.is_stopped() {
            if let Ok(client) = self.connect_once().await {
                return Some(client);
            }
            tokio::time::sleep(BACKOFF).await;
        }
        None
    }

    /// Connects, or fails.
    pub(super) async fn connect_once(&self) -> Result<Arc<Client>> {
        let settings = client::Settings {
            patience: PATIENCE,
            connect_patience: PATIENCE,
            backoff_first: BACKOFF,
            backoff_max: BACKOFF * 4,
            ..client::Settings::default()
        };
        let client = Client::connect(&self.address, settings).await;
        Ok(Arc::new(client.context("the broker cannot be reached")?))
    }
}
