//! Which record a worker gets next, so that records of one key keep their order.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use message_model::{Moment, Offset};

use crate::schedule::{Effect, Event, Key, Limits};

/// The records of one partition that several workers share, for as long as this consumer
/// has the partition.
///
/// # Invariants
/// - A record is started only if every record of its key before it is settled: done, or
///   given up and safe. So one record of a key is in hand at most.
/// - No worker is idle while a record could be started.
/// - Records are started in the order in which they could have been. So a key that has many
///   records has one turn, and then each other key that waits has one.
/// - The frontier is never above a record that is not settled, and is as high as that
///   allows.
/// - At most [`Limits::window_max`] records are remembered, and of a key whose records are
///   settled nothing is.
/// - After [`Event::Revoke`] nothing is begun that is above everything that was started.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Scheduler {
    limits: Limits,
    /// From the frontier on, in ascending order of the offsets. The first is not settled.
    window: VecDeque<Entry>,
    /// Where the next record may be.
    next: Offset,
    /// Of each key that has an unsettled record: those that wait behind the first one.
    lines: BTreeMap<Key, VecDeque<Offset>>,
    /// What may be started, in the order in which it became so.
    ready: VecDeque<Offset>,
    /// When records that have failed may be tried again.
    pauses: BTreeSet<(Moment, Offset)>,
    /// How many records are in hand.
    in_hand: usize,
    is_revoked: bool,
    is_drained: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
struct Entry {
    offset: Offset,
    key: Option<Key>,
    attempts: u32,
    state: State,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum State {
    /// In a line, ready, or in a pause.
    Waiting,
    InHand,
    GivenUp,
    Settled,
}

impl Scheduler {
    /// Returns a scheduler that has no record. Reading begins at `start`.
    ///
    /// # Panics
    /// If a limit is 0: then nothing would ever happen.
    #[must_use]
    pub fn new(start: Offset, limits: Limits) -> Scheduler {
        assert!(limits.workers > 0, "a record can be in hand");
        assert!(limits.window_max > 0, "a record can be remembered");
        assert!(limits.tries_max > 0, "a record is tried");
        Scheduler {
            limits,
            window: VecDeque::new(),
            next: start,
            lines: BTreeMap::new(),
            ready: VecDeque::new(),
            pauses: BTreeSet::new(),
            in_hand: 0,
            is_revoked: false,
            is_drained: false,
        }
    }

    /// Adds to `effects` what follows from `event`, which happens at `now`.
    ///
    /// What is said of a record that is not in hand (or not given up, for
    /// [`Event::Settled`]) changes nothing.
    ///
    /// # Panics
    /// If a record comes although there is [no room](Scheduler::has_room).
    // ANCHOR: step
    pub fn step(&mut self, now: Moment, event: Event, effects: &mut Vec<Effect>) {
        match event {
            Event::Record { offset, key } => {
                assert!(self.has_room(), "a record comes only if there is room");
                self.record(offset, key);
            }
            Event::ReadUpTo(_) if self.is_revoked => {}
            Event::ReadUpTo(offset) => self.next = self.next.max(offset),
            Event::Done(offset) if self.is(offset, State::InHand) => {
                self.in_hand -= 1;
                self.settle(offset);
            }
            Event::Failed(offset) if self.is(offset, State::InHand) => {
                self.in_hand -= 1;
                self.fail(now, offset, effects);
            }
            Event::Settled(offset) if self.is(offset, State::GivenUp) => self.settle(offset),
            Event::Done(_) | Event::Failed(_) | Event::Settled(_) => {}
            Event::Revoke => {
                self.is_revoked = true;
                self.revoke();
            }
            Event::Tick => self.wake(now),
        }
        self.start(effects);
        self.drain(effects);
    }
    // ANCHOR_END: step

    /// Returns whether one more record may come: the window is not full, and nothing was
    /// revoked.
    #[must_use]
    pub fn has_room(&self) -> bool {
        // task 18.3: how much may be remembered
        todo!("18.3: how much may be remembered")
        // end
    }

    /// Returns the offset below which everything is settled: the lowest one that is not, or
    /// where the next record may be. It may be committed.
    #[must_use]
    pub fn frontier(&self) -> Offset {
        // task 18.3: what may be committed
        todo!("18.3: what may be committed")
        // end
    }

    /// Returns when the next [`Event::Tick`] has something to do: the end of the first pause.
    #[must_use]
    pub fn next_deadline(&self) -> Option<Moment> {
        // task 18.3: the end of the first pause
        todo!("18.3: the end of the first pause")
        // end
    }

    /// Remembers a record, for which there is room. It is ready, unless a record of its key
    /// is unsettled: then it waits at the end of the key's line.
    fn record(&mut self, offset: Offset, key: Option<Key>) {
        // task 18.3: ready, or behind others of its key
        todo!("18.3: ready, or behind others of its key")
        // end
    }

    /// Starts what is ready, the first one first, while a worker is idle.
    fn start(&mut self, effects: &mut Vec<Effect>) {
        // task 18.3: as many as there are workers
        todo!("18.3: as many as there are workers")
        // end
    }

    /// The record, which is not in hand any more, is settled. The next one of its key is
    /// ready; if there is none, nothing of the key is remembered. What is settled up to the
    /// new frontier is forgotten.
    fn settle(&mut self, offset: Offset) {
        // task 18.3: the key moves on, and perhaps the frontier
        todo!("18.3: the key moves on, and perhaps the frontier")
        // end
    }

    /// The record, which is not in hand any more, has failed. It is tried again after a
    /// pause, or given up if it was tried [`Limits::tries_max`] times. Until it is settled
    /// the others of its key wait.
    fn fail(&mut self, now: Moment, offset: Offset, effects: &mut Vec<Effect>) {
        // task 18.3: later, or never; but it is not settled
        todo!("18.3: later, or never; but it is not settled")
        // end
    }

    /// What has paused until `now` is ready, behind all that was ready before; what could
    /// be tried again first comes first.
    fn wake(&mut self, now: Moment) {
        // task 18.3: the pauses that are over
        todo!("18.3: the pauses that are over")
        // end
    }

    /// Forgets the records above the last one that was ever started: they are the next
    /// owner's, who begins with the first of them, so there the next record may be. What is
    /// below is finished here, so that the frontier comes to be above all that was started.
    fn revoke(&mut self) {
        // task 18.3: what the next owner does, and what is to be finished here
        todo!("18.3: what the next owner does, and what is to be finished here")
        // end
    }

    /// Says once, after [`Event::Revoke`], that everything is settled that was kept.
    fn drain(&mut self, effects: &mut Vec<Effect>) {
        // task 18.3: when the frontier is final
        todo!("18.3: when the frontier is final")
        // end
    }

    fn is(&self, offset: Offset, state: State) -> bool {
        let place = self.place(offset);
        place.is_some_and(|place| self.window[place].state == state)
    }

    /// The record at `offset`.
    ///
    /// # Panics
    /// If it is not in the window: it never came, is below the frontier, or was forgotten.
    #[track_caller]
    fn entry(&mut self, offset: Offset) -> &mut Entry {
        let Some(place) = self.place(offset) else {
            panic!("record {offset} is started or settled, and is not in the window");
        };
        &mut self.window[place]
    }

    fn place(&self, offset: Offset) -> Option<usize> {
        let entries = &self.window;
        entries
            .binary_search_by_key(&offset, |entry| entry.offset)
            .ok()
    }
}
