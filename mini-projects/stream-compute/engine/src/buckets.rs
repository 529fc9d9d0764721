//! State by key, in pieces that are small enough to be copied while records wait.

use std::collections::{BTreeMap, BTreeSet};
use std::hash::Hash;
use std::ops::{Range, RangeInclusive};
use std::sync::Arc;

use message_model::Timestamp;

use crate::key::{PLACE_BITS, Place, bits_of};
use crate::process::Timer;

/// How many entries a bucket has at most, if a change adds no more than one and keys have few. A
/// bucket is counted before it can have more, because to count takes time for each entry; and
/// split if it has more than half as many by then.
const ENTRIES_MAX: usize = 32;

/// What is kept of the keys of a bucket.
pub(crate) trait KeyedState: Clone + Default {
    /// What the state belongs to.
    type Key: Hash;

    /// The key of each entry. An entry is what is copied together; a key may have several.
    fn keys(&self) -> impl Iterator<Item = &Self::Key>;

    /// The next timer of event time, and the next one of the clock.
    fn next_timers(&self) -> [Option<Timer>; 2];

    /// Copies all entries of a key into the first half or into the second one.
    fn split(&self, is_second: impl Fn(&Self::Key) -> bool) -> [Self; 2];
}

/// The state of the keys of some key groups, in *buckets*.
///
/// A key group begins with one bucket, and a bucket that has many entries becomes two. The idea
/// is from *extendible hashing* (Fagin and others, 1979): bits of the key's hash lead through the
/// directory of the group to the bucket, the buckets of a group differ in how many of these bits
/// they use, and to split one touches no other. A bucket is never joined with another: groups
/// that are full once are mostly full again, as with the next window.
///
/// # Snapshots
/// A bucket is shared with the snapshots that are not encoded yet. If it must change while a
/// snapshot has it, it is copied, and no other is. So a record waits for the copy of some tens of
/// entries, and a batch for no more than that for each of its records.
///
/// # Invariants
/// - The directory of a group has 2ⁿ places. Each bucket of the group has the places that agree
///   in its lowest `depth` bits, and n is at least `depth`.
/// - `due` has the timers that the buckets say, with the number of the bucket.
#[derive(Debug, Clone)]
pub(crate) struct Buckets<T> {
    buckets: Vec<Bucket<T>>,
    first_group: u16,
    /// By group: the number of the bucket at each place.
    directories: Vec<Vec<u32>>,
    due: BTreeSet<(Timer, u32)>,
}

#[derive(Debug, Clone)]
struct Bucket<T> {
    state: Arc<T>,
    group: u16,
    depth: u32,
    /// How many changes there may be before the entries are counted.
    changes: usize,
    /// As in `due`.
    timers: [Option<Timer>; 2],
}

/// What a snapshot shares, by key group.
pub(crate) type Shared<T> = Vec<(u16, Arc<T>)>;

impl<T: KeyedState> Bucket<T> {
    fn new(group: u16, depth: u32, state: T) -> Bucket<T> {
        let changes = ENTRIES_MAX.saturating_sub(state.keys().count());
        Bucket {
            state: Arc::new(state),
            group,
            depth,
            changes: changes.max(1),
            timers: [None; 2],
        }
    }
}

impl<T> Default for Buckets<T> {
    fn default() -> Buckets<T> {
        Buckets {
            buckets: Vec::new(),
            first_group: 0,
            directories: Vec::new(),
            due: BTreeSet::new(),
        }
    }
}

impl<T: KeyedState> Buckets<T> {
    /// Nothing yet, for any key of these groups.
    pub(crate) fn new(groups: Range<u16>) -> Buckets<T> {
        Buckets {
            first_group: groups.start,
            directories: (0..)
                .take(groups.len())
                .map(|number| vec![number])
                .collect(),
            buckets: groups
                .map(|group| Bucket::new(group, 0, T::default()))
                .collect(),
            due: BTreeSet::new(),
        }
    }

    /// Changes what has the key at `place`. `work` leaves the timers of event time up to `same`
    /// as they are; if one of those is the next one, it still is, and need not be looked for.
    pub(crate) fn change<R>(
        &mut self,
        place: Place,
        same: Timestamp,
        work: impl FnOnce(&mut T) -> R,
    ) -> R {
        let directory = &self.directories[usize::from(place.group - self.first_group)];
        let number = directory[usize::from(place.bits) & (directory.len() - 1)];
        let bucket = &mut self.buckets[number as usize];
        let done = work(Arc::make_mut(&mut bucket.state));
        bucket.changes -= 1;
        let is_counted = bucket.changes == 0;
        if bucket.timers[0].is_none_or(|next| next > Timer::Event(same)) {
            self.note_timers(number);
        }
        if is_counted {
            self.count(number);
        }
        done
    }

    /// Changes what has a timer in `due`, bucket by bucket, and looks at no other.
    pub(crate) fn change_due(&mut self, due: RangeInclusive<Timer>, mut work: impl FnMut(&mut T)) {
        let due = (*due.start(), 0)..=(*due.end(), u32::MAX);
        let numbers: Vec<u32> = self.due.range(due).map(|(_, number)| *number).collect();
        for number in numbers {
            work(Arc::make_mut(&mut self.buckets[number as usize].state));
            self.note_timers(number);
        }
    }

    /// All there is.
    pub(crate) fn iter(&self) -> impl Iterator<Item = &T> {
        self.buckets.iter().map(|bucket| bucket.state.as_ref())
    }

    /// Shares everything as it is now. Costs a pointer for each bucket.
    pub(crate) fn share(&self) -> Shared<T> {
        let buckets = self.buckets.iter();
        let shared = buckets.map(|bucket| (bucket.group, Arc::clone(&bucket.state)));
        shared.collect()
    }

    /// Counts the entries of a bucket, and splits it if they are too many and not all of one half.
    fn count(&mut self, number: u32) {
        let bucket = &mut self.buckets[number as usize];
        let (depth, entries) = (bucket.depth, bucket.state.keys().count());
        // Each change pays for one entry that is counted, however many cannot be split.
        bucket.changes = ENTRIES_MAX.saturating_sub(entries).max(entries);
        if entries <= ENTRIES_MAX / 2 || depth == PLACE_BITS {
            return;
        }
        let is_second = |key: &T::Key| (bits_of(key) >> depth) & 1 == 1;
        let state = Arc::clone(&bucket.state);
        let mut halves = state.keys().map(is_second);
        let first = halves.next();
        if halves.any(|half| Some(half) != first) {
            self.replace(number, state.split(is_second));
        }
    }

    /// Puts two buckets where one was.
    fn replace(&mut self, number: u32, [first, second]: [T; 2]) {
        let Bucket { group, depth, .. } = self.buckets[number as usize];
        let new = u32::try_from(self.buckets.len()).unwrap_or(u32::MAX);
        let bucket = &mut self.buckets[number as usize];
        let timers = bucket.timers;
        *bucket = Bucket::new(group, depth + 1, first);
        bucket.timers = timers;
        self.buckets.push(Bucket::new(group, depth + 1, second));
        self.note_timers(number);
        self.note_timers(new);
        let directory = &mut self.directories[usize::from(group - self.first_group)];
        if directory.len() == 1 << depth {
            directory.extend_from_within(..);
        }
        for (place, at) in directory.iter_mut().enumerate() {
            if *at == number && (place >> depth) & 1 == 1 {
                *at = new;
            }
        }
    }

    /// The timers of a bucket may have changed.
    fn note_timers(&mut self, number: u32) {
        let bucket = &mut self.buckets[number as usize];
        let timers = bucket.state.next_timers();
        if timers != bucket.timers {
            let before = std::mem::replace(&mut bucket.timers, timers);
            for timer in before.into_iter().flatten() {
                self.due.remove(&(timer, number));
            }
            let entries = timers.into_iter().flatten().map(|timer| (timer, number));
            self.due.extend(entries);
        }
    }
}

/// Puts the buckets of each key group together, as a checkpoint has them.
pub(crate) fn by_group<T>(shared: Shared<T>) -> BTreeMap<u16, Vec<Arc<T>>> {
    let mut groups = BTreeMap::<u16, Vec<Arc<T>>>::new();
    for (group, bucket) in shared {
        groups.entry(group).or_default().push(bucket);
    }
    groups
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::element::UNTIMED;
    use crate::key::place_of;

    /// A key for each entry.
    #[derive(Debug, Clone, Default)]
    struct Keys(Vec<u32>);

    impl KeyedState for Keys {
        type Key = u32;

        fn keys(&self) -> impl Iterator<Item = &u32> {
            self.0.iter()
        }

        fn next_timers(&self) -> [Option<Timer>; 2] {
            [None; 2]
        }

        fn split(&self, is_second: impl Fn(&u32) -> bool) -> [Keys; 2] {
            let (second, first) = self.0.iter().partition(|key| is_second(key));
            [Keys(first), Keys(second)]
        }
    }

    fn add(buckets: &mut Buckets<Keys>, key: u32) {
        buckets.change(place_of(&key, 4), UNTIMED, |keys| keys.0.push(key));
    }

    #[test]
    fn a_key_is_found_in_the_bucket_to_which_it_was_split() {
        let mut buckets = Buckets::new(0..4);
        for key in 0..10_000 {
            add(&mut buckets, key);
        }
        assert!(buckets.iter().all(|keys| keys.0.len() <= ENTRIES_MAX));
        for key in 0..10_000 {
            let has = buckets.change(place_of(&key, 4), UNTIMED, |keys| keys.0.contains(&key));
            assert!(has, "{key}");
        }
        assert_eq!(
            buckets.iter().map(|keys| keys.0.len()).sum::<usize>(),
            10_000
        );
    }

    #[test]
    fn the_entries_of_one_key_stay_together() {
        let mut buckets = Buckets::new(0..4);
        for _ in 0..10_000 {
            add(&mut buckets, 7);
        }
        assert_eq!(buckets.buckets.len(), 4);
    }
}
