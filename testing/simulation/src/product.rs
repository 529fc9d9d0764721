//! The pieces of the product, with settings of the simulation.

use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use async_model::{Clock, Pool};
use broker::api::{BrokerInfo, FetchLimits};
use broker::{
    Broker, InternalTopics, LaneWidths, Lanes, ProducerIds, Services, TopicSettings, Topics,
    TopicsConfig,
};
use consumer_groups::GroupSettings;
use exactly_once::{AllProducers, ProducerSettings};
use fastrand::Rng;
use log_storage::{CompactionConfig, LogConfig, SegmentCache};
use message_model::{BrokerId, TopicName};
use mqd::compactor;
use record_batch::Opening;
use sim_disk::SimDisk;
use tokio::sync::Semaphore;

use crate::node::{NotStarted, PARTITIONS, TOPICS};
use crate::plan::Plan;

/// Compaction forgets soon.
const DELETE_RETENTION: Duration = Duration::from_millis(300);
const COMPACTION_MEMORY: usize = 64 * 1024;
const OPENING: Opening = Opening {
    open: compression::open_batch,
    size_max: 1024 * 1024,
};

const DATA_DIR: &str = "/data";
const WIDTHS: LaneWidths = LaneWidths {
    syncs: 2,
    reads: 2,
    rolls: 1,
    administration: 1,
    openings: 1,
};

/// A pool without threads: a piece of work runs in this thread, after some time.
fn pool(random: Rng, delay_max: u64) -> Pool {
    let random = Mutex::new(random);
    Arc::new(move |work| {
        let delay = {
            let mut random = random.lock().unwrap_or_else(PoisonError::into_inner);
            match random.u8(0..20) {
                0 => delay_max * random.u64(1..10),
                _ => random.u64(0..delay_max + 1),
            }
        };
        tokio::spawn(async move {
            if delay > 0 {
                tokio::time::sleep(Duration::from_millis(delay)).await;
            }
            work();
        });
    })
}

/// Returns what all partitions work with, in one thread.
pub(crate) fn services(disk: &SimDisk, plan: &Plan, clock: Clock, random: Rng) -> Services {
    let segments = SegmentCache::new(4, 100);
    let mut services = Services::new(Arc::new(disk.clone()), clock, WIDTHS, segments, None);
    services.lanes = Lanes::on(WIDTHS, &pool(random, plan.disk_delay_max));
    services.compactor = Some(compactor(COMPACTION_MEMORY, OPENING));
    services.producers = Some(Arc::new(AllProducers::new(ProducerSettings::default())));
    services
}

/// Returns the broker with what is on disk.
///
/// # Errors
/// When something cannot be read, or is offline at once.
pub(crate) fn open(services: &Arc<Services>, plan: &Plan) -> Result<Arc<Broker>, String> {
    let default = LogConfig::default();
    let log = LogConfig {
        segment_bytes: plan.segment_bytes,
        compaction: CompactionConfig {
            min_dirty_ratio: 0.1,
            delete_retention: DELETE_RETENTION,
            ..default.compaction
        },
        ..default
    };
    let config = TopicsConfig {
        settings: TopicSettings {
            log,
            ..TopicSettings::default()
        },
        partitions_max: 10,
        partitions_total_max: 20,
        open_threads: 1,
    };
    let data_dir = Path::new(DATA_DIR);
    let opened = Topics::open(Arc::clone(services), data_dir, config);
    let opened = opened.map_err(|error| error.to_string())?;
    if let Some((name, error)) = opened.offline.first() {
        return Err(format!("{name} is offline: {error}"));
    }
    let producer_ids = ProducerIds::open(services, data_dir);
    let producer_ids = producer_ids.map_err(|error| error.to_string())?;
    Ok(Arc::new(Broker {
        services: Arc::clone(services),
        topics: Arc::new(opened.topics),
        producer_ids: Arc::new(producer_ids),
        info: BrokerInfo {
            id: BrokerId(1),
            cluster_id: "a simulation".to_owned(),
            host: "queue.example".to_owned(),
            port: 9092,
        },
        auto_create: false,
        partitions_default: 1,
        internal_topics: InternalTopics {
            offsets_partitions: 1,
            offsets_segment_bytes: plan.segment_bytes.max(1_024),
            transactions_partitions: 1,
            transactions_segment_bytes: plan.segment_bytes.max(1_024),
        },
        fetch_limits: FetchLimits {
            response_bytes_max: 1_000_000,
            wait_max: Duration::from_secs(60),
        },
        waiting_places: Arc::new(Semaphore::new(1_000)),
        settings: Vec::new(),
    }))
}

/// Makes the topics of the clients, and those that the broker keeps for itself.
///
/// # Errors
/// As the creation of a topic.
pub(crate) async fn make_topics(broker: &Arc<Broker>) -> Result<(), NotStarted> {
    let failed = |error: broker::Error| NotStarted(error.to_string());
    for topic in TOPICS {
        let name = TopicName::new(topic).map_err(|error| NotStarted(error.to_string()))?;
        let config = broker.topics.new_config();
        let made = broker
            .topics
            .create(&name, PARTITIONS.unsigned_abs(), config)
            .await;
        made.map_err(failed)?;
    }
    broker.create_offsets_topic().await.map_err(failed)?;
    broker.create_transactions_topic().await.map_err(failed)?;
    Ok(())
}

/// Returns settings with which members are taken for dead soon.
pub(crate) fn group_settings() -> GroupSettings {
    let mut settings = GroupSettings::default();
    settings.group.initial_rebalance_delay = Duration::from_millis(20);
    settings.group.session_timeout_min = Duration::from_millis(50);
    settings
}
