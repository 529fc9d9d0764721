//! One partition, from the first record that was polled of it until it is given up.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

use client::{ConsumedRecord, ReadError, Records};
use consumer::{Acks, Polled, Work};
use message_model::{Moment, Offset};
use tokio::sync::mpsc;

use crate::key::key_of;
use crate::part::schedule::{Effect, Event};
use crate::part::{Limits, Scheduler};

/// A record that a task is to process, or to keep.
pub(crate) type Job = Arc<ConsumedRecord>;

/// Where a stay sends what is to be done.
#[derive(Debug)]
pub(crate) struct Tasks {
    /// One for each worker. A worker has one record at a time, so there is room in its
    /// channel whenever it is idle.
    pub(crate) workers: Vec<mpsc::Sender<Job>>,
    /// To the task that keeps what was given up. There is room for a whole window.
    pub(crate) keeper: mpsc::Sender<Job>,
}

/// The records of a partition that are in memory, and who has them.
#[derive(Debug)]
pub(crate) struct Stay {
    /// Tells stays of one partition apart: an answer to another one means nothing.
    pub(crate) number: u64,
    pub(crate) scheduler: Scheduler,
    tasks: Tasks,
    idle: Vec<usize>,
    /// Those in the window, except what is done.
    records: BTreeMap<Offset, Job>,
    /// What was polled and is not in the window yet.
    pieces: VecDeque<(Records, Offset)>,
    /// What the consumer was not yet told to be done.
    works: VecDeque<Work>,
    /// The frontier that was committed last.
    pub(crate) committed: Option<Offset>,
    pub(crate) is_drained: bool,
    /// When the next owner may have the partition, drained or not. A drain that is begun
    /// again, because a poll was dropped, ends at the same time.
    pub(crate) drain_by: Option<Moment>,
}

impl Stay {
    /// Begins where the polled records begin.
    pub(crate) fn new(number: u64, start: Offset, limits: Limits, tasks: Tasks) -> Stay {
        Stay {
            number,
            scheduler: Scheduler::new(start, limits),
            idle: (0..tasks.workers.len()).collect(),
            tasks,
            records: BTreeMap::new(),
            pieces: VecDeque::new(),
            works: VecDeque::new(),
            committed: None,
            is_drained: false,
            drain_by: None,
        }
    }

    /// Takes what a poll has returned.
    pub(crate) fn push(&mut self, polled: Polled) {
        self.pieces
            .push_back((polled.records, polled.work.offsets.end));
        self.works.push_back(polled.work);
    }

    /// Returns whether another piece would only wait: one is waiting already.
    pub(crate) fn has_enough(&self) -> bool {
        self.pieces.len() > 1
    }

    /// Tells the scheduler what has happened, and does what follows.
    pub(crate) fn step(&mut self, now: Moment, event: Event) {
        let mut effects = Vec::new();
        self.scheduler.step(now, event, &mut effects);
        for effect in effects {
            match effect {
                Effect::Start { offset, .. } => {
                    let idle = self.idle.pop().expect("a worker is idle");
                    self.give(&self.tasks.workers[idle], offset);
                }
                Effect::GiveUp(offset) => self.give(&self.tasks.keeper, offset),
                Effect::Drained => self.is_drained = true,
            }
        }
    }

    fn give(&self, task: &mpsc::Sender<Job>, offset: Offset) {
        let record = Arc::clone(&self.records[&offset]);
        // Refused only if the runtime is ending, and the task with it.
        let _ = task.try_send(record);
    }

    /// A worker has come back with a record.
    pub(crate) fn came_back(&mut self, worker: usize) {
        self.idle.push(worker);
    }

    // ANCHOR: fill
    /// Fills the window from what was polled, as far as there is room.
    pub(crate) fn fill(&mut self, now: Moment) -> Result<(), ReadError> {
        while self.scheduler.has_room()
            && let Some((records, end)) = self.pieces.front_mut()
        {
            let Some(record) = records.next().transpose()? else {
                let end = *end;
                self.pieces.pop_front();
                self.step(now, Event::ReadUpTo(end));
                continue;
            };
            let (offset, key) = (record.offset, key_of(&record));
            self.records.insert(offset, Arc::new(record));
            self.step(now, Event::Record { offset, key });
        }
        Ok(())
    }
    // ANCHOR_END: fill

    /// Forgets what is below the frontier, and tells the consumer which of its pieces are
    /// done.
    pub(crate) fn tidy(&mut self, acks: &Acks) {
        let frontier = self.scheduler.frontier();
        while self
            .records
            .first_key_value()
            .is_some_and(|(offset, _)| *offset < frontier)
        {
            self.records.pop_first();
        }
        let is_done = |work: &mut Work| work.offsets.end <= frontier;
        while let Some(work) = self.works.pop_front_if(is_done) {
            acks.done(&work);
        }
    }

    /// Nothing more is begun above what was, and at `deadline` it ends.
    pub(crate) fn revoke(&mut self, now: Moment, deadline: Moment) {
        self.drain_by.get_or_insert(deadline);
        self.pieces.clear();
        self.step(now, Event::Revoke);
    }
}
