//! Metadata (3): version 4.

use std::sync::Arc;

use async_model::Clock;
use message_model::BrokerId;
use wire_protocol::message::{MetadataRequest, MetadataResponse};

use crate::topics::Topics;

/// What clients are told about this broker.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BrokerInfo {
    /// `node.id`; it is also the controller.
    pub id: BrokerId,
    /// The cluster's id: made once, kept in the data directory.
    pub cluster_id: String,
    /// Where clients reach it: a host that they can resolve.
    pub host: String,
    /// Where clients reach it.
    pub port: u16,
}

/// Whether asking for a topic creates it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AutoCreate {
    /// `auto.create.topics.enable=false`.
    Off,
    /// With this many partitions: `num.partitions`.
    Partitions(u32),
}

/// Brokers, topics, partitions and their leaders.
pub async fn metadata(
    topics: &Arc<Topics>,
    broker: &BrokerInfo,
    auto_create: AutoCreate,
    clock: Clock,
    request: MetadataRequest,
) -> MetadataResponse {
    let _ = (topics, broker, auto_create, clock, request);
    todo!()
}
