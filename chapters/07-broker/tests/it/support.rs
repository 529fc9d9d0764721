//! A broker without a socket, on a simulated disk.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use async_model::Clock;
use broker::api::{self, Acknowledgement, FetchLimits};
use broker::{AdmitAll, Opened, Partition, Topics, TopicsConfig, Waits, sync_on_blocking_pool};
use log_storage::{LogConfig, RetentionLimits};
use message_model::{PartitionIndex, Timestamp, TopicName};
use networking::{Chunk, FileRange};
use record_batch::{BatchBuilder, RecordToSend};
use sim_disk::SimDisk;
use wire_protocol::Records;
use wire_protocol::message::{
    FetchPartition, FetchPartitionResponse, FetchRequest, FetchResponse, FetchTopic,
    ProducePartition, ProducePartitionResponse, ProduceRequest, ProduceResponse, ProduceTopic,
};

pub(crate) const DATA_DIR: &str = "/data";

pub(crate) const LIMITS: FetchLimits = FetchLimits {
    response_bytes_max: 1_000_000,
    wait_max: Duration::from_secs(60),
};

pub(crate) struct Broker {
    pub(crate) disk: SimDisk,
    pub(crate) topics: Arc<Topics>,
    pub(crate) waits: Arc<Waits>,
    pub(crate) clock: Clock,
}

/// Segments of 10,000 bytes; nothing expires.
pub(crate) fn config() -> TopicsConfig {
    TopicsConfig {
        log: LogConfig {
            segment_bytes: 10_000,
            segment_age: Duration::from_secs(3600),
            index_interval_bytes: 200,
            batch_size_max: 5_000,
            retention: RetentionLimits {
                age: None,
                bytes: None,
            },
        },
        partitions_max: 100,
        producers: || Box::new(AdmitAll),
    }
}

pub(crate) fn open(disk: &SimDisk) -> Opened {
    Topics::open(Arc::new(disk.clone()), Path::new(DATA_DIR), config()).unwrap()
}

pub(crate) fn name(topic: &str) -> TopicName {
    TopicName::new(topic).unwrap()
}

impl Broker {
    /// An empty one. Waits expire only inside of a tokio runtime.
    pub(crate) fn start() -> Broker {
        Broker::start_with(SimDisk::new(7), config())
    }

    pub(crate) fn start_with(disk: SimDisk, config: TopicsConfig) -> Broker {
        let clock = Clock::start();
        let waits = Arc::new(Waits::new(clock));
        let expiring = Arc::clone(&waits);
        tokio::spawn(async move { expiring.expire().await });
        let opened = Topics::open(Arc::new(disk.clone()), Path::new(DATA_DIR), config);
        Broker {
            topics: Arc::new(opened.unwrap().topics),
            disk,
            waits,
            clock,
        }
    }

    /// One with a topic of one partition, named `t`.
    pub(crate) fn with_topic() -> Broker {
        let broker = Broker::start();
        broker.create("t", 1);
        broker
    }

    pub(crate) fn create(&self, topic: &str, partitions: u32) {
        let created = self
            .topics
            .create(&name(topic), partitions, BTreeMap::new());
        created.unwrap();
    }

    pub(crate) fn partition(&self, topic: &str, index: i32) -> Arc<Partition> {
        let partition = self.topics.partition(&name(topic), PartitionIndex(index));
        partition.unwrap()
    }

    pub(crate) async fn acknowledge(&self, request: ProduceRequest) -> Acknowledgement {
        let (topics, waits) = (&self.topics, &self.waits);
        api::produce(topics, waits, self.clock, sync_on_blocking_pool, request).await
    }

    /// Produces to partition 0 of `topic` and returns the answer for it.
    pub(crate) async fn produce(
        &self,
        acks: i16,
        topic: &str,
        batch: Vec<u8>,
    ) -> ProducePartitionResponse {
        let acknowledgement = self.acknowledge(produce_request(acks, topic, batch)).await;
        only_partition(response(acknowledgement))
    }

    pub(crate) async fn fetch(&self, request: FetchRequest) -> FetchResponse {
        api::fetch(&self.topics, &self.waits, self.clock, LIMITS, request).await
    }

    /// Fetches from partition 0 of `topic` without waiting.
    pub(crate) async fn fetch_now(&self, topic: &str, from: i64) -> FetchPartitionResponse {
        let mut response = self.fetch(fetch_request(&[(topic, 0, from)], 0, 0)).await;
        response.responses.remove(0).partitions.remove(0)
    }
}

pub(crate) fn response(acknowledgement: Acknowledgement) -> ProduceResponse {
    match acknowledgement {
        Acknowledgement::Response(response) => response,
        other => panic!("a response was expected, not {other:?}"),
    }
}

pub(crate) fn only_partition(mut response: ProduceResponse) -> ProducePartitionResponse {
    response.topics.remove(0).partitions.remove(0)
}

/// A batch of records with these values, as a producer sends it. Its timestamps are 1,000, 1,001 …
pub(crate) fn batch(values: &[&str]) -> Vec<u8> {
    let mut builder = BatchBuilder::new();
    for (timestamp, value) in (1_000..).zip(values) {
        builder.push(&RecordToSend {
            timestamp: Timestamp(timestamp),
            key: None,
            value: Some(value.as_bytes()),
            headers: vec![],
        });
    }
    builder.build()
}

/// For partition 0 of `topic`.
pub(crate) fn produce_request(acks: i16, topic: &str, batch: Vec<u8>) -> ProduceRequest {
    ProduceRequest {
        acks,
        timeout_ms: 30_000,
        topics: vec![ProduceTopic {
            name: topic.to_owned(),
            partitions: vec![ProducePartition {
                index: 0,
                records: Records::from_bytes(batch),
            }],
        }],
        ..ProduceRequest::default()
    }
}

/// Of some partitions: topic, index, offset; at most 100,000 bytes of each.
pub(crate) fn fetch_request(
    partitions: &[(&str, i32, i64)],
    max_wait_ms: i32,
    min_bytes: i32,
) -> FetchRequest {
    let topic = |(topic, partition, fetch_offset): &(&str, i32, i64)| FetchTopic {
        topic: (*topic).to_owned(),
        partitions: vec![FetchPartition {
            partition: *partition,
            fetch_offset: *fetch_offset,
            partition_max_bytes: 100_000,
            ..FetchPartition::default()
        }],
    };
    FetchRequest {
        max_wait_ms,
        min_bytes,
        topics: partitions.iter().map(topic).collect(),
        ..FetchRequest::default()
    }
}

/// The bytes that a fetch response would put on the wire.
pub(crate) fn bytes(records: &Records) -> Vec<u8> {
    let mut all = Vec::new();
    for chunk in &records.chunks {
        match chunk {
            Chunk::Bytes(bytes) => all.extend_from_slice(bytes),
            Chunk::File(range) => all.extend_from_slice(&read(range)),
        }
    }
    all
}

fn read(range: &FileRange) -> Vec<u8> {
    let mut bytes = vec![0; range.length as usize];
    let mut filled = 0;
    while filled < bytes.len() {
        let position = range.position + filled as u64;
        let count = range.file.read_at(&mut bytes[filled..], position).unwrap();
        assert!(count > 0, "the range lies in the file");
        filled += count;
    }
    bytes
}
