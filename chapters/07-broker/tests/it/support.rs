//! A broker without a socket, on a simulated disk.

use std::collections::BTreeMap;
use std::ops::Deref;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use async_model::Clock;
use broker::api::{self, Acknowledgement, BrokerInfo, FetchLimits, Setting, SettingSource};
use broker::{
    Appended, Error, InternalTopics, LaneWidths, Opened, Partition, ProducerIds, ProducerRules,
    Services, Topic, TopicSettings, Topics, TopicsConfig, validate_produced,
};
use log_storage::{LogConfig, RetentionLimits, SegmentCache};
use message_model::{BrokerId, PartitionIndex, Timestamp, TopicName};
use networking::{Chunk, FileRange};
use record_batch::{BatchBuilder, RecordToSend, layout};
use sim_disk::SimDisk;
use tokio::sync::Semaphore;
use tokio::task::JoinHandle;
use wire_protocol::Records;
use wire_protocol::message::{
    FetchPartition, FetchPartitionResponse, FetchRequest, FetchResponse, FetchTopic,
    ProducePartition, ProducePartitionResponse, ProduceRequest, ProduceResponse, ProduceTopic,
};

use crate::openings::OPENING;

use crate::compaction::COMPACTOR;
use crate::rules::Rules;

pub(crate) const DATA_DIR: &str = "/data";

/// The present of the batches that [`batch`] makes.
pub(crate) const NOW: Timestamp = Timestamp(2_000);

pub(crate) const LIMITS: FetchLimits = FetchLimits {
    response_bytes_max: 1_000_000,
    wait_max: Duration::from_secs(60),
};

/// Narrow on purpose: two of a kind at a time, so that one that is held up
/// leaves room for one other.
const WIDTHS: LaneWidths = LaneWidths {
    syncs: 2,
    reads: 2,
    rolls: 2,
    administration: 2,
    openings: 2,
};

/// A broker, the disk below it, and the task that ends its waits.
pub(crate) struct Broker {
    pub(crate) disk: SimDisk,
    broker: broker::Broker,
    expiring: JoinHandle<()>,
}

impl Deref for Broker {
    type Target = broker::Broker;

    fn deref(&self) -> &broker::Broker {
        &self.broker
    }
}

impl Drop for Broker {
    fn drop(&mut self) {
        self.expiring.abort();
    }
}

/// Segments of 10,000 bytes; nothing expires.
pub(crate) fn config() -> TopicsConfig {
    TopicsConfig {
        settings: TopicSettings {
            log: LogConfig {
                segment_bytes: 10_000,
                segment_age: Duration::from_secs(3600),
                index_interval_bytes: 200,
                batch_size_max: 5_000,
                retention: RetentionLimits {
                    age: None,
                    bytes: None,
                },
                ..LogConfig::default()
            },
            timestamp_after_max: Duration::from_secs(3600),
        },
        partitions_max: 100,
        partitions_total_max: 250,
        open_threads: 1,
    }
}

pub(crate) fn services(disk: &SimDisk) -> Arc<Services> {
    services_with(disk, 100)
}

/// The same with rules for producers.
pub(crate) fn services_with_rules(disk: &SimDisk, rules: &Arc<Rules>) -> Arc<Services> {
    let services = services(disk);
    let mut services = Arc::try_unwrap(services).expect("nobody else has them");
    services.producers = Some(Arc::clone(rules) as Arc<dyn ProducerRules>);
    Arc::new(services)
}

/// So many closed segments may be open until they are on disk.
pub(crate) fn services_with(disk: &SimDisk, unsynced_max: usize) -> Arc<Services> {
    let disk = Arc::new(disk.clone());
    let segments = SegmentCache::new(4, unsynced_max);
    let mut services = Services::new(disk, Clock::start(), WIDTHS, segments, Some(OPENING));
    services.compactor = Some(COMPACTOR);
    Arc::new(services)
}

/// What a new start finds on `disk`.
pub(crate) fn open(disk: &SimDisk) -> Opened {
    Topics::open(services(disk), Path::new(DATA_DIR), config()).unwrap()
}

/// The topics that a new start finds on `disk`.
pub(crate) fn open_topics(disk: &SimDisk) -> Arc<Topics> {
    Arc::new(open(disk).topics)
}

pub(crate) fn name(topic: &str) -> TopicName {
    TopicName::new(topic).unwrap()
}

pub(crate) fn overrides(settings: &[(&str, &str)]) -> BTreeMap<String, String> {
    let owned = |(name, value): &(&str, &str)| ((*name).to_owned(), (*value).to_owned());
    settings.iter().map(owned).collect()
}

impl Broker {
    /// An empty one.
    pub(crate) fn start() -> Broker {
        Broker::start_with(&SimDisk::new(7), config())
    }

    /// One with what is on `disk`.
    pub(crate) fn start_with(disk: &SimDisk, config: TopicsConfig) -> Broker {
        Broker::start_on(disk, services(disk), config)
    }

    /// The same with these services, which are on `disk`.
    pub(crate) fn start_on(
        disk: &SimDisk,
        services: Arc<Services>,
        config: TopicsConfig,
    ) -> Broker {
        let opened = Topics::open(Arc::clone(&services), Path::new(DATA_DIR), config);
        let producer_ids = ProducerIds::open(&services, Path::new(DATA_DIR));
        let expiring = {
            let services = Arc::clone(&services);
            tokio::spawn(async move { services.expire_waits().await })
        };
        Broker {
            disk: disk.clone(),
            broker: broker::Broker {
                services,
                topics: Arc::new(opened.unwrap().topics),
                producer_ids: Arc::new(producer_ids.unwrap()),
                info: BrokerInfo {
                    id: BrokerId(3),
                    cluster_id: "a cluster".to_owned(),
                    host: "127.0.0.1".to_owned(),
                    port: 9092,
                },
                auto_create: true,
                partitions_default: 2,
                internal_topics: InternalTopics::default(),
                fetch_limits: LIMITS,
                waiting_places: Arc::new(Semaphore::new(1_000_000)),
                settings: vec![Setting {
                    name: "log.segment.bytes".to_owned(),
                    value: "10000".to_owned(),
                    source: SettingSource::Broker,
                    default: "1073741824".to_owned(),
                    documentation: "How large a segment gets.",
                }],
            },
            expiring,
        }
    }

    /// One with rules for producers, and with what is on `disk`.
    pub(crate) fn start_with_rules(disk: &SimDisk, rules: &Arc<Rules>) -> Broker {
        Broker::start_on(disk, services_with_rules(disk, rules), config())
    }

    /// One with a topic of one partition, named `t`.
    pub(crate) async fn with_topic() -> Broker {
        let broker = Broker::start();
        broker.create("t", 1).await;
        broker
    }

    /// The same broker with other choices.
    pub(crate) fn but(mut self, change: impl FnOnce(&mut broker::Broker)) -> Broker {
        change(&mut self.broker);
        self
    }

    pub(crate) fn clock(&self) -> Clock {
        self.services.clock
    }

    pub(crate) async fn create(&self, topic: &str, partitions: u32) -> Arc<Topic> {
        self.create_with(topic, partitions, &[]).await
    }

    pub(crate) async fn create_with(
        &self,
        topic: &str,
        partitions: u32,
        settings: &[(&str, &str)],
    ) -> Arc<Topic> {
        let mut config = self.topics.new_config();
        for (name, value) in settings {
            config.set(name, value).unwrap();
        }
        let created = self.topics.create(&name(topic), partitions, config).await;
        created.unwrap()
    }

    pub(crate) fn partition(&self, topic: &str, index: i32) -> Arc<Partition> {
        let partition = self.topics.partition(&name(topic), PartitionIndex(index));
        partition.unwrap()
    }

    /// Produces to partition 0 of `topic` and returns the answer for it.
    pub(crate) async fn produce(
        &self,
        acks: i16,
        topic: &str,
        batch: Vec<u8>,
    ) -> ProducePartitionResponse {
        let request = produce_request(acks, topic, batch);
        only_partition(response(api::produce(self, request).await).await)
    }

    /// Produces to partition 0 of `topic`, which must succeed.
    pub(crate) async fn write(&self, acks: i16, topic: &str, values: &[&str]) {
        let answer = self.produce(acks, topic, batch(values)).await;
        assert_eq!(answer.error_code, wire_protocol::ErrorCode::NONE);
    }

    pub(crate) async fn fetch(&self, request: FetchRequest) -> FetchResponse {
        api::fetch(self, request, None).await
    }

    /// Fetches from partition 0 of `topic` without waiting.
    pub(crate) async fn fetch_now(&self, topic: &str, from: i64) -> FetchPartitionResponse {
        let mut response = self.fetch(fetch_request(&[(topic, 0, from)], 0, 0)).await;
        response.responses.remove(0).partitions.remove(0)
    }
}

/// Appends what a producer would send, as the handler does.
pub(crate) async fn append(
    partition: &Arc<Partition>,
    now: Timestamp,
    batch: Vec<u8>,
) -> Result<Appended, Error> {
    let records = Records::from_bytes(batch);
    let produced = validate_produced(now, &partition.settings(), Some(OPENING), records)?;
    partition.append(now, produced).await
}

/// What a producer hears in the end.
pub(crate) async fn response(acknowledgement: Acknowledgement) -> ProduceResponse {
    match acknowledgement {
        Acknowledgement::Now(response) => response,
        Acknowledgement::Later(response) => response.await,
        Acknowledgement::Silence => panic!("a response was expected, not silence"),
        Acknowledgement::Close => panic!("a response was expected, not the end"),
    }
}

pub(crate) fn only_partition(mut response: ProduceResponse) -> ProducePartitionResponse {
    response.topics.remove(0).partitions.remove(0)
}

/// Returns when `holds`, and lets other tasks and threads run meanwhile.
///
/// # Panics
/// When that takes far longer than anything here does.
pub(crate) async fn until(what: &str, mut holds: impl FnMut() -> bool) {
    for _ in 0..5_000_000 {
        if holds() {
            return;
        }
        std::thread::yield_now();
        tokio::task::yield_now().await;
    }
    panic!("waited in vain until {what}");
}

/// Returns when `count` fetches wait.
pub(crate) async fn until_waiting(broker: &Broker, count: usize) {
    let waiting = || broker.services.fetches.len() == count;
    until(&format!("{count} fetches wait"), waiting).await;
}

/// How many notes wait at a partition. Nothing but a test wants to know, so it is
/// read off what the partition prints.
pub(crate) fn notes(partition: &Partition) -> usize {
    format!("{partition:?}").matches("NoteId {").count()
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

/// Puts a CRC in that fits.
pub(crate) fn mend(batch: &mut [u8]) {
    let crc = crc32c::crc32c(&batch[layout::ATTRIBUTES..]);
    batch[layout::CRC..layout::ATTRIBUTES].copy_from_slice(&crc.to_be_bytes());
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

/// The bytes of a range of a file.
pub(crate) fn read(range: &FileRange) -> Vec<u8> {
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
