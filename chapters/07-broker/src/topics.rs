//! Topics by name; created and deleted atomically, whatever crashes.
//!
//! # On disk
//! `topics.json` in the data directory says which topics exist (see
//! `registry.rs`): its replacement is the moment at which a topic exists or is
//! gone. Each partition has a directory `<topic>-<partition>`. A directory that
//! belongs to no topic is a stranger's: it is never touched.
//!
//! # Locks
//! `registry` is held while a topic is created or deleted, `live` only for a look-up.
//! This is the one place that takes other locks (`live`, a partition's) under a lock.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError, RwLock};

use disk::Disk;
use log_storage::LogConfig;
use message_model::{Offset, PartitionIndex, Timestamp, TopicName, TopicPartition};

use crate::error::Error;
use crate::partition::{OpenedPartition, Partition};
use crate::producers::Producers;
use crate::registry::{Entry, Existence, Registry};
use crate::replace_file::io_error;
use crate::topic_settings::set_topic_setting;
use crate::waits::Waits;

/// What all topics share.
#[derive(Debug, Clone, Copy)]
pub struct TopicsConfig {
    /// The settings of a topic that overrides none.
    pub log: LogConfig,
    /// The most partitions that one topic may have.
    pub partitions_max: u32,
    /// Makes the rules about producers for a partition, in the state of an empty log.
    pub producers: fn() -> Box<dyn Producers>,
}

/// The settings of a topic.
#[derive(Debug, Clone)]
pub struct TopicConfig {
    /// What its logs use.
    pub log: LogConfig,
    /// What was set for this topic, value by name.
    pub overrides: BTreeMap<String, String>,
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
    pub(crate) disk: Arc<dyn Disk>,
    pub(crate) data_dir: PathBuf,
    pub(crate) config: TopicsConfig,
    pub(crate) registry: Mutex<Registry>,
    pub(crate) live: RwLock<BTreeMap<TopicName, Arc<Topic>>>,
}

impl Topics {
    /// Creates a topic. It exists when this returns, also after a power loss.
    /// Blocks for as long as the disk takes.
    ///
    /// # Errors
    /// [`Error::Exists`]; as [`Topics::check_new`]; else as the disk says: the
    /// topic does not exist then, or it is there and empty after a restart.
    // ANCHOR: create
    pub fn create(
        &self,
        name: &TopicName,
        partitions: u32,
        overrides: BTreeMap<String, String>,
    ) -> Result<Arc<Topic>, Error> {
        let config = self.check_new(partitions, overrides)?;
        let mut registry = self.registry.lock().expect("nobody panics under this lock");
        if self.get(name).is_some() {
            return Err(Error::Exists);
        }
        self.clear(&mut registry, name)?;
        if self.has_directory(name, partitions)? {
            return Err(Error::Exists);
        }
        let mut entry = Entry {
            partitions,
            state: Existence::Creating,
            settings: config.overrides.clone(),
        };
        registry.set(name, entry.clone())?;
        let created = self
            .create_logs(name, partitions, config)
            .and_then(|topic| {
                entry.state = Existence::Live;
                registry.set(name, entry)?;
                Ok(Arc::new(topic))
            });
        match &created {
            Ok(topic) => self.insert_live(Arc::clone(topic)),
            Err(_) => self.clear_or_log(&mut registry, name),
        }
        created
    }
    // ANCHOR_END: create

    /// Whether a topic could have so many partitions and these settings.
    ///
    /// # Errors
    /// [`Error::PartitionCount`], [`Error::Setting`].
    pub fn check_new(
        &self,
        partitions: u32,
        overrides: BTreeMap<String, String>,
    ) -> Result<TopicConfig, Error> {
        let max = self.config.partitions_max;
        if partitions < 1 || partitions > max {
            return Err(Error::PartitionCount { max });
        }
        let mut log = self.config.log;
        for (name, value) in &overrides {
            set_topic_setting(&mut log, name, value)?;
        }
        Ok(TopicConfig { log, overrides })
    }

    /// Deletes a topic with all its records. Blocks for as long as the disk takes.
    ///
    /// # Errors
    /// [`Error::Unknown`]; else as the disk says.
    pub fn delete(&self, name: &TopicName) -> Result<Arc<Topic>, Error> {
        let mut registry = self.registry.lock().expect("nobody panics under this lock");
        let topic = self.get(name).ok_or(Error::Unknown)?;
        if let Some(entry) = registry.entries().get(name) {
            let state = Existence::Deleting;
            let entry = Entry {
                state,
                ..entry.clone()
            };
            registry.set(name, entry)?;
        }
        let mut live = self.live.write().unwrap_or_else(PoisonError::into_inner);
        live.remove(name);
        drop(live);
        topic
            .partitions
            .iter()
            .for_each(|partition| partition.close());
        self.clear_or_log(&mut registry, name);
        Ok(topic)
    }

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
        let topic = self.get(name).ok_or(Error::Unknown)?;
        let index = usize::try_from(partition.0).map_err(|_| Error::Unknown)?;
        topic.partitions.get(index).cloned().ok_or(Error::Unknown)
    }

    /// All topics, by name.
    #[must_use]
    pub fn all(&self) -> Vec<Arc<Topic>> {
        let live = self.live.read().unwrap_or_else(PoisonError::into_inner);
        live.values().cloned().collect()
    }

    /// Deletes the segments whose time has come; who waits for one is told.
    /// Returns what could not be done. Blocks: call it on the blocking pool.
    pub fn apply_retention(&self, now: Timestamp, waits: &Waits) -> Vec<(TopicPartition, Error)> {
        self.for_each_online(|partition| {
            if partition.apply_retention(now, Offset(i64::MAX))? > 0 {
                waits.moved(partition.name(), partition.ends()?);
            }
            Ok(())
        })
    }

    /// Notes how far each log is on disk, so that the next start looks at less.
    /// Returns what could not be done. Blocks.
    pub fn save_recovery_points(&self) -> Vec<(TopicPartition, Error)> {
        self.for_each_online(Partition::save_recovery_point)
    }

    /// Makes everything safe against power loss and saves the recovery points;
    /// for a stop. Returns what could not be done. Blocks.
    pub fn sync_all(&self) -> Vec<(TopicPartition, Error)> {
        self.for_each_online(|partition| {
            partition.sync()?;
            partition.save_recovery_point()
        })
    }

    fn for_each_online(
        &self,
        act: impl Fn(&Partition) -> Result<(), Error>,
    ) -> Vec<(TopicPartition, Error)> {
        let mut failed = Vec::new();
        for topic in self.all() {
            let online = topic.partitions.iter().filter(|one| one.ends().is_ok());
            for partition in online {
                if let Err(error) = act(partition) {
                    failed.push((partition.name().clone(), error));
                }
            }
        }
        failed
    }

    pub(crate) fn insert_live(&self, topic: Arc<Topic>) {
        let mut live = self.live.write().unwrap_or_else(PoisonError::into_inner);
        live.insert(topic.name.clone(), topic);
    }

    /// Makes the directories and empty logs. They are on disk when the registry
    /// is replaced the next time: it lies in the same directory.
    fn create_logs(
        &self,
        name: &TopicName,
        partitions: u32,
        config: TopicConfig,
    ) -> Result<Topic, Error> {
        let mut topic = Topic {
            name: name.clone(),
            partitions: Vec::new(),
            config,
        };
        for partition in names(name, partitions) {
            let opened = self.open_partition(partition, topic.config.log);
            if let Some(error) = opened.offline {
                return Err(error);
            }
            topic.partitions.push(Arc::new(opened.partition));
        }
        Ok(topic)
    }

    pub(crate) fn open_partition(
        &self,
        name: TopicPartition,
        config: LogConfig,
    ) -> OpenedPartition {
        let dir = self.data_dir.join(name.to_string());
        let producers = (self.config.producers)();
        Partition::open(Arc::clone(&self.disk), &dir, name, config, producers)
    }

    /// Removes what is left of a topic that does not exist, if anything.
    pub(crate) fn clear(&self, registry: &mut Registry, name: &TopicName) -> Result<(), Error> {
        let Some(entry) = registry.entries().get(name).cloned() else {
            return Ok(());
        };
        let present = self.list_data_dir()?;
        for partition in names(name, entry.partitions) {
            let directory = partition.to_string();
            if present.binary_search(&directory).is_ok() {
                let dir = self.data_dir.join(directory);
                self.disk
                    .remove_dir_all(&dir)
                    .map_err(|source| io_error(&dir, source))?;
            }
        }
        self.sync_data_dir()?;
        registry.remove(name)
    }

    /// What cannot be removed now is removed at the next start, or when the topic
    /// is created again.
    fn clear_or_log(&self, registry: &mut Registry, name: &TopicName) {
        if let Err(error) = self.clear(registry, name) {
            tracing::warn!(topic = %name, %error, "a deleted topic's files are still there");
        }
    }

    fn has_directory(&self, name: &TopicName, partitions: u32) -> Result<bool, Error> {
        let present = self.list_data_dir()?;
        let mut names = names(name, partitions);
        Ok(names.any(|partition| present.binary_search(&partition.to_string()).is_ok()))
    }

    /// Sorted.
    pub(crate) fn list_data_dir(&self) -> Result<Vec<String>, Error> {
        let listed = self.disk.list(&self.data_dir);
        listed.map_err(|source| io_error(&self.data_dir, source))
    }

    fn sync_data_dir(&self) -> Result<(), Error> {
        let synced = self.disk.sync_dir(&self.data_dir);
        synced.map_err(|source| io_error(&self.data_dir, source))
    }
}

/// The partitions of a topic, by index.
pub(crate) fn names(
    topic: &TopicName,
    partitions: u32,
) -> impl Iterator<Item = TopicPartition> + use<> {
    let topic = topic.clone();
    let indexes = (0..partitions).map_while(|index| i32::try_from(index).ok());
    indexes.map(move |index| TopicPartition {
        topic: topic.clone(),
        partition: PartitionIndex(index),
    })
}
