//! Which subtask has which keys.
//!
//! A key belongs to a *key group*, for ever. A subtask has a range of groups. So with another
//! number of subtasks, whole groups move, and no key is looked at.

use std::hash::{Hash, Hasher};
use std::ops::Range;

use crate::chain::Chain;
use crate::element::{Record, Step};
use crate::error::Error;
use crate::snapshot::{Opening, Snapshot, Subtask};

/// A value, its key, and the place of the key.
#[derive(Debug, Clone)]
pub struct Grouped<K, V> {
    pub(crate) place: Place,
    pub(crate) key: K,
    pub(crate) value: V,
}

/// Where the state of a key is.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Place {
    /// The group of the key.
    pub(crate) group: u16,
    /// Other bits of its hash, which divide the keys of a group.
    pub(crate) bits: u16,
}

/// How many bits divide the keys of a group.
pub(crate) const PLACE_BITS: u32 = u16::BITS;

// ANCHOR: group
/// The place of a key: its group is from the upper half of its hash.
pub(crate) fn place_of<K: Hash>(key: &K, groups: u16) -> Place {
    let hash = hash_of(key);
    let scaled = ((hash >> 32) * u64::from(groups)) >> 32;
    Place {
        group: u16::try_from(scaled).unwrap_or(0),
        bits: lowest_bits(hash),
    }
}

fn hash_of<K: Hash>(key: &K) -> u64 {
    let mut hasher = StableHasher::default();
    key.hash(&mut hasher);
    hasher.finish()
}
// ANCHOR_END: group

/// The bits of the place of a key, in any number of groups.
pub(crate) fn bits_of<K: Hash>(key: &K) -> u16 {
    lowest_bits(hash_of(key))
}

fn lowest_bits(hash: u64) -> u16 {
    u16::try_from(hash & u64::from(u16::MAX)).unwrap_or(0)
}

/// The groups of a subtask.
pub(crate) fn groups_of(subtask: Subtask, groups: u16) -> Range<u16> {
    let bound = |index: usize| {
        let bound = (index * usize::from(groups)).div_ceil(subtask.count);
        u16::try_from(bound).unwrap_or(groups)
    };
    bound(subtask.index)..bound(subtask.index + 1)
}

// ANCHOR: subtask
/// The subtask that has a group.
pub(crate) fn subtask_of(group: u16, groups: u16, count: usize) -> usize {
    usize::from(group) * count / usize::from(groups)
}
// ANCHOR_END: subtask

/// A hash that is the same in each process, unlike that of the standard library: key groups
/// are in checkpoints.
#[derive(Debug, Default)]
struct StableHasher {
    state: u64,
}

impl StableHasher {
    fn mix(&mut self, word: u64) {
        // 2^64 divided by the golden ratio, and another odd number without pattern.
        let product = u128::from(self.state ^ word ^ 0x9e37_79b9_7f4a_7c15) * 0xd134_2543_de82_ef95;
        let (high, low) = (product >> 64, product & u128::from(u64::MAX));
        self.state = u64::try_from(high ^ low).unwrap_or_default();
    }
}

impl Hasher for StableHasher {
    fn write(&mut self, bytes: &[u8]) {
        for piece in bytes.chunks(8) {
            let mut word = [0; 8];
            word[..piece.len()].copy_from_slice(piece);
            self.mix(u64::from_le_bytes(word));
        }
    }

    fn write_u8(&mut self, value: u8) {
        self.mix(value.into());
    }

    fn write_u32(&mut self, value: u32) {
        self.mix(value.into());
    }

    fn write_u64(&mut self, value: u64) {
        self.mix(value);
    }

    fn write_usize(&mut self, value: usize) {
        self.mix(value as u64);
    }

    fn write_isize(&mut self, value: isize) {
        self.mix(value as u64);
    }

    fn finish(&self) -> u64 {
        let mut last = StableHasher { state: self.state };
        last.mix(0);
        last.state
    }
}

/// Gives each record its key and the place of the key.
#[derive(Debug, Clone)]
pub(crate) struct KeyBy<C, F> {
    pub(crate) before: C,
    pub(crate) key: F,
    pub(crate) groups: u16,
}

impl<C, F, K> Chain for KeyBy<C, F>
where
    C: Chain,
    F: FnMut(&C::Out) -> K + Clone + Send + 'static,
    K: Hash + Send + 'static,
{
    type In = C::In;
    type Out = Grouped<K, C::Out>;

    fn push(&mut self, step: Step<C::In>, out: &mut impl FnMut(Step<Self::Out>)) {
        let (key_of, groups) = (&mut self.key, self.groups);
        self.before.push(step, &mut |step| match step {
            Step::Record(Record { time, value }) => {
                let key = key_of(&value);
                let place = place_of(&key, groups);
                let value = Grouped { place, key, value };
                out(Step::Record(Record { time, value }));
            }
            Step::Signal(signal) => out(Step::Signal(signal)),
        });
    }

    fn open(&mut self, opening: &mut Opening<'_>) -> Result<(), Error> {
        self.groups = opening.key_groups;
        self.before.open(opening)
    }

    fn snapshot(&self, snapshot: &mut Snapshot) {
        self.before.snapshot(snapshot);
    }
}
