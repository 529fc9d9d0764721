//! A timer wheel: deadlines in slots, which are the finer the nearer they are.

use message_model::Moment;

use crate::slot::Slot;

/// Slots on each level; 64, so that one `u64` says which of them have keys.
const SLOTS: usize = 64;
/// `SLOTS` is 2 to the power of this.
const SLOT_BITS: usize = SLOTS.trailing_zeros() as usize;
/// Enough levels for every tick that a `u64` can count.
const LEVELS: usize = (u64::BITS as usize).div_ceil(SLOT_BITS);

/// A scheduled timer, for [`cancel`](Timers::cancel).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TimerId {
    pub(crate) deadline: Moment,
    /// Tells timers with the same deadline apart, in the order they were scheduled.
    number: u64,
}

/// Keys that become due at a moment. Pure: the time is passed in.
///
/// A slot of level 0 is one millisecond wide, a *tick*; one of level 1 is as
/// wide as all of level 0, and so on. A key's slot follows from its deadline and
/// from how far the wheel has turned.
///
/// # Invariants
/// - A key is returned at most once: by [`expire`](Timers::expire) or by
///   [`cancel`](Timers::cancel).
/// - Keys are returned by deadline; with equal deadlines in the order in which they
///   were scheduled.
/// - A key is in the slot that `place` returns for its deadline and `turned_to`.
#[derive(Debug)]
pub struct Timers<K> {
    /// The slots of all levels, level 0 first; a level is made when it is first needed.
    slots: Vec<Slot<K>>,
    /// Per level one bit for each slot, set while the slot has keys.
    occupied: [u64; LEVELS],
    /// The tick of the latest `now` that was passed to [`expire`](Timers::expire).
    turned_to: u64,
    next_number: u64,
    len: usize,
    moves: u64,
}

impl<K> Timers<K> {
    /// Returns a wheel without keys.
    #[must_use]
    pub fn new() -> Timers<K> {
        Timers {
            slots: Vec::new(),
            occupied: [0; LEVELS],
            turned_to: 0,
            next_number: 0,
            len: 0,
            moves: 0,
        }
    }

    /// Makes `key` due at `deadline`, which may have passed.
    pub fn schedule(&mut self, deadline: Moment, key: K) -> TimerId {
        let id = TimerId {
            deadline,
            number: self.next_number,
        };
        self.next_number += 1;
        self.len += 1;
        self.put(id, key);
        id
    }

    /// Returns the key of a timer, which is withdrawn; `None` if it was returned before.
    pub fn cancel(&mut self, id: TimerId) -> Option<K> {
        let (level, index) = place(self.turned_to, tick(id.deadline));
        let slot = self.slots.get_mut(level * SLOTS + index)?;
        let key = slot.remove(id)?;
        if slot.is_empty() {
            self.occupied[level] &= !(1 << index);
        }
        self.len -= 1;
        Some(key)
    }

    /// Returns the keys whose deadline is at or before `now`, each once, by deadline and
    /// then in the order in which they were scheduled.
    ///
    /// `now` may be before an earlier one: what is not due at it stays, and the wheel
    /// does not turn back.
    pub fn expire(&mut self, now: Moment) -> Vec<K> {
        // task 2.1: return what is due, never early, and keep the rest where `cancel` finds it
        todo!("2.1: return what is due, never early, and keep the rest where `cancel` finds it")
        // end
    }

    // ANCHOR: put
    /// Puts a key into the slot for its deadline.
    fn put(&mut self, id: TimerId, key: K) {
        let (level, index) = place(self.turned_to, tick(id.deadline));
        let made = self.slots.len().max((level + 1) * SLOTS);
        self.slots.resize_with(made, Slot::new);
        self.slots[level * SLOTS + index].insert(id, key);
        self.occupied[level] |= 1 << index;
        self.moves += 1;
    }
    // ANCHOR_END: put

    // ANCHOR: take_first
    /// Returns the first slot that has keys, which is taken out, if it begins at or
    /// before the tick `up_to`. All other slots have keys with later ticks only.
    fn take_first(&mut self, up_to: u64) -> Option<Slot<K>> {
        let (level, index) = self.first()?;
        if slot_start(self.turned_to, level, index) > up_to {
            return None;
        }
        self.occupied[level] &= !(1 << index);
        let slot = &mut self.slots[level * SLOTS + index];
        assert!(!slot.is_empty(), "a slot whose bit is set has keys");
        Some(std::mem::replace(slot, Slot::new()))
    }

    /// Returns level and index of the first slot that has keys: the lowest level has
    /// the earliest ones.
    fn first(&self) -> Option<(usize, usize)> {
        let level = self.occupied.iter().position(|bits| *bits != 0)?;
        Some((level, self.occupied[level].trailing_zeros() as usize))
    }
    // ANCHOR_END: take_first

    /// Returns the earliest deadline, or one before it whose timer was cancelled;
    /// `None`: no key waits.
    ///
    /// The owner of the timers sleeps until then and calls [`expire`](Timers::expire),
    /// which may return nothing. After `expire(now)` the next deadline is after `now`,
    /// so the owner does not spin.
    #[must_use]
    pub fn next_deadline(&self) -> Option<Moment> {
        let (level, index) = self.first()?;
        Some(self.slots[level * SLOTS + index].earliest())
    }

    /// Returns how many keys wait.
    #[must_use]
    pub fn len(&self) -> usize {
        self.len
    }

    /// Returns whether no key waits.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// Returns how many times a key was put into a slot so far: what the wheel has cost.
    #[must_use]
    pub fn moves(&self) -> u64 {
        self.moves
    }
}

impl<K> Default for Timers<K> {
    fn default() -> Timers<K> {
        Timers::new()
    }
}

/// Returns the millisecond that a moment is in, or the last one that a `u64` can count.
fn tick(moment: Moment) -> u64 {
    let millis = moment.since(Moment::START).as_millis();
    u64::try_from(millis).unwrap_or(u64::MAX)
}

// ANCHOR: place
/// Returns level and index of the slot for `tick` on a wheel that has turned to `turned_to`.
///
/// Ticks are written with 64 as their base. The level is the highest digit in
/// which the two differ, the index is the tick's digit there. So a key stays in
/// its slot until the wheel turns into that slot.
fn place(turned_to: u64, tick: u64) -> (usize, usize) {
    // A deadline that has passed belongs to the slot that is next.
    let tick = tick.max(turned_to);
    let highest_bit = (tick ^ turned_to).checked_ilog2().unwrap_or(0) as usize;
    let level = highest_bit / SLOT_BITS;
    let [digit, ..] = (tick >> (level * SLOT_BITS)).to_le_bytes();
    (level, usize::from(digit) % SLOTS)
}
// ANCHOR_END: place

/// Returns the first tick of a slot: `turned_to` with one digit replaced by the slot's
/// index, and zeros behind that digit.
fn slot_start(turned_to: u64, level: usize, index: usize) -> u64 {
    let shift = level * SLOT_BITS;
    let digits = turned_to >> shift;
    (digits - digits % SLOTS as u64 + index as u64) << shift
}
