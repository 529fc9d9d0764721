//! All groups of a broker.

use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use broker::{Broker, Error, Topic};
use futures_util::future::join_all;
use message_model::TopicName;
use tokio::sync::Mutex as AsyncMutex;
use wire_protocol::ErrorCode;

use crate::common::Common;
use crate::part::Settings;
use crate::partition_of::partition_of;
use crate::shard::Shard;

/// What groups may do, and how much of it.
#[derive(Debug, Clone)]
pub struct GroupSettings {
    /// What each group looks at.
    pub group: Settings,
    /// `mqd.groups.max`: the most groups.
    pub groups_max: usize,
    /// `mqd.groups.memory.max.bytes`: what members and offsets of all groups together may take.
    pub bytes_max: usize,
    /// `offset.metadata.max.bytes`: the longest text that is kept with an offset.
    pub metadata_max: usize,
    /// `offsets.retention.minutes`: how long offsets are kept that nobody uses.
    pub retention: Duration,
    /// `offsets.retention.check.interval.ms`.
    pub retention_check_interval: Duration,
    /// `offsets.commit.timeout.ms`: how long a change may wait for the disk.
    pub write_timeout: Duration,
}

impl Default for GroupSettings {
    /// Kafka's defaults, where Kafka has the setting.
    fn default() -> GroupSettings {
        GroupSettings {
            group: Settings {
                initial_rebalance_delay: Duration::from_secs(3),
                session_timeout_min: Duration::from_secs(6),
                session_timeout_max: Duration::from_mins(30),
                members_max: 10_000,
                bytes_max: 256 * 1024 * 1024,
                new_member_timeout: Duration::from_mins(5),
            },
            groups_max: 10_000,
            bytes_max: 256 * 1024 * 1024,
            metadata_max: 4_096,
            retention: Duration::from_hours(7 * 24),
            retention_check_interval: Duration::from_mins(10),
            write_timeout: Duration::from_secs(5),
        }
    }
}

/// The group coordinator of a broker.
#[derive(Debug)]
pub struct Coordinator {
    pub(crate) common: Arc<Common>,
    /// By partition of `__consumer_offsets`; empty while there is no such topic.
    shards: RwLock<Arc<[Arc<Shard>]>>,
    /// Held by the one who makes the topic.
    making: AsyncMutex<()>,
}

impl Coordinator {
    /// Returns the coordinator of `broker`. The groups that are on disk are not served until
    /// [`Coordinator::load`] has read them.
    ///
    /// # Panics
    /// Outside of a tokio runtime.
    #[must_use]
    pub fn new(broker: Arc<Broker>, settings: GroupSettings) -> Coordinator {
        let topic = broker.offsets_topic();
        let coordinator = Coordinator {
            common: Arc::new(Common::new(broker, settings)),
            shards: RwLock::default(),
            making: AsyncMutex::new(()),
        };
        if let Some(topic) = topic {
            coordinator.take_shards_of(&topic);
        }
        coordinator
    }

    /// Reads all groups and offsets from disk. Each shard serves as soon as it is read.
    pub async fn load(&self) {
        let shards = self.shards();
        join_all(shards.iter().map(|shard| Arc::clone(shard).load())).await;
    }

    /// Never returns: ends what is due in the groups. The broker runs it as a task.
    pub async fn drive(&self) {
        let ring = |alarm: crate::deadlines::Alarm| {
            if let Some(shard) = self.shards().get(alarm.shard) {
                shard.ring(&alarm.id, alarm.at);
            }
        };
        self.common.deadlines.drive(ring).await;
    }

    /// Never returns: deletes what has expired, now and then. The broker runs it as a task.
    pub async fn expire_offsets(&self) {
        loop {
            tokio::time::sleep(self.common.settings.retention_check_interval).await;
            for shard in self.shards().iter() {
                if let Err(code) = shard.expire_offsets().await {
                    let name = shard.partition.name();
                    tracing::warn!("{name}: expired offsets are still there: {code}");
                }
            }
        }
    }

    /// Ends all parked calls, for the broker stops. Offsets that are on their way to the
    /// disk are still answered.
    pub fn stop(&self) {
        for shard in self.shards().iter() {
            shard.close();
        }
    }

    /// Forgets what groups have committed for `topics`, which are deleted.
    pub async fn forget_topics(&self, topics: &[TopicName]) {
        if topics.is_empty() {
            return;
        }
        let shards = self.shards();
        let forget = |shard: &Arc<Shard>| {
            let shard = Arc::clone(shard);
            async move { (shard.forget_topics(topics).await, shard) }
        };
        for (forgotten, shard) in join_all(shards.iter().map(forget)).await {
            if let Err(code) = forgotten {
                let name = shard.partition.name();
                tracing::warn!("{name} keeps offsets of topics that are gone: {code}");
            }
        }
    }

    /// Returns the shard of a group.
    ///
    /// # Errors
    /// 16 while there is no topic to store groups in: the client asks for the coordinator again.
    pub(crate) fn shard(&self, group: &str) -> Result<Arc<Shard>, ErrorCode> {
        let shards = self.shards();
        if shards.is_empty() {
            return Err(ErrorCode::NOT_COORDINATOR);
        }
        Ok(Arc::clone(&shards[partition_of(group, shards.len())]))
    }

    /// Returns all shards.
    pub(crate) fn shards(&self) -> Arc<[Arc<Shard>]> {
        let shards = self.shards.read().unwrap_or_else(PoisonError::into_inner);
        Arc::clone(&shards)
    }

    /// Makes the topic that groups are stored in, unless it is there.
    ///
    /// # Errors
    /// As the creation of a topic.
    pub(crate) async fn ensure_topic(&self) -> Result<(), Error> {
        if self.has_topic() {
            return Ok(());
        }
        let _making = self.making.lock().await;
        if self.has_topic() {
            return Ok(());
        }
        let topic = self.common.broker.create_offsets_topic().await?;
        for shard in self.shards().iter() {
            shard.close();
        }
        self.take_shards_of(&topic);
        self.load().await;
        Ok(())
    }

    /// Whether the topic is there, and is the one whose groups are served.
    fn has_topic(&self) -> bool {
        let Some(topic) = self.common.broker.offsets_topic() else {
            return false;
        };
        let shards = self.shards();
        let served = shards.first().map(|shard| &shard.partition);
        let there = topic.partitions.first();
        served
            .zip(there)
            .is_some_and(|(served, there)| Arc::ptr_eq(served, there))
    }

    fn take_shards_of(&self, topic: &Topic) {
        let partitions = topic.partitions.iter().enumerate();
        let shards = partitions.map(|(index, partition)| {
            let shard = Shard::new(index, &self.common, partition);
            Arc::new(shard)
        });
        let shards = shards.collect();
        *self.shards.write().unwrap_or_else(PoisonError::into_inner) = shards;
    }
}
