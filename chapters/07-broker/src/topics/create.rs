//! Creating a topic.

use std::ops::Range;
use std::sync::Arc;

use message_model::{TopicName, TopicPartition};

use super::registry::{Entry, Existence, Registry};
use super::{PARTITIONS_PER_PIECE, Topic, TopicConfig, Topics, names};
use crate::error::Error;
use crate::partition::Partition;
use crate::services::in_pieces;
use crate::serving::to_the_end;
use crate::topic_settings::TopicSettings;

impl Topics {
    /// The topic, created. It exists when this returns, also after a power loss.
    ///
    /// A creation that has begun goes on to its end when the caller is gone.
    ///
    /// # Errors
    /// [`Error::Exists`], also for a topic that is being created or removed at the
    /// moment; as [`Topics::check_partitions`]; else as the disk says. The topic does
    /// not exist then, or exists and is empty after a restart.
    pub async fn create(
        self: &Arc<Self>,
        name: &TopicName,
        partitions: u32,
        config: TopicConfig,
    ) -> Result<Arc<Topic>, Error> {
        self.check_partitions(partitions)?;
        let (topics, name) = (Arc::clone(self), name.clone());
        to_the_end(async move { topics.create_checked(&name, partitions, config).await }).await
    }

    // ANCHOR: create
    async fn create_checked(
        self: &Arc<Self>,
        name: &TopicName,
        partitions: u32,
        config: TopicConfig,
    ) -> Result<Arc<Topic>, Error> {
        let _claim = self.claim(name).ok_or(Error::Exists)?;
        if self.get(name).is_none() {
            // What an earlier deletion could not remove.
            self.clear(name).await?;
        }
        let mut entry = Entry {
            partitions,
            state: Existence::Creating,
            settings: config.overrides.clone(),
            growing_to: None,
        };
        self.reserve(name, entry.clone()).await?;
        let created = self.create_logs(name, 0..partitions, config.settings).await;
        let created = match created {
            Ok(partitions) => {
                entry.state = Existence::Live;
                let live = name.clone();
                let set = self.with_registry(move |registry| registry.set(&live, entry));
                set.await.map(|()| {
                    Arc::new(Topic {
                        name: name.clone(),
                        partitions,
                        config,
                    })
                })
            }
            Err(error) => Err(error),
        };
        match &created {
            Ok(topic) => self.insert_live(Arc::clone(topic)),
            Err(_) => self.clear_or_log(name).await,
        }
        created
    }
    // ANCHOR_END: create

    /// Whether a topic could have so many partitions.
    ///
    /// # Errors
    /// [`Error::PartitionCount`].
    pub fn check_partitions(&self, partitions: u32) -> Result<(), Error> {
        let max = self.config.partitions_max;
        if partitions < 1 || partitions > max {
            return Err(Error::PartitionCount { max });
        }
        Ok(())
    }

    /// Writes down that the topic's directories are ours from now on, and that
    /// no other creation may have the name.
    async fn reserve(self: &Arc<Self>, name: &TopicName, entry: Entry) -> Result<(), Error> {
        let (topics, name) = (Arc::clone(self), name.clone());
        self.with_registry(move |registry| {
            if registry.entries().contains_key(&name)
                || topics.has_directory(&name, 0..entry.partitions)?
            {
                return Err(Error::Exists);
            }
            topics.check_total(registry, entry.partitions)?;
            registry.set(&name, entry)
        })
        .await
    }

    /// Every partition takes descriptors and memory, so their number is limited.
    /// `partitions` come on top of what there is.
    pub(super) fn check_total(&self, registry: &Registry, partitions: u32) -> Result<(), Error> {
        let max = self.config.partitions_total_max;
        let entries = registry.entries().values();
        let present: usize = entries.map(|entry| entry.reserved() as usize).sum();
        if present.saturating_add(partitions as usize) > max {
            let left = max.saturating_sub(present);
            let max = u32::try_from(left).unwrap_or(u32::MAX);
            return Err(Error::PartitionCount { max });
        }
        Ok(())
    }

    /// Makes the directories and empty logs of these partitions, some at a time.
    /// They are on disk when the registry is replaced the next time: it is in the
    /// same directory.
    pub(super) async fn create_logs(
        self: &Arc<Self>,
        name: &TopicName,
        partitions: Range<u32>,
        settings: TopicSettings,
    ) -> Result<Vec<Arc<Partition>>, Error> {
        let topics = Arc::clone(self);
        let mut wanted = names(name, partitions).peekable();
        let mut opened = Vec::new();
        let lane = &self.services.lanes.administration;
        in_pieces(lane, name.to_string(), move || {
            for partition in wanted.by_ref().take(PARTITIONS_PER_PIECE) {
                match topics.create_log(partition, settings) {
                    Ok(partition) => opened.push(Arc::new(partition)),
                    Err(error) => return Some(Err(error)),
                }
            }
            let is_done = wanted.peek().is_none();
            is_done.then(|| Ok(std::mem::take(&mut opened)))
        })
        .await
    }

    fn create_log(
        &self,
        name: TopicPartition,
        settings: TopicSettings,
    ) -> Result<Partition, Error> {
        let dir = self.data_dir.join(name.to_string());
        let opened = Partition::create(&self.services, &dir, name, settings);
        match opened.offline {
            Some(error) => Err(error),
            None => Ok(opened.partition),
        }
    }

    pub(super) fn has_directory(
        &self,
        name: &TopicName,
        partitions: Range<u32>,
    ) -> Result<bool, Error> {
        let present = self.list_data_dir()?;
        let mut names = names(name, partitions);
        Ok(names.any(|partition| present.binary_search(&partition.to_string()).is_ok()))
    }
}
