//! Offsets that nobody has used for long, and groups that have nothing left.

use std::sync::Arc;
use std::time::Duration;

use message_model::Timestamp;
use wire_protocol::ErrorCode;

use crate::entry::Entry;
use crate::part::State as GroupState;
use crate::records::{OffsetValue, Stored};
use crate::shard::Shard;
use crate::subscription::Subscribed;
use crate::topics::tombstone;
use crate::turn::Batches;

impl Shard {
    /// Deletes the offsets that have expired, and empty groups without offsets, group by
    /// group, so that others have their turn in between.
    ///
    /// # Errors
    /// When it cannot be written down.
    pub(crate) async fn expire_offsets(self: &Arc<Self>) -> Result<(), ErrorCode> {
        let now = self.common.broker.services.clock.wall();
        let retention = self.common.settings.retention;
        let groups = {
            let state = self.serving()?;
            let has_expired = |id, entry| !expired(id, entry, now, retention).is_empty();
            let groups = state
                .groups
                .iter()
                .filter(|(id, entry)| has_expired(id, entry));
            groups.map(|(id, _)| Arc::clone(id)).collect::<Vec<_>>()
        };
        for group in groups {
            let turn = self.turn().await?;
            turn.change(Batches::Several, |state| {
                let entry = state.groups.get(&group);
                let records = entry.map(|entry| expired(&group, entry, now, retention));
                Ok((records.unwrap_or_default(), ()))
            })
            .await?;
        }
        Ok(())
    }
}

/// Returns the tombstones of what has expired of a group.
fn expired(group: &Arc<str>, entry: &Entry, now: Timestamp, retention: Duration) -> Vec<Stored> {
    let lives_from = lives_from(entry);
    let mut tombstones = Vec::new();
    let mut left = 0;
    for (topic, partition, value) in entry.offsets.iter() {
        let is_over = match (&lives_from, value.expires_at) {
            (LivesFrom::Never, _) => false,
            // A tombstone would void what the transaction is to commit.
            _ if entry.pending.has(topic, partition) => false,
            (LivesFrom::Commit(reads), _) if reads.reads(topic.as_str()) => false,
            (_, Some(expires_at)) => now >= expires_at,
            (from, None) => now.since(from.of(value)) >= retention,
        };
        match is_over {
            true => tombstones.push(tombstone(group, topic, partition)),
            false => left += 1,
        }
    }
    left += usize::from(!entry.pending.is_empty());
    if left == 0 && entry.group.state() == GroupState::Empty && entry.group.is_idle() {
        tombstones.push(Stored::Group {
            group: Arc::clone(group),
            value: None,
        });
    }
    tombstones
}

/// From when on an offset has its time.
enum LivesFrom {
    /// It does not expire: members may need it.
    Never,
    /// Since it was committed, if no member reads its topic.
    Commit(Subscribed),
    /// Since the group is empty.
    Empty(Timestamp),
}

impl LivesFrom {
    fn of(&self, value: &OffsetValue) -> Timestamp {
        match self {
            LivesFrom::Empty(since) if *since != Timestamp::NONE => *since,
            _ => value.committed_at,
        }
    }
}

fn lives_from(entry: &Entry) -> LivesFrom {
    let group = &entry.group;
    match group.state() {
        // Nobody has ever joined: consumers that choose their partitions themselves.
        GroupState::Empty if group.protocol_type().is_empty() => LivesFrom::Empty(Timestamp::NONE),
        GroupState::Empty => LivesFrom::Empty(entry.since),
        GroupState::Stable => match Subscribed::of(&group.describe()) {
            Subscribed::Unknown { .. } => LivesFrom::Never,
            topics => LivesFrom::Commit(topics),
        },
        _ => LivesFrom::Never,
    }
}
