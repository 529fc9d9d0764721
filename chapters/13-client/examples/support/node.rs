//! A broker that knows who leads one partition, and takes every batch for it.

use std::sync::atomic::{AtomicI32, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use anyhow::{Context as _, Result};
use networking::{Chunk, FrameReader, write_chunks};
use tokio::net::{TcpListener, TcpStream};
use wire_protocol::message::{
    ApiVersion, ApiVersionsResponse, MetadataBroker, MetadataPartition, MetadataResponse,
    MetadataTopicResponse, ProducePartitionResponse, ProduceResponse, ProduceTopicResponse,
};
use wire_protocol::{ApiKey, ErrorCode, RequestHeader, encode_response};

const LIMIT: Duration = Duration::from_secs(30);

/// What the nodes of a cluster share.
#[derive(Debug)]
pub(crate) struct Cluster {
    pub(crate) leader: AtomicI32,
    /// How often the leader has changed.
    pub(crate) epoch: AtomicI32,
    nodes: Mutex<Vec<MetadataBroker>>,
    /// How many requests came for each kind of API.
    pub(crate) versions: AtomicU64,
    pub(crate) metadata: AtomicU64,
    pub(crate) produce: AtomicU64,
}

impl Cluster {
    /// A cluster of so many nodes, numbered from 1; node 1 leads partition 0 of `t`.
    /// Returns the addresses, too.
    pub(crate) async fn start(nodes: i32) -> Result<(Arc<Cluster>, String)> {
        let cluster = Arc::new(Cluster {
            leader: AtomicI32::new(1),
            epoch: AtomicI32::new(0),
            nodes: Mutex::default(),
            versions: AtomicU64::new(0),
            metadata: AtomicU64::new(0),
            produce: AtomicU64::new(0),
        });
        let mut addresses = Vec::new();
        for node_id in 1..=nodes {
            let listener = TcpListener::bind("127.0.0.1:0").await?;
            let address = listener.local_addr()?;
            addresses.push(address.to_string());
            let node = MetadataBroker {
                node_id,
                host: "127.0.0.1".to_owned(),
                port: i32::from(address.port()),
                rack: None,
            };
            cluster.nodes().push(node);
            tokio::spawn(accept(listener, node_id, Arc::clone(&cluster)));
        }
        Ok((cluster, addresses.join(",")))
    }

    fn nodes(&self) -> std::sync::MutexGuard<'_, Vec<MetadataBroker>> {
        self.nodes.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn answer(&self, api: ApiKey, header: &RequestHeader, node_id: i32) -> Vec<Chunk> {
        let (version, id) = (header.api_version, header.correlation_id);
        match api {
            ApiKey::ApiVersions => {
                self.versions.fetch_add(1, Ordering::Relaxed);
                encode_response(api, version, id, &versions())
            }
            ApiKey::Metadata => {
                self.metadata.fetch_add(1, Ordering::Relaxed);
                encode_response(api, version, id, &self.describe())
            }
            _ => {
                self.produce.fetch_add(1, Ordering::Relaxed);
                let leads = self.leader.load(Ordering::Relaxed) == node_id;
                encode_response(ApiKey::Produce, version, id, &produced(leads))
            }
        }
    }

    fn describe(&self) -> MetadataResponse {
        let leader_id = self.leader.load(Ordering::Relaxed);
        let partition = MetadataPartition {
            leader_id,
            leader_epoch: self.epoch.load(Ordering::Relaxed),
            ..MetadataPartition::default()
        };
        MetadataResponse {
            brokers: self.nodes().clone(),
            controller_id: 1,
            topics: vec![MetadataTopicResponse {
                name: "t".to_owned(),
                partitions: vec![partition],
                ..MetadataTopicResponse::default()
            }],
            ..MetadataResponse::default()
        }
    }
}

async fn accept(listener: TcpListener, node_id: i32, cluster: Arc<Cluster>) {
    while let Ok((stream, _)) = listener.accept().await {
        let cluster = Arc::clone(&cluster);
        tokio::spawn(async move { serve(stream, node_id, &cluster).await });
    }
}

async fn serve(stream: TcpStream, node_id: i32, cluster: &Cluster) -> Result<()> {
    stream.set_nodelay(true)?;
    let (reader, mut writer) = stream.into_split();
    let mut requests = FrameReader::new(reader, 1 << 20);
    while let Some(frame) = requests.next(LIMIT).await? {
        let (header, _) = RequestHeader::decode(&frame)?;
        let api = ApiKey::from_wire(header.api_key).context("an API that is known")?;
        let chunks = cluster.answer(api, &header, node_id);
        let cold = |_| std::future::ready(Err(std::io::ErrorKind::Unsupported.into()));
        write_chunks(&mut writer, chunks, LIMIT, &cold).await?;
    }
    Ok(())
}

fn versions() -> ApiVersionsResponse {
    let row = |api: &ApiKey| ApiVersion {
        api_key: *api as i16,
        min_version: *api.versions().start(),
        max_version: *api.versions().end(),
    };
    ApiVersionsResponse {
        error_code: ErrorCode::NONE,
        api_keys: ApiKey::ALL.iter().map(row).collect(),
        ..ApiVersionsResponse::default()
    }
}

fn produced(leads: bool) -> ProduceResponse {
    let error_code = match leads {
        true => ErrorCode::NONE,
        false => ErrorCode::NOT_LEADER_OR_FOLLOWER,
    };
    ProduceResponse {
        topics: vec![ProduceTopicResponse {
            name: "t".to_owned(),
            partitions: vec![ProducePartitionResponse {
                error_code,
                ..ProducePartitionResponse::default()
            }],
        }],
        ..ProduceResponse::default()
    }
}
