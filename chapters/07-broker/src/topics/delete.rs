//! Deleting a topic, and removing what is left of one.

use std::ops::Range;
use std::sync::{Arc, PoisonError};

use message_model::TopicName;

use super::registry::{Entry, Existence};
use super::{PARTITIONS_PER_PIECE, Topics, names};
use crate::error::{Error, io_error};
use crate::services::in_pieces;
use crate::serving::to_the_end;

impl Topics {
    /// Deletes a topic with all its records. Requests that wait for one are woken.
    ///
    /// # Errors
    /// [`Error::Unknown`]; else as the disk says.
    pub async fn delete(self: &Arc<Self>, name: &TopicName) -> Result<(), Error> {
        // A request may name many thousand; none of them waits for the list of topics.
        if self.get(name).is_none() {
            return Err(Error::Unknown);
        }
        let (topics, name) = (Arc::clone(self), name.clone());
        to_the_end(async move { topics.delete_to_the_end(&name).await }).await
    }

    async fn delete_to_the_end(self: &Arc<Self>, name: &TopicName) -> Result<(), Error> {
        let _claim = self.claim_in_turn(name).await;
        let deleted = name.clone();
        self.with_registry(move |registry| {
            let state = Existence::Deleting;
            let entry = registry.live(&deleted)?.clone();
            registry.set(&deleted, Entry { state, ..entry })
        })
        .await?;
        let topic = {
            let mut live = self.live.write().unwrap_or_else(PoisonError::into_inner);
            live.remove(name)
        };
        for partition in topic.iter().flat_map(|topic| &topic.partitions) {
            partition.close().await;
        }
        self.clear_or_log(name).await;
        Ok(())
    }

    /// What cannot be removed now is removed at the next start.
    pub(super) async fn clear_or_log(self: &Arc<Self>, name: &TopicName) {
        if let Err(error) = self.clear(name).await {
            tracing::warn!(topic = %name, %error, "a deleted topic's files are still there");
        }
    }

    /// Removes what is left of a topic that does not exist, some partitions at a
    /// time, and then its entry.
    pub(super) async fn clear(self: &Arc<Self>, name: &TopicName) -> Result<(), Error> {
        let entry = {
            let registry = self.registry.lock().await;
            registry.entries().get(name).cloned()
        };
        let Some(entry) = entry else {
            return Ok(());
        };
        self.remove_directories(name, 0..entry.reserved()).await?;
        let name = name.clone();
        self.with_registry(move |registry| registry.remove(&name))
            .await
    }

    /// Removes the directories of these partitions, some at a time.
    pub(super) async fn remove_directories(
        self: &Arc<Self>,
        name: &TopicName,
        partitions: Range<u32>,
    ) -> Result<(), Error> {
        let topics = Arc::clone(self);
        let mut partitions = names(name, partitions).peekable();
        let lane = &self.services.lanes.administration;
        in_pieces(lane, name.to_string(), move || {
            for partition in partitions.by_ref().take(PARTITIONS_PER_PIECE) {
                if let Err(error) = topics.remove_directory(&partition.to_string()) {
                    return Some(Err(error));
                }
            }
            partitions.peek().is_none().then(|| topics.sync_data_dir())
        })
        .await
    }

    /// Removes a partition's directory, if there is one.
    pub(super) fn remove_directory(&self, directory: &str) -> Result<(), Error> {
        let dir = self.data_dir.join(directory);
        match self.services.disk.remove_dir_all(&dir) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
                Err(io_error(&dir, error))
            }
            _ => Ok(()),
        }
    }

    pub(super) fn sync_data_dir(&self) -> Result<(), Error> {
        let synced = self.services.disk.sync_dir(&self.data_dir);
        synced.map_err(|source| io_error(&self.data_dir, source))
    }
}
