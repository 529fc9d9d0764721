//! Giving a topic more partitions.
//!
//! In `topics.json`, `growing_to` comes first, then the directories, then the new
//! number of `partitions`: that replacement is the moment at which the topic has them.

use std::ops::Range;
use std::sync::{Arc, PoisonError};

use message_model::TopicName;
use wire_protocol::ErrorCode;

use super::registry::Entry;
use super::{Topic, Topics};
use crate::error::Error;
use crate::partition::Partition;
use crate::serving::to_the_end;
use crate::topic_settings::TopicSettings;

impl Topics {
    /// Gives a topic more partitions, so that it has `count` in all. It has them
    /// when this returns, also after a power loss. The partitions that it had go on.
    ///
    /// Growth that has begun goes on to its end when the caller is gone.
    ///
    /// # Errors
    /// As [`Topics::check_growth`], and as the disk says. The topic has the partitions
    /// that it had then; or it has all of them after a restart, the new ones empty.
    pub async fn grow(self: &Arc<Self>, name: &TopicName, count: u32) -> Result<(), Error> {
        let (topics, name) = (Arc::clone(self), name.clone());
        to_the_end(async move { topics.grow_to_the_end(&name, count).await }).await
    }

    // ANCHOR: grow
    async fn grow_to_the_end(self: &Arc<Self>, name: &TopicName, count: u32) -> Result<(), Error> {
        let _claim = self.claim_in_turn(name).await;
        // What an earlier growth could not remove.
        self.clear_growth(name).await?;
        let (new, settings) = self.reserve_growth(name, count).await?;
        let created = self.create_logs(name, new, settings).await;
        let grown = match created {
            Ok(partitions) => self.take_in(name, count, partitions).await,
            Err(error) => Err(error),
        };
        if grown.is_err()
            && let Err(error) = self.clear_growth(name).await
        {
            tracing::warn!(topic = %name, %error, "files of partitions that do not exist are still there");
        }
        grown
    }
    // ANCHOR_END: grow

    /// Whether a topic could have `count` partitions in all, as far as is known
    /// before it is done.
    ///
    /// # Errors
    /// [`Error::Unknown`]; [`Error::PartitionCount`], if that is more than one topic or
    /// all topics together can have; code 37 if the topic has as many already.
    pub async fn check_growth(&self, name: &TopicName, count: u32) -> Result<(), Error> {
        let registry = self.registry.lock().await;
        let entry = registry.live(name)?;
        self.may_grow(entry, count)?;
        self.check_total(&registry, count - entry.partitions)
    }

    fn may_grow(&self, entry: &Entry, count: u32) -> Result<(), Error> {
        if count <= entry.partitions {
            return Err(Error::Rejected(ErrorCode::INVALID_PARTITIONS));
        }
        self.check_partitions(count)
    }

    /// Writes down that the directories of the new partitions are ours from now on.
    /// Returns which partitions those are, and what their logs begin with.
    async fn reserve_growth(
        self: &Arc<Self>,
        name: &TopicName,
        count: u32,
    ) -> Result<(Range<u32>, TopicSettings), Error> {
        let (topics, name) = (Arc::clone(self), name.clone());
        self.with_registry(move |registry| {
            let entry = registry.live(&name)?.clone();
            topics.may_grow(&entry, count)?;
            topics.check_total(registry, count - entry.partitions)?;
            let new = entry.partitions..count;
            if topics.has_directory(&name, new.clone())? {
                return Err(Error::Exists);
            }
            let topic = topics.get(&name).ok_or(Error::Unknown)?;
            let growing_to = Some(count);
            registry.set(
                &name,
                Entry {
                    growing_to,
                    ..entry
                },
            )?;
            Ok((new, topic.config.settings))
        })
        .await
    }

    /// The moment at which the topic has the new partitions.
    async fn take_in(
        self: &Arc<Self>,
        name: &TopicName,
        count: u32,
        new: Vec<Arc<Partition>>,
    ) -> Result<(), Error> {
        let (topics, name) = (Arc::clone(self), name.clone());
        self.with_registry(move |registry| {
            let grown = Entry {
                partitions: count,
                growing_to: None,
                ..registry.live(&name)?.clone()
            };
            registry.set(&name, grown)?;
            let mut live = topics.live.write().unwrap_or_else(PoisonError::into_inner);
            let topic = live.get_mut(&name).ok_or(Error::Unknown)?;
            for partition in &new {
                // They may have changed while the logs were made.
                partition.set_settings(topic.config.settings);
            }
            *topic = Arc::new(Topic {
                name: name.clone(),
                partitions: topic.partitions.iter().cloned().chain(new).collect(),
                config: topic.config.clone(),
            });
            Ok(())
        })
        .await
    }

    /// Removes what is left of partitions that a topic was to get and does not have.
    async fn clear_growth(self: &Arc<Self>, name: &TopicName) -> Result<(), Error> {
        let entry = self.registry.lock().await.live(name)?.clone();
        if entry.growing_to.is_none() {
            return Ok(());
        }
        self.remove_directories(name, entry.partitions..entry.reserved())
            .await?;
        let name = name.clone();
        self.with_registry(move |registry| {
            let entry = registry.live(&name)?.clone();
            let growing_to = None;
            registry.set(
                &name,
                Entry {
                    growing_to,
                    ..entry
                },
            )
        })
        .await
    }
}
