//! Metadata (3): versions 0 to 9.

use std::collections::BTreeSet;
use std::sync::Arc;

use message_model::{BrokerId, LeaderEpoch, TopicName};
use networking::Peer;
use wire_protocol::ErrorCode;
use wire_protocol::message::{
    MetadataBroker, MetadataPartition, MetadataRequest, MetadataResponse, MetadataTopicResponse,
};

use super::authorized_operations::{of_cluster, of_topic};
use crate::broker::Broker;
use crate::error::{Error, error_code};
use crate::internal_topics::is_internal;
use crate::topics::Topic;

/// What clients hear about this broker.
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

/// The most topics that one request creates; the client asks again for the rest.
const CREATIONS_MAX: usize = 100;

/// How much memory a topic takes in the answer beside its name, and while that is made, in bytes.
const TOPIC: usize = 192;
/// How much memory a partition takes so.
const PARTITION: usize = 256;

/// How much memory the answer takes for the topics that there are, in bytes.
#[must_use]
pub fn metadata_size(broker: &Broker, request: &MetadataRequest) -> usize {
    let of = |topic: &Arc<Topic>| {
        2 * topic.name.as_str().len() + TOPIC + PARTITION * topic.partitions.len()
    };
    let all = || broker.topics.all().iter().map(of).sum();
    let Some(wanted) = &request.topics.0 else {
        return all();
    };
    let named = wanted
        .iter()
        .filter_map(|one| TopicName::new(&one.name).ok());
    let named = named.filter_map(|name| broker.topics.get(&name));
    let named = named.map(|topic| of(&topic)).sum();
    // One that is named again and again is answered once.
    match wanted.len() {
        0 | 1 => named,
        _ => all().min(named),
    }
}

/// Brokers, topics, partitions and their leaders. Creates no topic for a client that is gone.
pub async fn metadata(broker: &Broker, peer: &Peer, request: MetadataRequest) -> MetadataResponse {
    let info = &broker.info;
    let operations = of_topic(request.include_topic_authorized_operations);
    let creates = broker.auto_create && request.allow_auto_topic_creation;
    let mut creations_left = if creates { CREATIONS_MAX } else { 0 };
    let mut described = Vec::new();
    match request.topics.0 {
        None => {
            for topic in broker.topics.all() {
                described.push(MetadataTopicResponse {
                    topic_authorized_operations: operations,
                    ..describe(topic.name.as_str(), Ok(&topic), info.id)
                });
            }
        }
        Some(wanted) => {
            // A name that is sent a thousand times is answered once: else a
            // small request could make us build a huge response.
            let names: BTreeSet<String> = wanted.into_iter().map(|topic| topic.name).collect();
            described.reserve_exact(names.len());
            for name in names {
                tokio::task::consume_budget().await;
                if peer.is_gone() {
                    creations_left = 0;
                }
                let found = find_or_create(broker, &name, &mut creations_left).await;
                described.push(MetadataTopicResponse {
                    topic_authorized_operations: operations,
                    ..describe(&name, found.as_ref(), info.id)
                });
            }
        }
    }
    MetadataResponse {
        brokers: vec![MetadataBroker {
            node_id: info.id.0,
            host: info.host.clone(),
            port: i32::from(info.port),
            rack: None,
        }],
        cluster_id: Some(info.cluster_id.clone()),
        controller_id: info.id.0,
        topics: described,
        cluster_authorized_operations: of_cluster(request.include_cluster_authorized_operations),
        ..MetadataResponse::default()
    }
}

async fn find_or_create(
    broker: &Broker,
    name: &str,
    creations_left: &mut usize,
) -> Result<Arc<Topic>, Error> {
    let name = TopicName::new(name)?;
    if let Some(topic) = broker.topics.get(&name) {
        return Ok(topic);
    }
    if *creations_left == 0 {
        return Err(Error::Unknown);
    }
    *creations_left -= 1;
    if is_internal(name.as_str()) {
        return create_internal(broker, &name).await;
    }
    let (topics, partitions) = (&broker.topics, broker.partitions_default);
    match topics.create(&name, partitions, topics.new_config()).await {
        // Two clients wanted it at the same time; the one that came second asks again.
        Err(Error::Exists) => match topics.get(&name) {
            Some(topic) => Ok(topic),
            None => Err(Error::Rejected(ErrorCode::LEADER_NOT_AVAILABLE)),
        },
        created => created,
    }
}

/// An internal topic has settings of its own, also if a client asks for it first.
async fn create_internal(broker: &Broker, name: &TopicName) -> Result<Arc<Topic>, Error> {
    let topic = broker.create_offsets_topic().await?;
    match topic.name == *name {
        true => Ok(topic),
        false => Err(Error::Unknown),
    }
}

fn describe(
    name: &str,
    topic: Result<&Arc<Topic>, &Error>,
    broker: BrokerId,
) -> MetadataTopicResponse {
    let partitions = topic.map_or(Default::default(), |topic| topic.partitions.as_slice());
    let describe = |partition_index: i32| MetadataPartition {
        error_code: ErrorCode::NONE,
        partition_index,
        leader_id: broker.0,
        replica_nodes: vec![broker.0],
        isr_nodes: vec![broker.0],
        leader_epoch: LeaderEpoch::FIRST.0,
        ..MetadataPartition::default()
    };
    MetadataTopicResponse {
        error_code: topic.err().map_or(ErrorCode::NONE, error_code),
        name: name.to_owned(),
        is_internal: is_internal(name),
        partitions: partitions
            .iter()
            .map(|partition| describe(partition.name().partition.0))
            .collect(),
        ..MetadataTopicResponse::default()
    }
}
