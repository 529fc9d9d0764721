//! Which records of a compacted topic survive.
//!
//! A log is compacted in passes. A pass takes the *dirty section*, what no pass has seen
//! before, and notes the newest offset of each key in it. Then the log is written
//! again, from its start to the end of the section, without the records that do not survive.
//!
//! # Invariants
//! - The newest record of each key survives. A reader from offset 0 sees the same last
//!   value of each key before and after a pass.
//! - A record without a value, a *tombstone*, deletes its key. It survives until its
//!   batch's *delete horizon*, which is set when nothing older of its key is left.
//!
//! Start reading at [`survives`].

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::hash::{BuildHasher, RandomState};

use message_model::{Offset, OffsetRange, Timestamp};

/// What compaction looks at in a record.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Candidate<'a> {
    /// The offset that the log gave the record.
    pub offset: Offset,
    /// Its key, if it has one.
    pub key: Option<&'a [u8]>,
    /// Whether it has a value. One without is a tombstone.
    pub has_value: bool,
}

/// Whether a record survives a pass at `now`.
///
/// `newest` is the newest offset of its key in the dirty section; `None` if the section
/// does not have the key. `horizon` is the delete horizon of the record's batch; `None`
/// if it has none yet.
///
/// A record without a key does not survive: nothing can ever replace it.
#[must_use]
pub fn survives(
    record: &Candidate<'_>,
    newest: Option<Offset>,
    horizon: Option<Timestamp>,
    now: Timestamp,
) -> bool {
    // task 15.4: what survives: the newest of its key, and a tombstone until its horizon
    let is_newest = newest.is_none_or(|newest| record.offset >= newest);
    let is_wanted = record.has_value || horizon.is_none_or(|horizon| now < horizon);
    record.key.is_some() && is_newest && is_wanted
    // end
}

/// The delete horizon that a batch has after a pass over `section`, if tombstones are left in it.
///
/// `batch` is the range of its offsets, and `given` what its header says. `next` is
/// the horizon for a batch that gets its first one in this pass, so `delete.retention.ms` from now.
///
/// - A batch of which any offset is behind the section gets none: older records of its
///   keys may be left.
/// - A batch in the section gets `next`, whatever its header says: no pass has
///   seen it before, so its producer wrote that.
/// - A batch that begins before the section keeps what an earlier pass gave it. If the
///   section before ended within the batch, that pass gave it none, and has taken out of
///   the header what the producer wrote. So it gets `next`.
#[must_use]
pub fn delete_horizon(
    section: OffsetRange,
    batch: OffsetRange,
    given: Option<Timestamp>,
    next: Timestamp,
) -> Option<Timestamp> {
    // task 15.4: the delete horizon: when a tombstone's time begins
    if batch.end > section.end {
        return None;
    }
    let is_new = batch.start >= section.start;
    Some(given.filter(|_| !is_new).unwrap_or(next))
    // end
}

/// The newest offset of each key in a section of a log, in bounded memory.
///
/// A key is remembered by 16 bytes that follow from it and from random numbers of this
/// section, so that no sender can make two keys look like one.
#[derive(Debug)]
pub struct DirtySection {
    start: Offset,
    end: Offset,
    keys_max: usize,
    /// A record was not noted, so nothing behind it may be.
    is_full: bool,
    newest: HashMap<Fingerprint, Offset>,
    hashers: [RandomState; 2],
}

/// What is remembered of a key.
type Fingerprint = [u64; 2];

/// How many bytes one key takes in the table: its entry, and one byte of the table's own.
const KEY_SIZE: usize = size_of::<(Fingerprint, Offset)>() + 1;

impl DirtySection {
    /// The section that begins with `start`. It can hold `keys_max` different keys.
    #[must_use]
    pub fn new(start: Offset, keys_max: usize) -> DirtySection {
        DirtySection {
            start,
            end: start,
            keys_max,
            is_full: false,
            newest: HashMap::with_capacity(keys_max),
            hashers: [RandomState::new(), RandomState::new()],
        }
    }

    /// How many keys a section can hold in so many bytes of memory; at least one.
    #[must_use]
    pub fn keys_in(memory: usize) -> usize {
        // The table has a power of two of places, and fills seven eighths of them.
        let places = (memory / KEY_SIZE).max(2);
        let places = 1_usize << places.ilog2();
        (places / 8 * 7).max(1)
    }

    /// Notes the next record, and returns whether there was room for its key.
    ///
    /// If there was room, the section ends directly behind this record: its offset
    /// [`plus`](Offset::plus) 1. If there was none, the section ends before this record, and
    /// no later one is noted: the next pass begins at the end. In a gap in front of the
    /// record the end may be anywhere, because the gap has no key.
    ///
    /// A key that is known takes no more room. A record without a key takes none.
    pub fn note(&mut self, offset: Offset, key: Option<&[u8]>) -> bool {
        // task 15.5: note the newest offset of each key, in a table that may not grow
        if self.is_full {
            return false;
        }
        if let Some(key) = key {
            let has_room = self.newest.len() < self.keys_max;
            match self.newest.entry(fingerprint(&self.hashers, key)) {
                Entry::Occupied(mut known) => {
                    known.insert(offset);
                }
                Entry::Vacant(new) if has_room => {
                    new.insert(offset);
                }
                Entry::Vacant(_) => {
                    self.is_full = true;
                    return false;
                }
            }
        }
        self.end = offset.plus(1);
        true
        // end
    }

    /// Notes that there is no further record below `end`.
    pub fn pass(&mut self, end: Offset) {
        if !self.is_full {
            self.end = self.end.max(end);
        }
    }

    /// The offsets of the section, as far as it was noted.
    #[must_use]
    pub fn range(&self) -> OffsetRange {
        OffsetRange {
            start: self.start,
            end: self.end,
        }
    }

    /// The newest offset of `key` in the section.
    #[must_use]
    pub fn newest(&self, key: &[u8]) -> Option<Offset> {
        self.newest.get(&fingerprint(&self.hashers, key)).copied()
    }
}

fn fingerprint(hashers: &[RandomState; 2], key: &[u8]) -> Fingerprint {
    [hashers[0].hash_one(key), hashers[1].hash_one(key)]
}
