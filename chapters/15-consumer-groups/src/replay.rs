//! What the records of `__consumer_offsets` make of a shard, when they are read at the start
//! and when they have just been appended.

use std::collections::BTreeMap;
use std::sync::Arc;

use message_model::{Offset, ProducerId};
use record_batch::Marker;

use crate::common::Common;
use crate::entry::Entry;
use crate::part::Group;
use crate::records::{GroupValue, Stored};
use crate::shard::Shard;
use crate::state::{Serving, State};
use crate::transactions::Transaction;

impl Shard {
    /// Applies records that were appended and end at `end`, in a transaction or not.
    pub(crate) fn apply(&self, records: &[Stored], end: Offset, transaction: Option<Transaction>) {
        let mut state = self.state();
        let count = i64::try_from(records.len()).expect("a batch has few records");
        for (record, index) in records.iter().zip(0..) {
            let at = end.plus(index - count);
            match (record, transaction) {
                (_, Some(Transaction { producer, .. })) => {
                    state.apply_pending(&self.common, producer, record, at);
                }
                (Stored::Offset { .. }, None) => {
                    state.apply_offset(&self.common, record, at, end);
                }
                (Stored::Group { group, value: None }, None) => state.remove_group(group, end),
                // The group itself is ahead of what is stored of it.
                (Stored::Group { .. } | Stored::Unknown, None) => {}
            }
        }
    }
}

impl State {
    /// Applies the record of a committed offset at `at`, which makes a group if there is none.
    /// The batch that it is in ends at `end`.
    fn apply_offset(&mut self, common: &Common, record: &Stored, at: Offset, end: Offset) {
        let Stored::Offset {
            group,
            topic,
            partition,
            value,
        } = record
        else {
            return;
        };
        if value.is_none() && !self.groups.contains_key(&**group) {
            return;
        }
        let entry = self.entry(group, common);
        if value.is_none() {
            entry.pending.void(topic, *partition, at);
        }
        entry.offsets.set(topic, *partition, value.clone(), at);
        entry.changed_at = end;
        entry.recount(group);
    }

    /// Removes a group that was deleted, unless members have come meanwhile.
    fn remove_group(&mut self, group: &str, end: Offset) {
        if let Some(entry) = self.groups.get_mut(group) {
            entry.changed_at = end;
            if entry.group.delete().is_ok() {
                self.groups.remove(group);
            }
        }
    }
}

/// What the records that were read so far say.
#[derive(Debug)]
pub(crate) struct Replay {
    state: State,
    /// The last that was stored of each group; the members come to life at the end.
    groups: BTreeMap<Arc<str>, GroupValue>,
}

impl Replay {
    pub(crate) fn new() -> Replay {
        Replay {
            state: State::new(Serving::Loading),
            groups: BTreeMap::new(),
        }
    }

    /// Takes the next record. All of them are on disk.
    // ANCHOR: replay
    pub(crate) fn read(
        &mut self,
        common: &Common,
        record: Stored,
        at: Offset,
        transaction: Option<ProducerId>,
    ) {
        if let Some(producer) = transaction {
            return self.state.apply_pending(common, producer, &record, at);
        }
        match record {
            Stored::Offset { .. } => self.state.apply_offset(common, &record, at, Offset::ZERO),
            Stored::Group {
                group,
                value: Some(value),
            } => {
                self.groups.insert(group, value);
            }
            Stored::Group { group, value: None } => {
                self.groups.remove(&group);
                self.state.remove_group(&group, Offset::ZERO);
            }
            Stored::Unknown => {}
        }
    }
    // ANCHOR_END: replay

    /// Takes the next marker.
    pub(crate) fn end_transaction(&mut self, producer: ProducerId, marker: Marker) {
        self.state.end_transaction(producer, marker, Offset::ZERO);
    }

    /// Puts what was read into the shard, which serves from now on.
    pub(crate) fn finish(self, shard: &Arc<Shard>) {
        let Replay { mut state, groups } = self;
        let common = &shard.common;
        let now = common.now();
        state.serving = Serving::Yes;
        let mut effects_of = Vec::new();
        for (id, value) in groups {
            let limits = Arc::clone(&common.of_group);
            let (group, effects) = Group::restore(now, limits, value.group);
            let before = state.groups.remove(&*id);
            let before = before.map(|entry| (entry.offsets, entry.pending));
            let mut entry = Entry::with_group(common, group);
            (entry.offsets, entry.pending) = before.unwrap_or_default();
            entry.since = value.since;
            state.groups.insert(Arc::clone(&id), entry);
            effects_of.push((id, effects));
        }
        {
            let mut there = shard.state();
            // A stop came first, and is not to be undone.
            if there.serving != Serving::Loading {
                return;
            }
            state.deleted = std::mem::take(&mut there.deleted);
            *there = state;
        }
        let wall = common.broker.services.clock.wall();
        for (id, effects) in effects_of {
            let todo = shard.state().settle(shard.index, &id, effects, wall);
            shard.carry_out(todo);
        }
    }
}
