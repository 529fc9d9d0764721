//! `mqd` with much of everything: partitions, connections, members.
//!
//! Each scenario starts a broker, does its work, and returns what it saw: counts, which decide,
//! and durations, which are only told.
//!
//! Start reading at [`partitions()`].

mod connections;
mod groups;
mod member;
mod partitions;

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Result;
use client::Client;
use message_model::{PartitionIndex, TopicName, TopicPartition};
use mqd_guard::Mqd;

pub use connections::{Connections, connections};
pub use groups::{Crowd, Rebalances, crowd, produce_for, rebalances};
pub use partitions::{Partitions, partitions};

/// How large a scenario is.
#[derive(Debug, Clone)]
pub struct Size {
    /// The broker's binary.
    pub mqd: PathBuf,
    /// Of whatever the scenario has many of.
    pub count: u32,
    /// How long its steady part lasts.
    pub lasts: Duration,
}

/// How long any one call may take.
const PATIENCE: Duration = Duration::from_secs(120);

/// A client of its own connections.
async fn connect(broker: &Mqd) -> Result<Arc<Client>> {
    let settings = client::Settings {
        patience: PATIENCE,
        ..client::Settings::default()
    };
    let address = broker.address().to_string();
    Ok(Arc::new(Client::connect(&address, settings).await?))
}

fn partition(topic: &str, index: u32) -> Result<TopicPartition> {
    Ok(TopicPartition {
        topic: TopicName::new(topic)?,
        partition: PartitionIndex(index.cast_signed()),
    })
}
