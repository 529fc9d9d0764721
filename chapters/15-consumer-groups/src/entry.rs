//! One group of a shard, with everything that the broker knows of it.

use std::collections::BTreeSet;
use std::sync::Arc;

use message_model::{Moment, Offset, Timestamp, TopicName};

use crate::common::Common;
use crate::offsets::Offsets;
use crate::part::Group;
use crate::room::Counted;
use crate::transactions::Pending;

/// What a group costs beside its members and offsets, in bytes.
const ENTRY: usize = 512;

/// A group of a shard.
#[derive(Debug)]
pub(crate) struct Entry {
    /// Another one for each group, also if it has the id of one before it.
    pub(crate) number: u64,
    pub(crate) group: Group,
    pub(crate) offsets: Offsets,
    /// Of transactions that are open.
    pub(crate) pending: Pending,
    /// When it was stored in the state in which it is; `NONE` if it never was.
    pub(crate) since: Timestamp,
    /// The end of its last change in the log: what is read here is on disk when that is.
    pub(crate) changed_at: Offset,
    /// For when its alarm is set.
    pub(crate) alarm: Option<Moment>,
    counted: Counted,
}

impl Entry {
    /// Returns a group that nobody has joined, without offsets.
    pub(crate) fn new(common: &Common) -> Entry {
        Entry::with_group(common, Group::new(Arc::clone(&common.of_group)))
    }

    /// Returns `group`, without offsets.
    pub(crate) fn with_group(common: &Common, group: Group) -> Entry {
        Entry {
            number: common.number(),
            group,
            offsets: Offsets::default(),
            pending: Pending::default(),
            since: Timestamp::NONE,
            changed_at: Offset::ZERO,
            alarm: None,
            counted: common.room.count_entry(),
        }
    }

    /// Counts what it takes now.
    pub(crate) fn recount(&mut self, id: &str) {
        let bytes = ENTRY + id.len() + self.group.bytes();
        let bytes = bytes + self.offsets.bytes() + self.pending.bytes();
        self.counted.set(bytes);
    }

    /// Returns the partitions for which an offset is committed, or may be when a transaction
    /// is: in the log is a record of each.
    pub(crate) fn places(&self) -> BTreeSet<(&TopicName, i32)> {
        let committed = self.offsets.iter();
        let committed = committed.map(|(topic, partition, _)| (topic, partition));
        committed.chain(self.pending.places()).collect()
    }

    /// Returns whether nothing is lost when it is forgotten: nothing of it was ever stored.
    pub(crate) fn is_nothing(&self) -> bool {
        let has_offsets = !self.offsets.is_empty() || !self.pending.is_empty();
        self.group.is_idle() && self.group.generation() == 0 && !has_offsets
    }
}
