//! Whose turn it is.

use std::collections::BTreeMap;

/// Jobs of several keys, which take turns. Pure.
///
/// Everything costs O(log keys + log jobs).
///
/// # Invariants
/// - A key is in `turns` and in `waiting` as long as a job of it waits, and its
///   entry in `turns` is the one that `waiting` names.
/// - A job is in `jobs` from [`add`](FairQueue::add) to [`withdraw`](FairQueue::withdraw),
///   and waits in its key's places unless it was taken.
#[derive(Debug)]
pub(crate) struct FairQueue<K, J> {
    /// The next place or ticket; each is given out once, so a higher one is further back.
    next_number: u64,
    turns: BTreeMap<u64, K>,
    waiting: BTreeMap<K, Waiting>,
    jobs: BTreeMap<Ticket, Entry<K, J>>,
}

/// Names one job.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Ticket(u64);

#[derive(Debug)]
struct Waiting {
    turn: u64,
    /// By place: the jobs of this key that wait, never empty.
    places: BTreeMap<u64, Ticket>,
}

#[derive(Debug)]
struct Entry<K, J> {
    key: K,
    /// Where it waits, and what; `None` while it is taken.
    waits: Option<(u64, J)>,
}

impl<K: Ord + Clone, J> FairQueue<K, J> {
    pub(crate) fn new() -> FairQueue<K, J> {
        FairQueue {
            next_number: 0,
            turns: BTreeMap::new(),
            waiting: BTreeMap::new(),
            jobs: BTreeMap::new(),
        }
    }

    /// Puts a job behind all others of its key.
    pub(crate) fn add(&mut self, key: K, job: J) -> Ticket {
        let ticket = Ticket(self.number());
        self.jobs.insert(ticket, Entry { key, waits: None });
        self.put_back(ticket, job);
        ticket
    }

    /// The first job of the key whose turn it is; the key goes to the back.
    pub(crate) fn take(&mut self) -> Option<(Ticket, J)> {
        let (_, key) = self.turns.pop_first()?;
        let back = self.number();
        let waiting = self.waiting.get_mut(&key).expect("it has a turn");
        let (_, ticket) = waiting.places.pop_first().expect("places are never empty");
        if waiting.places.is_empty() {
            self.waiting.remove(&key);
        } else {
            waiting.turn = back;
            self.turns.insert(back, key);
        }
        let entry = self.jobs.get_mut(&ticket).expect("it waited");
        let (_, job) = entry.waits.take().expect("it waited");
        Some((ticket, job))
    }

    /// Puts a job that was taken behind all others of its key; gives it back if
    /// it was withdrawn meanwhile.
    pub(crate) fn put_back(&mut self, ticket: Ticket, job: J) -> Option<J> {
        let back = self.number();
        let Some(entry) = self.jobs.get_mut(&ticket) else {
            return Some(job);
        };
        entry.waits = Some((back, job));
        if let Some(waiting) = self.waiting.get_mut(&entry.key) {
            waiting.places.insert(back, ticket);
        } else {
            let places = BTreeMap::from([(back, ticket)]);
            let waiting = Waiting { turn: back, places };
            self.waiting.insert(entry.key.clone(), waiting);
            self.turns.insert(back, entry.key.clone());
        }
        None
    }

    /// Forgets a job, which is returned if it waits.
    pub(crate) fn withdraw(&mut self, ticket: Ticket) -> Option<J> {
        let Entry { key, waits } = self.jobs.remove(&ticket)?;
        let (place, job) = waits?;
        let waiting = self.waiting.get_mut(&key).expect("a job of it waits");
        waiting.places.remove(&place);
        if waiting.places.is_empty() {
            self.turns.remove(&waiting.turn);
            self.waiting.remove(&key);
        }
        Some(job)
    }

    fn number(&mut self) -> u64 {
        self.next_number += 1;
        self.next_number
    }
}
