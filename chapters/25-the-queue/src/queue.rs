//! The pieces that the handlers take, made from the settings and the data directory.

use std::net::SocketAddr;
use std::sync::Arc;

use anyhow::{Context as _, Result};
use async_model::Clock;
use broker::api::{AutoCreate, BrokerInfo, FetchLimits, Setting, SettingSource};
use broker::{AdmitAll, ProducerIds, Topics, TopicsConfig, Waits};
use disk::Disk;
use log_storage::{LogConfig, RealDisk, RetentionLimits};
use message_model::BrokerId;

use crate::data_dir::DataDir;
use crate::settings::{Settings, Source};

/// The pieces that the handlers take.
#[derive(Debug)]
pub struct Queue {
    /// All topics.
    pub topics: Arc<Topics>,
    /// Who waits for records, or for room.
    pub waits: Waits,
    /// The clocks.
    pub clock: Clock,
    /// Hands out producer ids.
    pub producer_ids: Arc<ProducerIds>,
    /// What clients are told about this broker.
    pub info: BrokerInfo,
    /// Whether asking for a topic creates it.
    pub auto_create: AutoCreate,
    /// What a fetch may cost.
    pub fetch_limits: FetchLimits,
    /// The settings as clients see them.
    pub settings: Vec<Setting>,
}

impl Queue {
    /// Opens what the data directory holds. Blocks for as long as recovery takes.
    pub(crate) fn open(
        data_dir: &DataDir,
        settings: &Settings,
        bound: SocketAddr,
    ) -> Result<Queue> {
        let disk: Arc<dyn Disk> = Arc::new(RealDisk);
        let clock = Clock::start();
        let opened = Topics::open(Arc::clone(&disk), data_dir.path(), topics_config(settings))
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
        let producer_ids = ProducerIds::open(disk, data_dir.path())
            .context("cannot read which producer ids are taken")?;
        Ok(Queue {
            topics: Arc::new(opened.topics),
            waits: Waits::new(clock),
            clock,
            producer_ids: Arc::new(producer_ids),
            info: info(settings, data_dir.cluster_id()?, bound),
            auto_create: auto_create(settings),
            fetch_limits: FetchLimits {
                response_bytes_max: settings.fetch_max_bytes,
                wait_max: settings.fetch_wait_max_ms,
            },
            settings: as_clients_see_them(settings),
        })
    }
}

fn topics_config(settings: &Settings) -> TopicsConfig {
    TopicsConfig {
        log: LogConfig {
            segment_bytes: settings.log_segment_bytes,
            segment_age: settings.log_roll_ms,
            index_interval_bytes: settings.log_index_interval_bytes,
            batch_size_max: settings.message_max_bytes,
            retention: RetentionLimits {
                age: settings.log_retention_ms,
                bytes: settings.log_retention_bytes,
            },
        },
        partitions_max: settings.partitions_max,
        producers: || Box::new(AdmitAll),
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

fn auto_create(settings: &Settings) -> AutoCreate {
    if settings.auto_create_topics_enable {
        AutoCreate::Partitions(settings.num_partitions)
    } else {
        AutoCreate::Off
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
