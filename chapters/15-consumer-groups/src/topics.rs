//! Offsets of topics that are deleted.

use std::sync::Arc;

use message_model::TopicName;
use wire_protocol::ErrorCode;

use crate::records::Stored;
use crate::shard::Shard;
use crate::state::{Serving, State};
use crate::turn::Batches;

impl State {
    /// Returns a tombstone for each offset of a topic for which `is_dead` holds, committed or
    /// in a transaction that is open.
    pub(crate) fn tombstones(&self, is_dead: impl Fn(&TopicName) -> bool) -> Vec<Stored> {
        let mut tombstones = Vec::new();
        for (group, entry) in &self.groups {
            let places = entry.places().into_iter();
            let dead = places.filter(|(topic, _)| is_dead(topic));
            tombstones.extend(dead.map(|(topic, partition)| tombstone(group, topic, partition)));
        }
        tombstones
    }
}

/// Returns the record that says that an offset is deleted. It is in no transaction, and also
/// voids what is before it in the log of transactions that are still open.
pub(crate) fn tombstone(group: &Arc<str>, topic: &TopicName, partition: i32) -> Stored {
    Stored::Offset {
        group: Arc::clone(group),
        topic: topic.clone(),
        partition,
        value: None,
    }
}

impl Shard {
    /// Forgets what was committed for `topics`, which are deleted, and what open transactions
    /// were to commit for them. While the shard is loaded, that is done at the end of it.
    ///
    /// # Errors
    /// When it cannot be written down.
    pub(crate) async fn forget_topics(
        self: &Arc<Self>,
        topics: &[TopicName],
    ) -> Result<(), ErrorCode> {
        {
            let mut state = self.state();
            if state.serving == Serving::Loading {
                state.deleted.extend(topics.iter().cloned());
                return Ok(());
            }
        }
        let turn = self.turn().await?;
        let (_, end) = turn
            .change(Batches::Several, |state| {
                Ok((state.tombstones(|topic| topics.contains(topic)), ()))
            })
            .await?;
        drop(turn);
        self.durable(end).await
    }
}
