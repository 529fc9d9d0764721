//! A broker with transactions and without sockets, on a simulated disk.

use std::io::{self, Write as _};
use std::path::Path;
use std::sync::{Arc, Once};
use std::time::Duration;
use std::{panic, process};

use async_model::Clock;
use broker::api::{BrokerInfo, FetchLimits};
use broker::{
    Appended, Broker, Error, InternalTopics, LaneWidths, Partition, ProducerIds, Services,
    TopicSettings, Topics, TopicsConfig, validate_produced,
};
use consumer_groups::{Coordinator as Groups, GroupSettings};
use exactly_once::{AllProducers, Coordinator, CoordinatorSettings, ProducerSettings};
use log_storage::{LogConfig, SegmentCache};
use message_model::{BrokerId, PartitionIndex, ProducerEpoch, ProducerId, Timestamp, TopicName};
use record_batch::{BatchBuilder, EndTransaction, Marker, RecordToSend, layout};
use sim_disk::SimDisk;
use tokio::sync::Semaphore;
use tokio::task::JoinHandle;
use wire_protocol::{ErrorCode, Records};

const DATA_DIR: &str = "/data";
const WIDTHS: LaneWidths = LaneWidths {
    syncs: 2,
    reads: 2,
    rolls: 2,
    administration: 2,
    openings: 1,
};
/// When batches are sent, if a test does not care.
pub(crate) const NOW: Timestamp = Timestamp(1_000_000);

/// A broker with groups and transactions, the disk below it, and its tasks.
pub(crate) struct Queue {
    pub(crate) disk: SimDisk,
    pub(crate) broker: Arc<Broker>,
    pub(crate) groups: Arc<Groups>,
    pub(crate) transactions: Arc<Coordinator>,
    pub(crate) settings: Settings,
    tasks: Vec<JoinHandle<()>>,
}

/// What a test may set.
#[derive(Debug, Clone, Default)]
pub(crate) struct Settings {
    pub(crate) producers: ProducerSettings,
    pub(crate) coordinator: CoordinatorSettings,
}

impl Drop for Queue {
    fn drop(&mut self) {
        self.tasks.iter().for_each(JoinHandle::abort);
    }
}

impl Queue {
    /// One with the topic `t` of four partitions.
    pub(crate) async fn start() -> Queue {
        Queue::start_with(Settings::default()).await
    }

    pub(crate) async fn start_with(settings: Settings) -> Queue {
        let queue = Queue::open(&SimDisk::new(3), settings);
        let topics = &queue.broker.topics;
        let created = topics.create(&name("t"), 4, topics.new_config()).await;
        created.unwrap();
        queue
    }

    /// What a start finds on `disk`. Nothing is loaded yet.
    pub(crate) fn open(disk: &SimDisk, settings: Settings) -> Queue {
        end_at_a_hole();
        let services = services(disk, &settings);
        let opened = Topics::open(Arc::clone(&services), Path::new(DATA_DIR), config());
        let producer_ids = ProducerIds::open(&services, Path::new(DATA_DIR));
        let broker = Arc::new(Broker {
            services: Arc::clone(&services),
            topics: Arc::new(opened.unwrap().topics),
            producer_ids: Arc::new(producer_ids.unwrap()),
            info: BrokerInfo {
                id: BrokerId(3),
                cluster_id: "a cluster".to_owned(),
                host: "queue.example".to_owned(),
                port: 9092,
            },
            auto_create: true,
            partitions_default: 1,
            internal_topics: InternalTopics {
                offsets_partitions: 3,
                offsets_segment_bytes: 2_000,
                transactions_partitions: 3,
                transactions_segment_bytes: 2_000,
            },
            fetch_limits: FetchLimits {
                response_bytes_max: 1_000_000,
                wait_max: Duration::from_secs(60),
            },
            waiting_places: Arc::new(Semaphore::new(1_000)),
            settings: Vec::new(),
        });
        let groups = Groups::new(Arc::clone(&broker), GroupSettings::default());
        let groups = Arc::new(groups);
        let transactions = Coordinator::new(
            Arc::clone(&broker),
            Arc::clone(&groups),
            settings.coordinator.clone(),
        );
        let transactions = Arc::new(transactions);
        let driven = Arc::clone(&transactions);
        let tasks = vec![
            tokio::spawn(async move { services.expire_waits().await }),
            tokio::spawn(async move { driven.drive().await }),
        ];
        Queue {
            disk: disk.clone(),
            broker,
            groups,
            transactions,
            settings,
            tasks,
        }
    }

    /// The same after a power failure at this moment, loaded.
    pub(crate) async fn after_power_failure(&self) -> Queue {
        Queue::loaded(&self.disk.crash(), self.settings.clone()).await
    }

    /// The same after a clean stop, loaded.
    pub(crate) async fn after_stop(self) -> Queue {
        let all = self.broker.topics.sync_all().await;
        assert!(all.not_synced.is_empty() && all.not_saved.is_empty());
        let (disk, settings) = (self.disk.clone(), self.settings.clone());
        drop(self);
        Queue::loaded(&disk, settings).await
    }

    pub(crate) async fn loaded(disk: &SimDisk, settings: Settings) -> Queue {
        let queue = Queue::open(disk, settings);
        queue.groups.load().await;
        queue.transactions.load().await;
        queue
    }

    /// A partition of `t`.
    pub(crate) fn partition(&self, index: i32) -> Arc<Partition> {
        let topics = &self.broker.topics;
        topics.partition(&name("t"), PartitionIndex(index)).unwrap()
    }

    /// Sends a batch to partition 0 of `t`.
    pub(crate) async fn send(&self, sent: Sent, values: &[&str]) -> Result<i64, ErrorCode> {
        let appended = self.send_to(0, NOW, sent, values).await?;
        Ok(appended.range.start.0)
    }

    pub(crate) async fn send_to(
        &self,
        partition: i32,
        now: Timestamp,
        sent: Sent,
        values: &[&str],
    ) -> Result<Appended, ErrorCode> {
        let partition = self.partition(partition);
        let records = Records::from_bytes(sent.batch(values));
        let produced = validate_produced(now, &partition.settings(), None, records).unwrap();
        partition.append(now, produced).await.map_err(rejected)
    }

    /// Tells partition 0 of `t` that it is in a transaction of this producer.
    pub(crate) async fn begin(&self, producer: i64, epoch: i16) -> Result<(), ErrorCode> {
        let partition = self.partition(0);
        let (producer, epoch) = (ProducerId(producer), ProducerEpoch(epoch));
        let begun = partition.begin_transaction(NOW, producer, epoch).await;
        begun.map_err(rejected)
    }

    /// Ends the transaction of this producer in partition 0 of `t`.
    pub(crate) async fn end(
        &self,
        producer: i64,
        epoch: i16,
        marker: Marker,
    ) -> Result<i64, ErrorCode> {
        self.end_by(producer, epoch, marker, 0).await
    }

    pub(crate) async fn end_by(
        &self,
        producer: i64,
        epoch: i16,
        marker: Marker,
        coordinator_epoch: i32,
    ) -> Result<i64, ErrorCode> {
        let end = EndTransaction {
            marker,
            coordinator_epoch,
        };
        let (producer, epoch) = (ProducerId(producer), ProducerEpoch(epoch));
        let partition = self.partition(0);
        let appended = partition.append_marker(NOW, producer, epoch, end).await;
        Ok(appended.map_err(rejected)?.range.start.0)
    }

    /// The ids of the producers that a partition of `t` knows.
    pub(crate) async fn known(&self, partition: i32) -> Vec<i64> {
        let producers = self
            .partition(partition)
            .describe_producers()
            .await
            .unwrap();
        producers.iter().map(|one| one.producer.0).collect()
    }

    /// How far a reader of committed records gets in partition 0 of `t`.
    pub(crate) fn last_stable(&self) -> i64 {
        self.partition(0).ends().unwrap().last_stable.0
    }
}

/// What [`todo!`] puts in front of its message.
const HOLE: &str = "not yet implemented: ";

/// From now on a panic in a hole of a learner's part ends the process, as it ends `mqd`, and says
/// which task it is. In a task of the broker it would only end what a test waits for.
fn end_at_a_hole() {
    static FIRST: Once = Once::new();
    FIRST.call_once(|| {
        let others = panic::take_hook();
        panic::set_hook(Box::new(move |info| {
            let message = info.payload_as_str().unwrap_or_default();
            if let Some(task) = message.strip_prefix(HOLE) {
                // Not by a macro, whose output the test keeps to itself.
                let _ = writeln!(io::stderr(), "this test needs task {task}");
                process::exit(101);
            }
            others(info);
        }));
    });
}

fn services(disk: &SimDisk, settings: &Settings) -> Arc<Services> {
    let mut services = Services::new(
        Arc::new(disk.clone()),
        Clock::start(),
        WIDTHS,
        SegmentCache::new(4, 100),
        None,
    );
    let producers = AllProducers::new(settings.producers.clone());
    services.producers = Some(Arc::new(producers));
    Arc::new(services)
}

/// Small segments, so that a test rolls.
fn config() -> TopicsConfig {
    TopicsConfig {
        settings: TopicSettings {
            log: LogConfig {
                segment_bytes: 100_000,
                ..LogConfig::default()
            },
            ..TopicSettings::default()
        },
        partitions_max: 100,
        partitions_total_max: 1_000,
        open_threads: 1,
    }
}

fn rejected(error: Error) -> ErrorCode {
    match error {
        Error::Rejected(code) => code,
        Error::Log(_) => ErrorCode::KAFKA_STORAGE_ERROR,
        error => panic!("{error}"),
    }
}

/// What a batch says of its producer.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Sent {
    producer: i64,
    epoch: i16,
    /// The sequence number of its first record.
    first: i32,
    transactional: bool,
}

/// A batch of `producer` in its first epoch, outside of a transaction.
pub(crate) fn sent(producer: i64, first: i32) -> Sent {
    Sent {
        producer,
        epoch: 0,
        first,
        transactional: false,
    }
}

impl Sent {
    pub(crate) fn epoch(self, epoch: i16) -> Sent {
        Sent { epoch, ..self }
    }

    pub(crate) fn in_transaction(self) -> Sent {
        Sent {
            transactional: true,
            ..self
        }
    }

    /// The batch with these values.
    pub(crate) fn batch(self, values: &[&str]) -> Vec<u8> {
        let mut builder = BatchBuilder::new();
        for (timestamp, value) in (1_000..).zip(values) {
            builder.push(&RecordToSend {
                timestamp: Timestamp(timestamp),
                key: None,
                value: Some(value.as_bytes()),
                headers: vec![],
            });
        }
        let mut batch = builder.build();
        let mut put = |at: usize, bytes: &[u8]| {
            batch[at..at + bytes.len()].copy_from_slice(bytes);
        };
        let attributes = if self.transactional { 1_i16 << 4 } else { 0 };
        put(layout::ATTRIBUTES, &attributes.to_be_bytes());
        put(layout::PRODUCER_ID, &self.producer.to_be_bytes());
        put(layout::PRODUCER_EPOCH, &self.epoch.to_be_bytes());
        put(layout::BASE_SEQUENCE, &self.first.to_be_bytes());
        let crc = crc32c::crc32c(&batch[layout::ATTRIBUTES..]);
        batch[layout::CRC..layout::ATTRIBUTES].copy_from_slice(&crc.to_be_bytes());
        batch
    }
}

pub(crate) fn name(topic: &str) -> TopicName {
    TopicName::new(topic).unwrap()
}
