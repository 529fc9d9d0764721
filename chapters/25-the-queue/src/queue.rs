//! The broker and what stands on it, made from the settings and the data directory.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context as _, Result};
use async_model::Clock;
use broker::api::{self, BrokerInfo, FetchLimits, Setting, SettingSource};
use broker::{
    Broker, InternalTopics, LaneWidths, Opened, ProducerIds, Services, TopicSettings, Topics,
    TopicsConfig,
};
use consumer_groups::{Coordinator as Groups, GroupSettings, Settings as GroupLimits};
use disk::Disk;
use exactly_once::{
    AllProducers, Coordinator as Transactions, CoordinatorSettings, ProducerSettings, Rules,
    Settings as TransactionLimits,
};
use log_storage::{CompactionConfig, LogConfig, RealDisk, RetentionLimits, SegmentCache};
use message_model::{BrokerId, TopicName};
use record_batch::Opening;
use tokio::sync::Semaphore;
use wire_protocol::ErrorCode;
use wire_protocol::message::{DeleteTopicsRequest, DeleteTopicsResponse};

use crate::cleaner::compactor;
use crate::data_dir::DataDir;
use crate::process_limits::OpenFiles;
use crate::settings::{Settings, Source};

/// Threads that create segment files, and threads for topics and background work.
const SIDE_THREADS: usize = 4;
/// Threads that open compressed batches. Each holds one open batch in memory.
const OPENING_THREADS: usize = 2;

/// How long a member may be parked in its first JoinGroup, as in Kafka.
const NEW_MEMBER_TIMEOUT: Duration = Duration::from_mins(5);

/// How long the end of a transaction is not answered because markers are missing. Clients wait
/// for 30 seconds and longer.
const MARKERS_TIMEOUT: Duration = Duration::from_secs(20);
/// How long to wait before a marker is written again that could not be.
const MARKERS_RETRY_BACKOFF: Duration = Duration::from_millis(500);
/// How long a change of a transaction may wait for the disk.
const TRANSACTION_WRITE_TIMEOUT: Duration = Duration::from_secs(5);

/// What answers requests.
#[derive(Debug)]
pub struct Queue {
    /// Topics, and everything that needs no group.
    pub broker: Arc<Broker>,
    /// Groups, and the offsets that they commit.
    pub groups: Arc<Groups>,
    /// Transactions.
    pub transactions: Arc<Transactions>,
}

/// As [`api::delete_topics`]. With a topic goes what groups have committed for it, and with
/// the topic of transactions what is known of them.
pub(crate) async fn delete_topics(
    queue: &Queue,
    request: DeleteTopicsRequest,
) -> DeleteTopicsResponse {
    let response = api::delete_topics(&queue.broker, request).await;
    let deleted = response.responses.iter();
    let deleted = deleted.filter(|topic| topic.error_code == ErrorCode::NONE);
    let names: Vec<_> = deleted
        .filter_map(|topic| TopicName::new(&topic.name).ok())
        .collect();
    queue.groups.forget_topics(&names).await;
    queue.transactions.forget_deleted();
    response
}

/// How many threads each kind of blocking work has.
pub(crate) fn lane_widths(settings: &Settings) -> LaneWidths {
    LaneWidths {
        syncs: settings.num_io_threads,
        reads: settings.num_io_threads,
        rolls: SIDE_THREADS,
        administration: SIDE_THREADS,
        openings: OPENING_THREADS,
    }
}

/// Opens what the data directory holds, with the rules for producers that hold. Blocks for as
/// long as recovery takes.
///
/// # Errors
/// When the data directory cannot be read.
pub(crate) fn open(
    data_dir: &DataDir,
    settings: &Settings,
    files: OpenFiles,
    (bound, rules): (SocketAddr, Rules),
) -> Result<Queue> {
    let services = Arc::new(services(settings, files, rules));
    let config = topics_config(settings, files);
    let opened = Topics::open(Arc::clone(&services), data_dir.path(), config)
        .with_context(|| format!("cannot open the data in {}", data_dir.path().display()))?;
    report(&opened);
    let producer_ids = ProducerIds::open(&services, data_dir.path())
        .context("cannot read which producer ids are taken")?;
    let broker = Arc::new(Broker {
        services,
        topics: Arc::new(opened.topics),
        producer_ids: Arc::new(producer_ids),
        info: info(settings, data_dir.cluster_id()?, bound),
        auto_create: settings.auto_create_topics_enable,
        partitions_default: settings.num_partitions,
        internal_topics: InternalTopics {
            offsets_partitions: settings.offsets_topic_num_partitions,
            offsets_segment_bytes: settings.offsets_topic_segment_bytes,
            transactions_partitions: settings.transaction_state_log_num_partitions,
            transactions_segment_bytes: settings.transaction_state_log_segment_bytes,
        },
        fetch_limits: FetchLimits {
            response_bytes_max: settings.fetch_max_bytes,
            wait_max: settings.fetch_wait_max_ms,
        },
        waiting_places: Arc::new(Semaphore::new(settings.waiting_partitions_max)),
        settings: as_clients_see_them(settings),
    });
    let groups = Groups::new(Arc::clone(&broker), group_settings(settings));
    let groups = Arc::new(groups);
    let transactions = Transactions::new(
        Arc::clone(&broker),
        Arc::clone(&groups),
        transaction_settings(settings),
    );
    Ok(Queue {
        broker,
        groups,
        transactions: Arc::new(transactions),
    })
}

/// What all partitions work with, with the rules for producers that hold.
fn services(settings: &Settings, files: OpenFiles, rules: Rules) -> Services {
    let disk: Arc<dyn Disk> = Arc::new(RealDisk);
    let segments = SegmentCache::new(files.loaded_segments, files.unsynced_segments);
    let opening = Opening {
        open: compression::open_batch,
        size_max: settings.batch_opened_bytes_max,
    };
    let widths = lane_widths(settings);
    let mut services = Services::new(disk, Clock::start(), widths, segments, Some(opening));
    services.compactor = settings
        .log_cleaner_enable
        .then(|| compactor(settings.log_cleaner_dedupe_buffer_size, opening));
    services.producers = Some(Arc::new(AllProducers::new(ProducerSettings {
        rules,
        expiration: settings.producer_id_expiration_ms,
        producers_max: settings.producers_max,
    })));
    services
}

/// Says what was not as it should be.
fn report(opened: &Opened) {
    for (partition, cut) in &opened.truncated {
        tracing::warn!(
            "{partition}: cut {} bytes of a torn tail off {} at byte {}; the log ends at offset {}",
            cut.bytes,
            cut.path.display(),
            cut.position,
            cut.log_end
        );
    }
    for (partition, error) in &opened.offline {
        tracing::error!("{partition} is offline, all others are served: {error}");
    }
    for name in &opened.strangers {
        tracing::warn!("{name} in the data directory belongs to no topic; it is left alone");
    }
}

fn group_settings(settings: &Settings) -> GroupSettings {
    GroupSettings {
        group: GroupLimits {
            initial_rebalance_delay: settings.group_initial_rebalance_delay_ms,
            session_timeout_min: settings.group_min_session_timeout_ms,
            session_timeout_max: settings.group_max_session_timeout_ms,
            members_max: settings.group_max_size,
            bytes_max: settings.groups_memory_max_bytes,
            new_member_timeout: NEW_MEMBER_TIMEOUT,
        },
        groups_max: settings.groups_max,
        bytes_max: settings.groups_memory_max_bytes,
        metadata_max: settings.offset_metadata_max_bytes,
        retention: settings.offsets_retention_minutes,
        retention_check_interval: settings.offsets_retention_check_interval_ms,
        write_timeout: settings.offsets_commit_timeout_ms,
    }
}

fn transaction_settings(settings: &Settings) -> CoordinatorSettings {
    CoordinatorSettings {
        transactions: TransactionLimits {
            timeout_max: settings.transaction_max_timeout_ms,
            id_expiration: settings.transactional_id_expiration_ms,
            partitions_max: settings.transaction_partitions_max,
            answer_timeout: MARKERS_TIMEOUT,
            retry_backoff: MARKERS_RETRY_BACKOFF,
        },
        ids_max: settings.transactional_ids_max,
        bytes_max: settings.transactions_memory_max_bytes,
        write_timeout: TRANSACTION_WRITE_TIMEOUT,
    }
}

fn topics_config(settings: &Settings, files: OpenFiles) -> TopicsConfig {
    let log = LogConfig {
        segment_bytes: settings.log_segment_bytes,
        segment_age: settings.log_roll_ms,
        index_interval_bytes: settings.log_index_interval_bytes,
        batch_size_max: settings.message_max_bytes,
        retention: RetentionLimits {
            age: settings.log_retention_ms,
            bytes: settings.log_retention_bytes,
        },
        cleanup: settings.log_cleanup_policy,
        compaction: CompactionConfig {
            min_dirty_ratio: settings.log_cleaner_min_cleanable_ratio,
            min_lag: settings.log_cleaner_min_compaction_lag_ms,
            max_lag: settings.log_cleaner_max_compaction_lag_ms,
            delete_retention: settings.log_cleaner_delete_retention_ms,
        },
    };
    TopicsConfig {
        settings: TopicSettings {
            log,
            timestamp_after_max: settings.log_message_timestamp_after_max_ms,
        },
        partitions_max: settings.partitions_max,
        partitions_total_max: files.partitions,
        open_threads: settings.num_io_threads,
    }
}

fn info(settings: &Settings, cluster_id: String, bound: SocketAddr) -> BrokerInfo {
    let advertised = settings.advertised_listeners.as_ref();
    BrokerInfo {
        id: BrokerId(settings.node_id),
        cluster_id,
        host: advertised.map_or_else(|| bound.ip().to_string(), |address| address.host.clone()),
        port: advertised
            .and_then(|address| address.port)
            .unwrap_or(bound.port()),
    }
}

fn as_clients_see_them(settings: &Settings) -> Vec<Setting> {
    settings
        .rows()
        .map(|(row, value, source)| Setting {
            name: row.name.to_owned(),
            value: value.to_owned(),
            documentation: row.doc,
            source: match source {
                Source::Default => SettingSource::Default,
                Source::File { .. } | Source::Flag => SettingSource::Broker,
            },
            default: row.default.to_owned(),
        })
        .collect()
}
