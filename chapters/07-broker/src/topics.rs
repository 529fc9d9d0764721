//! Topics by name; created, grown, changed and deleted atomically, whatever crashes.
//!
//! # On disk
//! `topics.json` in the data directory says which topics exist (see
//! `registry.rs`): its replacement is the moment at which a topic exists, has more
//! partitions or other settings, or is gone. Each partition has a directory `<topic>-<partition>`. A directory that
//! belongs to no topic is a stranger's: it is never touched.
//!
//! # Locks
//! `registry` is held while `topics.json` is replaced, by a task that waits for
//! the disk, and by no change of a topic that exists before `live` has it too;
//! `live` for a look-up. Neither is held while the logs of a topic are
//! created or removed, so that a large topic does not hold up a small one.

mod compaction;
mod configure;
mod create;
mod delete;
mod grow;
mod open;
mod registry;
mod upkeep;

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock};

use message_model::{PartitionIndex, TopicName, TopicPartition};
use tokio::sync::{Mutex as AsyncMutex, Notify};

use crate::error::{Error, io_error};
use crate::partition::Partition;
use crate::services::{Services, once};
use crate::topic_settings::{SettingError, TopicSettings, set_topic_setting};
use registry::Registry;

pub use compaction::CompactedAll;
pub use open::Opened;
pub use upkeep::{Failed, SyncedAll};

/// How many partitions are created or removed in one piece of work.
const PARTITIONS_PER_PIECE: usize = 16;

/// What all topics share.
#[derive(Debug, Clone, Copy)]
pub struct TopicsConfig {
    /// The settings of a topic that overrides none.
    pub settings: TopicSettings,
    /// The most partitions that one topic may have.
    pub partitions_max: u32,
    /// The most partitions of all topics together: each takes descriptors.
    pub partitions_total_max: usize,
    /// How many logs are opened at a time at the start.
    pub open_threads: usize,
}

/// The settings of a topic.
#[derive(Debug, Clone)]
pub struct TopicConfig {
    /// Its values.
    pub settings: TopicSettings,
    /// What was set for this topic, value by name.
    pub overrides: BTreeMap<String, String>,
}

impl TopicConfig {
    /// Sets one value; of several for a name the last one counts.
    ///
    /// # Errors
    /// When there is no such setting, or it cannot have that value.
    pub fn set(&mut self, name: &str, value: &str) -> Result<(), SettingError> {
        set_topic_setting(&mut self.settings, name, value)?;
        self.overrides.insert(name.to_owned(), value.to_owned());
        Ok(())
    }
}

/// A topic.
#[derive(Debug)]
pub struct Topic {
    /// Its name.
    pub name: TopicName,
    /// Its partitions, by index.
    pub partitions: Vec<Arc<Partition>>,
    /// Its settings.
    pub config: TopicConfig,
}

/// All topics of the broker.
#[derive(Debug)]
pub struct Topics {
    services: Arc<Services>,
    data_dir: PathBuf,
    config: TopicsConfig,
    registry: Arc<AsyncMutex<Registry>>,
    live: RwLock<BTreeMap<TopicName, Arc<Topic>>>,
    /// Topics that are being created, grown or deleted at the moment.
    busy: Mutex<BTreeSet<TopicName>>,
    /// One of them is no longer.
    freed: Notify,
}

/// The right to create, grow or delete a topic; dropping it gives the right back.
struct Claim<'a> {
    topics: &'a Topics,
    name: TopicName,
}

impl Drop for Claim<'_> {
    fn drop(&mut self) {
        self.topics.busy().remove(&self.name);
        self.topics.freed.notify_waiters();
    }
}

impl Topics {
    /// A topic.
    #[must_use]
    pub fn get(&self, name: &TopicName) -> Option<Arc<Topic>> {
        let live = self.live.read().unwrap_or_else(PoisonError::into_inner);
        live.get(name).cloned()
    }

    /// A partition.
    ///
    /// # Errors
    /// [`Error::Unknown`].
    pub fn partition(
        &self,
        name: &TopicName,
        partition: PartitionIndex,
    ) -> Result<Arc<Partition>, Error> {
        let live = self.live.read().unwrap_or_else(PoisonError::into_inner);
        let topic = live.get(name).ok_or(Error::Unknown)?;
        let index = usize::try_from(partition.0).map_err(|_| Error::Unknown)?;
        topic.partitions.get(index).cloned().ok_or(Error::Unknown)
    }

    /// The settings of a topic for which none is set: the broker's.
    #[must_use]
    pub fn new_config(&self) -> TopicConfig {
        TopicConfig {
            settings: self.config.settings,
            overrides: BTreeMap::new(),
        }
    }

    /// Where they are.
    #[must_use]
    pub fn data_dir(&self) -> &Path {
        &self.data_dir
    }

    /// All topics, by name.
    #[must_use]
    pub fn all(&self) -> Vec<Arc<Topic>> {
        let live = self.live.read().unwrap_or_else(PoisonError::into_inner);
        live.values().cloned().collect()
    }

    fn insert_live(&self, topic: Arc<Topic>) {
        let mut live = self.live.write().unwrap_or_else(PoisonError::into_inner);
        live.insert(topic.name.clone(), topic);
    }

    /// What `work` makes of the registry, which it may replace on disk.
    async fn with_registry<T: Send + 'static>(
        &self,
        work: impl FnOnce(&mut Registry) -> T + Send + 'static,
    ) -> T {
        let mut registry = Arc::clone(&self.registry).lock_owned().await;
        let lane = &self.services.lanes.administration;
        once(lane, registry::FILE.to_owned(), move || work(&mut registry)).await
    }

    /// Completes when nothing else creates, grows or deletes the topic.
    async fn claim_in_turn(&self, name: &TopicName) -> Claim<'_> {
        loop {
            let freed = self.freed.notified();
            if let Some(claim) = self.claim(name) {
                return claim;
            }
            freed.await;
        }
    }

    /// `None` while the topic is being created, grown or deleted.
    fn claim(&self, name: &TopicName) -> Option<Claim<'_>> {
        let claimed = self.busy().insert(name.clone());
        claimed.then(|| Claim {
            topics: self,
            name: name.clone(),
        })
    }

    fn busy(&self) -> MutexGuard<'_, BTreeSet<TopicName>> {
        self.busy.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The names in the data directory, sorted.
    fn list_data_dir(&self) -> Result<Vec<String>, Error> {
        let listed = self.services.disk.list(&self.data_dir);
        listed.map_err(|source| io_error(&self.data_dir, source))
    }
}

/// Partitions of a topic, by index.
fn names(
    topic: &TopicName,
    partitions: Range<u32>,
) -> impl Iterator<Item = TopicPartition> + use<> {
    let topic = topic.clone();
    let indexes = partitions.map_while(|index| i32::try_from(index).ok());
    indexes.map(move |index| TopicPartition {
        topic: topic.clone(),
        partition: PartitionIndex(index),
    })
}
