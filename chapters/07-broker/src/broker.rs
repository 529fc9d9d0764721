//! The pieces that the handlers take.

use std::sync::Arc;

use tokio::sync::Semaphore;

use crate::api::{BrokerInfo, FetchLimits, Setting};
use crate::internal_topics::InternalTopics;
use crate::producer_ids::ProducerIds;
use crate::services::Services;
use crate::topics::Topics;

/// A broker: its topics and what the handlers need beside them.
#[derive(Debug)]
pub struct Broker {
    /// What later chapters replace.
    pub services: Arc<Services>,
    /// All topics.
    pub topics: Arc<Topics>,
    /// Hands out producer ids.
    pub producer_ids: Arc<ProducerIds>,
    /// What clients hear about this broker.
    pub info: BrokerInfo,
    /// `auto.create.topics.enable`: whether a topic is created when a client wants to know about it.
    pub auto_create: bool,
    /// `num.partitions`: what a topic gets if its creator does not say.
    pub partitions_default: u32,
    /// How the topics are made that only the broker writes to.
    pub internal_topics: InternalTopics,
    /// What a fetch may cost.
    pub fetch_limits: FetchLimits,
    /// At how many partitions all fetches together may wait.
    pub waiting_places: Arc<Semaphore>,
    /// The settings as clients see them.
    pub settings: Vec<Setting>,
}
