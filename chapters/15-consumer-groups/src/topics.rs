//! Offsets of topics that are deleted.

use std::sync::Arc;

use message_model::TopicName;
use wire_protocol::ErrorCode;

use crate::records::{OffsetValue, Stored};
use crate::shard::Shard;
use crate::state::State;
use crate::turn::Batches;

impl State {
    /// Returns a tombstone for each committed offset for which `is_dead` holds.
    pub(crate) fn tombstones(
        &self,
        mut is_dead: impl FnMut(&str, &TopicName, &OffsetValue) -> bool,
    ) -> Vec<Stored> {
        let mut tombstones = Vec::new();
        for (group, entry) in &self.groups {
            for (topic, partition, value) in entry.offsets.iter() {
                if is_dead(group, topic, value) {
                    tombstones.push(tombstone(group, topic, partition));
                }
            }
        }
        tombstones
    }
}

/// Returns the record that says that an offset is deleted.
pub(crate) fn tombstone(group: &Arc<str>, topic: &TopicName, partition: i32) -> Stored {
    Stored::Offset {
        group: Arc::clone(group),
        topic: topic.clone(),
        partition,
        value: None,
    }
}

impl Shard {
    /// Forgets what was committed for `topics`, which are deleted.
    ///
    /// # Errors
    /// When it cannot be written down.
    pub(crate) async fn forget_topics(
        self: &Arc<Self>,
        topics: &[TopicName],
    ) -> Result<(), ErrorCode> {
        let turn = self.turn().await?;
        let (_, end) = turn
            .change(Batches::Several, |state| {
                Ok((state.tombstones(|_, topic, _| topics.contains(topic)), ()))
            })
            .await?;
        drop(turn);
        self.durable(end).await
    }
}
