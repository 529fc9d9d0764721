//! What the records of `__consumer_offsets` make of a shard, when they are read at the start
//! and when they have just been appended.

use std::collections::BTreeMap;
use std::sync::Arc;

use message_model::Offset;

use crate::common::Common;
use crate::entry::Entry;
use crate::part::Group;
use crate::records::{GroupValue, Stored};
use crate::shard::Shard;
use crate::state::{Serving, State};

impl Shard {
    /// Applies records that were appended and end at `end`.
    pub(crate) fn apply(&self, records: &[Stored], end: Offset) {
        let mut state = self.state();
        for record in records {
            match record {
                Stored::Offset { .. } => state.apply_offset(&self.common, record, end),
                Stored::Group { group, value: None } => state.remove_group(group, end),
                // The group itself is ahead of what is stored of it.
                Stored::Group { .. } | Stored::Unknown => {}
            }
        }
    }
}

impl State {
    /// Applies a record of a committed offset, which makes a group if there is none.
    fn apply_offset(&mut self, common: &Common, record: &Stored, end: Offset) {
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
        entry.offsets.set(topic, *partition, value.clone());
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
    pub(crate) fn read(&mut self, common: &Common, record: Stored) {
        match record {
            Stored::Offset { .. } => self.state.apply_offset(common, &record, Offset::ZERO),
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
            let offsets = state.groups.remove(&*id).map(|entry| entry.offsets);
            let mut entry = Entry::with_group(common, group);
            entry.offsets = offsets.unwrap_or_default();
            entry.since = value.since;
            state.groups.insert(Arc::clone(&id), entry);
            effects_of.push((id, effects));
        }
        *shard.state() = state;
        let wall = common.broker.services.clock.wall();
        for (id, effects) in effects_of {
            let todo = shard.state().settle(shard.index, &id, effects, wall);
            shard.carry_out(todo);
        }
    }
}
