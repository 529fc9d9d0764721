//! The broker, made from the settings and the data directory.

use std::net::SocketAddr;
use std::sync::Arc;

use anyhow::{Context as _, Result};
use async_model::Clock;
use broker::api::{BrokerInfo, FetchLimits, Setting, SettingSource};
use broker::{Broker, LaneWidths, ProducerIds, Services, TopicSettings, Topics, TopicsConfig};
use disk::Disk;
use log_storage::{LogConfig, RealDisk, RetentionLimits, SegmentCache};
use message_model::BrokerId;
use tokio::sync::Semaphore;

use crate::data_dir::DataDir;
use crate::process_limits::OpenFiles;
use crate::settings::{Settings, Source};

/// Threads that create segment files, and threads for topics and background work.
const SIDE_THREADS: usize = 4;

/// How many threads each kind of blocking work has.
pub(crate) fn lane_widths(settings: &Settings) -> LaneWidths {
    LaneWidths {
        syncs: settings.num_io_threads,
        reads: settings.num_io_threads,
        rolls: SIDE_THREADS,
        administration: SIDE_THREADS,
    }
}

/// Opens what the data directory holds. Blocks for as long as recovery takes.
///
/// # Errors
/// When the data directory cannot be read.
pub(crate) fn open(
    data_dir: &DataDir,
    settings: &Settings,
    files: OpenFiles,
    bound: SocketAddr,
) -> Result<Broker> {
    let disk: Arc<dyn Disk> = Arc::new(RealDisk);
    let segments = SegmentCache::new(files.loaded_segments);
    let services = Services::new(disk, Clock::start(), lane_widths(settings), segments);
    let services = Arc::new(services);
    let config = topics_config(settings, files);
    let opened = Topics::open(Arc::clone(&services), data_dir.path(), config)
        .with_context(|| format!("cannot open the data in {}", data_dir.path().display()))?;
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
    let producer_ids = ProducerIds::open(&services, data_dir.path())
        .context("cannot read which producer ids are taken")?;
    Ok(Broker {
        services,
        topics: Arc::new(opened.topics),
        producer_ids: Arc::new(producer_ids),
        info: info(settings, data_dir.cluster_id()?, bound),
        auto_create: settings.auto_create_topics_enable,
        partitions_default: settings.num_partitions,
        fetch_limits: FetchLimits {
            response_bytes_max: settings.fetch_max_bytes,
            wait_max: settings.fetch_wait_max_ms,
        },
        waiting_places: Arc::new(Semaphore::new(settings.waiting_partitions_max)),
        settings: as_clients_see_them(settings),
    })
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
            source: match source {
                Source::Default => SettingSource::Default,
                Source::File { .. } | Source::Flag => SettingSource::Broker,
            },
        })
        .collect()
}
