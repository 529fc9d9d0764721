//! Topics by name; created and deleted atomically, whatever crashes.
//!
//! # On disk
//! `topics.json` in the data directory says which topics exist: it is replaced
//! as a whole (write, sync, rename, sync the directory), and its replacement is
//! the moment at which a topic exists or is gone. Each partition has a directory
//! `<topic>-<partition>`.

use std::path::Path;
use std::sync::Arc;

use log_storage::{Disk, LogConfig, Truncated};
use message_model::{PartitionIndex, Timestamp, TopicName, TopicPartition};

use crate::error::Error;
use crate::partition::Partition;
use crate::producers::Producers;
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

/// What [`Topics::open`] found.
#[derive(Debug)]
pub struct Opened {
    /// The topics.
    pub topics: Topics,
    /// Torn tails that were cut off.
    pub truncated: Vec<(TopicPartition, Truncated)>,
    /// Partitions that are offline, and why.
    pub offline: Vec<(TopicPartition, Error)>,
    /// Directories that belong to no topic; they are left alone.
    pub strangers: Vec<String>,
}

/// The settings of a topic.
#[derive(Debug, Clone)]
pub struct TopicConfig {
    /// What its logs use.
    pub log: LogConfig,
    /// What was set for this topic, name and value, by name.
    pub overrides: Vec<(String, String)>,
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
pub struct Topics {}

impl Topics {
    /// Opens what the data directory holds, finishes deletions and undoes
    /// creations that a crash interrupted, and recovers every log.
    ///
    /// A partition whose log is damaged or cannot be opened is there, offline.
    ///
    /// # Errors
    /// When the directory or `topics.json` cannot be read.
    pub fn open(
        disk: Arc<dyn Disk>,
        data_dir: &Path,
        config: TopicsConfig,
    ) -> Result<Opened, Error> {
        let _ = (disk, data_dir, config);
        todo!()
    }

    /// Creates a topic. It exists when this returns, also after a power loss.
    ///
    /// # Errors
    /// [`Error::Exists`]; else as the disk says, and then it does not exist.
    pub fn create(
        &self,
        now: Timestamp,
        name: &TopicName,
        partitions: u32,
        overrides: Vec<(String, String)>,
    ) -> Result<Arc<Topic>, Error> {
        let _ = (now, name, partitions, overrides);
        todo!()
    }

    /// Deletes a topic with all its records.
    ///
    /// # Errors
    /// [`Error::Unknown`]; else as the disk says.
    pub fn delete(&self, name: &TopicName) -> Result<Arc<Topic>, Error> {
        let _ = name;
        todo!()
    }

    /// A topic.
    #[must_use]
    pub fn get(&self, name: &TopicName) -> Option<Arc<Topic>> {
        let _ = name;
        todo!()
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
        let _ = (name, partition);
        todo!()
    }

    /// What is to be done every now and then: deletes segments whose time has
    /// come, and saves the recovery points. Returns what could not be done.
    /// Blocks: call it on the blocking pool.
    pub fn tick(&self, now: Timestamp, waits: &Waits) -> Vec<(TopicPartition, Error)> {
        let _ = (now, waits);
        todo!()
    }

    /// Makes everything safe against power loss and saves the recovery points;
    /// for a stop. Returns what could not be done. Blocks.
    pub fn sync_all(&self) -> Vec<(TopicPartition, Error)> {
        todo!()
    }

    /// All topics, by name.
    #[must_use]
    pub fn all(&self) -> Vec<Arc<Topic>> {
        todo!()
    }
}
