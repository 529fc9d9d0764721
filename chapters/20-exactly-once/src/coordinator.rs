//! All transactional ids of a broker.

use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use broker::{Broker, Error, Topic};
use consumer_groups::{Alarm, Coordinator as Groups, partition_of};
use futures_util::future::join_all;
use tokio::sync::Mutex as AsyncMutex;
use wire_protocol::ErrorCode;

use crate::common::Common;
use crate::part::Settings;
use crate::shard::Shard;

/// What transactions may do, and how much of it.
#[derive(Debug, Clone)]
pub struct CoordinatorSettings {
    /// What each transactional id looks at.
    pub transactions: Settings,
    /// `mqd.transactional.ids.max`: the most transactional ids.
    pub ids_max: usize,
    /// `mqd.transactions.memory.max.bytes`: what all transactional ids together may take.
    pub bytes_max: usize,
    /// How long a change may wait for the disk.
    pub write_timeout: Duration,
}

impl Default for CoordinatorSettings {
    /// Kafka's defaults, where Kafka has the setting.
    fn default() -> CoordinatorSettings {
        CoordinatorSettings {
            transactions: Settings {
                timeout_max: Duration::from_mins(15),
                id_expiration: Duration::from_hours(7 * 24),
                partitions_max: 4_000,
                answer_timeout: Duration::from_secs(20),
                retry_backoff: Duration::from_millis(100),
            },
            ids_max: 100_000,
            bytes_max: 256 * 1024 * 1024,
            write_timeout: Duration::from_secs(5),
        }
    }
}

/// The transaction coordinator of a broker.
#[derive(Debug)]
pub struct Coordinator {
    pub(crate) common: Arc<Common>,
    /// By partition of `__transaction_state`; empty while there is no such topic.
    shards: RwLock<Arc<[Arc<Shard>]>>,
    /// Held by the one who makes the topic.
    making: AsyncMutex<()>,
}

impl Coordinator {
    /// Returns the coordinator of `broker`. The transactions that are on disk are not served
    /// until [`Coordinator::load`] has read them.
    ///
    /// # Panics
    /// Outside of a tokio runtime.
    #[must_use]
    pub fn new(
        broker: Arc<Broker>,
        groups: Arc<Groups>,
        settings: CoordinatorSettings,
    ) -> Coordinator {
        let topic = broker.transactions_topic();
        let coordinator = Coordinator {
            common: Arc::new(Common::new(broker, groups, settings)),
            shards: RwLock::default(),
            making: AsyncMutex::new(()),
        };
        if let Some(topic) = topic {
            coordinator.take_shards_of(&topic);
            coordinator.transactions_known(false);
        }
        coordinator
    }

    /// Reads all transactional ids from disk. Each shard serves as soon as it is read.
    ///
    /// When this completes, the partitions know which transactions are open. Until then they
    /// refuse no batch of a transaction for good.
    pub async fn load(&self) {
        let shards = self.shards();
        join_all(shards.iter().map(|shard| Arc::clone(shard).load())).await;
        self.transactions_known(true);
    }

    fn transactions_known(&self, are_known: bool) {
        if let Some(rules) = &self.common.broker.services.producers {
            rules.transactions_known(are_known);
        }
    }

    /// Never returns: ends what is due. The broker runs it as a task.
    pub async fn drive(&self) {
        let ring = |alarm: Alarm| {
            if let Some(shard) = self.shards().get(alarm.shard) {
                shard.ring(&alarm.id, alarm.at);
            }
        };
        self.common.deadlines.drive(ring).await;
    }

    /// Ends all parked calls, for the broker stops.
    pub fn stop(&self) {
        for shard in self.shards().iter() {
            shard.close();
        }
    }

    /// The topic that transactions are stored in may be deleted. If it is, what was in it is
    /// forgotten, and no call waits any more.
    pub fn forget_deleted(&self) {
        for shard in self.shards().iter() {
            let there = self.common.partition(shard.partition.name());
            if !there.is_ok_and(|there| Arc::ptr_eq(&there, &shard.partition)) {
                shard.forget();
            }
        }
    }

    /// Returns the shard of a transactional id.
    ///
    /// # Errors
    /// 16 while there is no topic to store transactions in: the client asks for the
    /// coordinator again.
    pub(crate) fn shard(&self, id: &str) -> Result<Arc<Shard>, ErrorCode> {
        let shards = self.shards();
        if shards.is_empty() {
            return Err(ErrorCode::NOT_COORDINATOR);
        }
        Ok(Arc::clone(&shards[partition_of(id, shards.len())]))
    }

    /// Returns all shards.
    pub(crate) fn shards(&self) -> Arc<[Arc<Shard>]> {
        let shards = self.shards.read().unwrap_or_else(PoisonError::into_inner);
        Arc::clone(&shards)
    }

    /// Makes the topic that transactions are stored in, unless it is there.
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
        let topic = self.common.broker.create_transactions_topic().await?;
        for shard in self.shards().iter() {
            shard.close();
        }
        self.take_shards_of(&topic);
        self.load().await;
        Ok(())
    }

    /// Whether the topic is there, and is the one whose transactions are served.
    fn has_topic(&self) -> bool {
        let Some(topic) = self.common.broker.transactions_topic() else {
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
