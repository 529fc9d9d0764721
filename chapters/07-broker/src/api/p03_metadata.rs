//! Metadata (3): version 4.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use message_model::{BrokerId, TopicName};
use wire_protocol::ErrorCode;
use wire_protocol::message::{
    MetadataBroker, MetadataPartition, MetadataRequest, MetadataResponse, MetadataTopicResponse,
};

use crate::error::{Error, error_code};
use crate::serving::on_blocking_pool;
use crate::topics::{Topic, Topics};

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
    request: MetadataRequest,
) -> MetadataResponse {
    let auto_create = match auto_create {
        AutoCreate::Partitions(partitions) if request.allow_auto_topic_creation => Some(partitions),
        AutoCreate::Partitions(_) | AutoCreate::Off => None,
    };
    let mut described = Vec::new();
    match request.topics {
        None => {
            for topic in topics.all() {
                described.push(describe(topic.name.as_str(), Ok(&topic), broker.id));
            }
        }
        Some(asked) => {
            // A name that is asked for a thousand times is answered once: else a
            // small request could make us build a huge response.
            let mut seen = BTreeSet::new();
            for topic in asked {
                if seen.insert(topic.name.clone()) {
                    let found = find_or_create(topics, &topic.name, auto_create).await;
                    described.push(describe(&topic.name, found.as_ref(), broker.id));
                }
            }
        }
    }
    MetadataResponse {
        brokers: vec![MetadataBroker {
            node_id: broker.id.0,
            host: broker.host.clone(),
            port: i32::from(broker.port),
            rack: None,
        }],
        cluster_id: Some(broker.cluster_id.clone()),
        controller_id: broker.id.0,
        topics: described,
        ..MetadataResponse::default()
    }
}

async fn find_or_create(
    topics: &Arc<Topics>,
    name: &str,
    auto_create: Option<u32>,
) -> Result<Arc<Topic>, Error> {
    let name = TopicName::new(name)?;
    match (topics.get(&name), auto_create) {
        (Some(topic), _) => Ok(topic),
        (None, None) => Err(Error::Unknown),
        (None, Some(partitions)) => {
            let topics = Arc::clone(topics);
            on_blocking_pool(move || {
                match topics.create(&name, partitions, BTreeMap::new()) {
                    // Two clients asked at the same time.
                    Err(Error::Exists) => topics.get(&name).ok_or(Error::Exists),
                    created => created,
                }
            })
            .await
        }
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
    };
    MetadataTopicResponse {
        error_code: topic.err().map_or(ErrorCode::NONE, error_code),
        name: name.to_owned(),
        is_internal: false,
        partitions: partitions
            .iter()
            .map(|partition| describe(partition.name().partition.0))
            .collect(),
    }
}
