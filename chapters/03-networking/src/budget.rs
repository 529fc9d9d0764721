//! The books of a byte budget: which connections may read on. Pure.

use std::collections::{BTreeMap, BTreeSet};

/// When a frame began to arrive, or a connection to wait for room: a smaller one is older.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Age(u64);

/// How many bytes have arrived over all connections, and which of them may read on.
///
/// A *half* is a frame that has begun to arrive. The rest of what is taken
/// belongs to whole frames, which are given back in time whatever happens to the halves.
///
/// # Invariants
/// - `taken` is what the whole frames and the halves hold together.
/// - The oldest half reads on as if the other halves held nothing, so halves
///   never wait for each other. A frame larger than `total` arrives when no
///   whole frame is left.
/// - What waits is served in the order of its age.
/// - Of the whole frames that wait for room for their answers the oldest goes on when
///   nothing is left that would give room back: they never wait for each other.
#[derive(Debug)]
pub(crate) struct Budget {
    total: usize,
    taken: usize,
    whole: usize,
    halves: BTreeMap<Age, usize>,
    waiting: BTreeSet<Age>,
    /// Whole frames that wait for room for their answers, with what each holds.
    answers: BTreeMap<Age, usize>,
    /// What those hold together.
    answers_held: usize,
    next_age: u64,
}

impl Budget {
    pub(crate) fn new(total: usize) -> Budget {
        Budget {
            total,
            taken: 0,
            whole: 0,
            halves: BTreeMap::new(),
            waiting: BTreeSet::new(),
            answers: BTreeMap::new(),
            answers_held: 0,
            next_age: 0,
        }
    }

    /// How many bytes are held.
    pub(crate) fn taken(&self) -> usize {
        self.taken
    }

    /// Whether a connection waits for room.
    pub(crate) fn is_short(&self) -> bool {
        !self.waiting.is_empty() || !self.answers.is_empty()
    }

    /// Whether a connection may read on. If not, it waits until [`next_to_wake`](Budget::next_to_wake)
    /// names it. `age` is the connection's; it gets one if it has none.
    pub(crate) fn may_read(&mut self, age: &mut Option<Age>) -> bool {
        let is_first = match (*age, self.waiting.first()) {
            (_, None) => true,
            (Some(age), Some(first)) => age <= *first,
            (None, Some(_)) => false,
        };
        if (is_first && self.taken < self.total) || age.is_some_and(|age| self.is_oldest(age)) {
            if let Some(age) = age {
                self.waiting.remove(age);
            }
            return true;
        }
        let age = *age.get_or_insert_with(|| self.new_age());
        self.waiting.insert(age);
        false
    }

    /// Whether this is the oldest half, and has room if the other halves hold nothing.
    fn is_oldest(&self, age: Age) -> bool {
        self.halves.first_key_value().is_some_and(|(oldest, held)| {
            *oldest == age && (self.whole == 0 || self.whole + held < self.total)
        })
    }

    /// A connection does not want to read at the moment.
    pub(crate) fn stop_waiting(&mut self, age: Age) {
        self.waiting.remove(&age);
    }

    /// `count` bytes have arrived.
    pub(crate) fn arrive(&mut self, age: &mut Option<Age>, count: usize) {
        let age = *age.get_or_insert_with(|| self.new_age());
        *self.halves.entry(age).or_default() += count;
        self.taken += count;
    }

    /// The first `count` bytes of a half are a whole frame now; what is behind
    /// them is a younger half.
    pub(crate) fn complete(&mut self, age: &mut Option<Age>, count: usize) {
        let held = self.forget(age);
        self.whole += count;
        if held > count {
            let rest = *age.insert(self.new_age());
            self.halves.insert(rest, held - count);
        }
    }

    /// A connection is gone, with the half that it had.
    pub(crate) fn leave(&mut self, age: &mut Option<Age>) {
        self.taken -= self.forget(age);
    }

    /// Whether a whole frame that holds `held` bytes may take room for its answer. If not, it waits
    /// until [`next_to_wake`](Budget::next_to_wake) names it, and then has to ask again.
    pub(crate) fn may_answer(&mut self, age: &mut Option<Age>, held: usize) -> bool {
        let own = *age.get_or_insert_with(|| self.new_age());
        if self.answers.insert(own, held).is_none() {
            self.answers_held += held;
        }
        if self.next_answer() != Some(own) {
            return false;
        }
        self.stop_answering(age);
        true
    }

    /// A whole frame does not wait for room any more.
    pub(crate) fn stop_answering(&mut self, age: &mut Option<Age>) {
        let held = age.take().and_then(|age| self.answers.remove(&age));
        self.answers_held -= held.unwrap_or(0);
    }

    /// The whole frame that may take room for its answer now.
    fn next_answer(&self) -> Option<Age> {
        let (first, _) = self.answers.first_key_value()?;
        let is_alone = self.whole <= self.answers_held;
        (self.taken < self.total || is_alone).then_some(*first)
    }

    /// Whole frames need `count` bytes more. It is granted always: see [`Share::grow`](crate::Share::grow).
    pub(crate) fn grow(&mut self, count: usize) {
        self.whole += count;
        self.taken += count;
    }

    /// `count` bytes of whole frames are given back.
    pub(crate) fn release(&mut self, count: usize) {
        self.whole -= count;
        self.taken -= count;
    }

    /// A connection that waits and may read now, and does not wait any more; or a whole frame
    /// that may take room for its answer, and waits until it has. Ask after everything that
    /// happens, and again when it did not read after all.
    pub(crate) fn next_to_wake(&mut self) -> Option<Age> {
        let answer = self.next_answer();
        match (answer, self.waiting.first()) {
            (Some(answer), Some(reader)) if answer < *reader => Some(answer),
            _ => self.next_reader().or(answer),
        }
    }

    fn next_reader(&mut self) -> Option<Age> {
        let oldest_half = self.halves.first_key_value().map(|(age, _)| *age);
        let age = match (oldest_half, self.waiting.first()) {
            (Some(half), Some(_)) if self.waiting.contains(&half) && self.is_oldest(half) => half,
            (_, Some(first)) if self.taken < self.total => *first,
            _ => return None,
        };
        self.waiting.remove(&age);
        Some(age)
    }

    /// Forgets a connection's half; how much it held.
    fn forget(&mut self, age: &mut Option<Age>) -> usize {
        let Some(age) = age.take() else { return 0 };
        self.waiting.remove(&age);
        self.halves.remove(&age).unwrap_or(0)
    }

    fn new_age(&mut self) -> Age {
        self.next_age += 1;
        Age(self.next_age)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TOTAL: usize = 1_000;
    const READ_MAX: usize = 60;

    /// A connection that has one frame to send.
    struct Peer {
        age: Option<Age>,
        length: usize,
        arrived: usize,
        state: State,
    }

    #[derive(Debug, Clone, Copy, PartialEq, Eq)]
    enum State {
        /// It is polled when its turn comes.
        Runs,
        /// There was no room.
        Waits,
        /// Its frame is whole.
        Whole,
        /// It is gone, or its frame was answered.
        Gone,
    }

    struct World {
        budget: Budget,
        peers: Vec<Peer>,
    }

    impl World {
        fn wake(&mut self) {
            let Some(age) = self.budget.next_to_wake() else {
                return;
            };
            let mut peers = self.peers.iter_mut();
            let peer = peers.find(|peer| peer.age == Some(age)).unwrap();
            assert_eq!(peer.state, State::Waits, "one that waits is woken");
            peer.state = State::Runs;
        }

        fn poll(&mut self, index: usize, count: usize) {
            let peer = &mut self.peers[index];
            if !self.budget.may_read(&mut peer.age) {
                peer.state = State::Waits;
                return;
            }
            let count = count.min(peer.length - peer.arrived);
            if count > 0 {
                self.budget.arrive(&mut peer.age, count);
                peer.arrived += count;
            }
            if peer.arrived == peer.length {
                self.budget.complete(&mut peer.age, peer.length);
                peer.state = State::Whole;
            }
            self.wake();
        }

        fn end(&mut self, index: usize) {
            let peer = &mut self.peers[index];
            match peer.state {
                State::Whole => self.budget.release(peer.length),
                State::Gone => {}
                State::Runs | State::Waits => self.budget.leave(&mut peer.age),
            }
            peer.state = State::Gone;
            self.wake();
        }

        fn check(&self) {
            let held = |state: fn(State) -> bool| -> usize {
                let peers = self.peers.iter().filter(|peer| state(peer.state));
                peers.map(|peer| peer.arrived).sum()
            };
            let whole = held(|state| state == State::Whole);
            let halves = held(|state| matches!(state, State::Runs | State::Waits));
            assert_eq!(self.budget.whole, whole);
            assert_eq!(self.budget.taken(), whole + halves);
            let longest = self.peers.iter().map(|peer| peer.length).max().unwrap_or(0);
            assert!(self.budget.taken() <= 2 * TOTAL.max(longest) + READ_MAX);
        }

        fn all(&self, state: State) -> Vec<usize> {
            let peers = self.peers.iter().enumerate();
            let some = peers.filter(|(_, peer)| peer.state == state);
            some.map(|(index, _)| index).collect()
        }
    }

    #[test]
    fn every_frame_arrives_whatever_the_order() {
        for seed in 0..500 {
            let mut random = fastrand::Rng::with_seed(seed);
            let longest = random.choice([100, TOTAL, 3 * TOTAL]).unwrap();
            let peers = (0..random.usize(1..40)).map(|_| Peer {
                age: None,
                length: random.usize(1..=longest),
                arrived: 0,
                state: State::Runs,
            });
            let peers = peers.collect();
            let budget = Budget::new(TOTAL);
            let mut world = World { budget, peers };
            while world.all(State::Gone).len() < world.peers.len() {
                let (running, whole) = (world.all(State::Runs), world.all(State::Whole));
                match random.u8(..20) {
                    0 => world.end(random.usize(..world.peers.len())),
                    1..16 if !running.is_empty() => {
                        let index = running[random.usize(..running.len())];
                        world.poll(index, random.usize(..=READ_MAX));
                    }
                    _ if !whole.is_empty() => world.end(whole[random.usize(..whole.len())]),
                    _ => assert!(!running.is_empty(), "all wait for each other (seed {seed})"),
                }
                world.check();
            }
            assert_eq!(world.budget.taken(), 0);
        }
    }

    #[test]
    fn the_oldest_half_does_not_wait_for_the_others() {
        let mut budget = Budget::new(TOTAL);
        let (mut old, mut young, mut late) = (None, None, None);
        budget.arrive(&mut old, 10);
        budget.arrive(&mut young, TOTAL);
        assert!(
            budget.may_read(&mut old),
            "what the young one holds does not count"
        );
        assert!(!budget.may_read(&mut young));
        assert!(!budget.may_read(&mut late));
        budget.arrive(&mut old, TOTAL - 10);
        assert!(
            budget.may_read(&mut old),
            "no whole frame will give anything back"
        );
        budget.complete(&mut old, TOTAL);
        assert!(!budget.may_read(&mut young), "a whole frame will");
        assert_eq!(budget.next_to_wake(), None);
        budget.release(TOTAL);
        assert_eq!(budget.next_to_wake(), young, "it is the oldest half now");
        assert_eq!(budget.next_to_wake(), None, "there is no room yet");
        budget.leave(&mut young);
        assert_eq!(budget.next_to_wake(), late);
    }

    #[test]
    fn answers_wait_for_room_and_never_for_each_other() {
        let mut budget = Budget::new(TOTAL);
        // Two frames that want to be answered hold all the room, and a third is being answered.
        budget.grow(2 * TOTAL + 10);
        let (mut first, mut second, mut reader) = (None, None, None);
        assert!(!budget.may_answer(&mut first, TOTAL));
        assert!(!budget.may_answer(&mut second, TOTAL));
        assert!(!budget.may_read(&mut reader));
        assert!(budget.is_short());
        assert_eq!(budget.next_to_wake(), None);
        budget.release(10);
        assert_eq!(budget.next_to_wake(), first, "nothing else gives room back");
        assert!(!budget.may_answer(&mut second, TOTAL), "one at a time");
        assert!(budget.may_answer(&mut first, TOTAL));
        budget.grow(5 * TOTAL);
        assert_eq!(budget.next_to_wake(), None);
        budget.release(6 * TOTAL);
        assert_eq!(budget.next_to_wake(), second);
        budget.stop_answering(&mut second);
        assert_eq!(budget.next_to_wake(), None, "it holds its frame still");
        budget.release(TOTAL);
        assert_eq!(budget.next_to_wake(), reader);
        assert!(!budget.is_short());
    }

    #[test]
    fn answers_and_readers_have_their_turns_by_age() {
        let mut budget = Budget::new(TOTAL);
        budget.grow(TOTAL + 2);
        let (mut old, mut answer, mut young) = (None, None, None);
        assert!(!budget.may_read(&mut old));
        assert!(!budget.may_answer(&mut answer, 1));
        assert!(!budget.may_read(&mut young));
        budget.release(3);
        assert_eq!(budget.next_to_wake(), old);
        assert_eq!(budget.next_to_wake(), answer);
        assert_eq!(budget.next_to_wake(), answer, "until it has room");
        assert!(budget.may_answer(&mut answer, 1));
        assert_eq!(budget.next_to_wake(), young);
    }

    #[test]
    fn one_that_was_woken_and_does_not_read_passes_it_on() {
        let mut budget = Budget::new(TOTAL);
        budget.grow(TOTAL);
        let (mut first, mut second, mut third) = (None, None, None);
        assert!(!budget.may_read(&mut first));
        assert!(!budget.may_read(&mut second));
        budget.release(1);
        assert_eq!(budget.next_to_wake(), first);
        assert!(!budget.may_read(&mut third), "others were there before");
        budget.leave(&mut first);
        assert_eq!(budget.next_to_wake(), second);
        assert!(budget.may_read(&mut second));
    }
}
