//! Numbers that a job counts over all its runs.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use message_model::Timestamp;

use crate::chain::Chain;
use crate::element::{Signal, Step};
use crate::error::Error;
use crate::operator_id::OperatorId;
use crate::snapshot::{Opening, Snapshot};

/// How many records have passed an operator, in all its subtasks. Its copies share the number.
///
/// The number is in the job's checkpoints, so a record counts once, however often the job has
/// begun again.
#[derive(Debug, Clone, Default)]
pub struct Counter {
    by_subtask: Arc<Mutex<BTreeMap<usize, Passed>>>,
}

/// What has passed in a subtask.
#[derive(Debug, Clone, Copy, Default)]
struct Passed {
    count: u64,
    /// `None` before there is one. It is in no checkpoint.
    watermark: Option<Timestamp>,
}

impl Counter {
    /// The number now.
    #[must_use]
    pub fn total(&self) -> u64 {
        self.by_subtask().values().map(|passed| passed.count).sum()
    }

    /// The lowest watermark that has passed in this run of the job: that of the subtask that is
    /// farthest behind. `None` if none has passed in one of them.
    #[must_use]
    pub fn watermark(&self) -> Option<Timestamp> {
        let by_subtask = self.by_subtask();
        let mut lowest = by_subtask.values().map(|passed| passed.watermark);
        let first = lowest.next()??;
        lowest.try_fold(first, |lowest, next| Some(lowest.min(next?)))
    }

    /// Begins with what a checkpoint has.
    fn reset(&self, count: u64) {
        let watermark = None;
        *self.by_subtask() = BTreeMap::from([(0, Passed { count, watermark })]);
    }

    fn set(&self, subtask: usize, passed: Passed) {
        self.by_subtask().insert(subtask, passed);
    }

    fn by_subtask(&self) -> MutexGuard<'_, BTreeMap<usize, Passed>> {
        self.by_subtask
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }
}

/// Counts what passes.
#[derive(Debug, Clone)]
pub struct Counted<C> {
    before: C,
    id: OperatorId,
    counter: Counter,
    subtask: usize,
    /// The count is that of this subtask; of the first one also what all had in the checkpoint.
    passed: Passed,
}

impl<C> Counted<C> {
    pub(crate) fn new(before: C, id: OperatorId, counter: Counter) -> Counted<C> {
        Counted {
            before,
            id,
            counter,
            subtask: 0,
            passed: Passed::default(),
        }
    }
}

impl<C: Chain> Chain for Counted<C> {
    type In = C::In;
    type Out = C::Out;

    fn push(&mut self, step: Step<C::In>, out: &mut impl FnMut(Step<C::Out>)) {
        let (passed, mut at_end) = (&mut self.passed, false);
        self.before.push(step, &mut |step| {
            match &step {
                Step::Record(_) => passed.count += 1,
                Step::Signal(signal) => {
                    if let Signal::Progress(progress) = signal {
                        passed.watermark = progress.watermark;
                    }
                    at_end = true;
                }
            }
            out(step);
        });
        // A signal follows each batch.
        if at_end {
            self.counter.set(self.subtask, self.passed);
        }
    }

    fn open(&mut self, opening: &mut Opening<'_>) -> Result<(), Error> {
        self.subtask = opening.subtask.index;
        // The first subtask is opened first.
        if self.subtask == 0 {
            let counts: Vec<u64> = opening.items(&self.id)?;
            self.passed.count = counts.into_iter().sum();
            self.counter.reset(self.passed.count);
        }
        self.before.open(opening)
    }

    fn snapshot(&self, snapshot: &mut Snapshot) {
        snapshot.items(&self.id, vec![self.passed.count]);
        self.before.snapshot(snapshot);
    }
}
