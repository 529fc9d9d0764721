//! The operator that says when each record happened, and how far event time has come.

use std::collections::BTreeMap;
use std::time::Duration;

use message_model::{Moment, Timestamp};

use crate::chain::Chain;
use crate::element::{END_OF_TIME, Record, Signal, Step, UNTIMED};
use crate::error::Error;
use crate::operator_id::OperatorId;
use crate::part::{PartitionWatermarks, Progress};
use crate::snapshot::{Opening, Snapshot};

// ANCHOR: order
/// How far out of order the records of a partition are.
///
/// In the task of a source that is a partition of the source, else a channel. Records of several
/// partitions in one channel are as far out of order as the partitions are apart. So a source with
/// several partitions should have its times in its own task.
#[derive(Debug, Clone, Copy)]
pub struct OutOfOrder {
    /// No record is this much behind the latest before it in its partition; what is more
    /// may be late.
    pub bound: Duration,
    /// A partition from which no record comes for so long is not waited for. `None`: it is
    /// waited for without end.
    pub idle_after: Option<Duration>,
    /// Within a batch, a watermark follows the record with which the watermark of its partition
    /// passes a multiple of this. If windows begin and end at such multiples, the order of the
    /// records alone decides which of them are late. `None`: watermarks come behind batches, so
    /// a record may still be counted that is late by its order.
    pub step: Option<Duration>,
}
// ANCHOR_END: order

/// Takes the time of each record, and makes watermarks of the times.
#[derive(Debug, Clone)]
pub struct EventTime<C, F> {
    before: C,
    id: OperatorId,
    time_of: F,
    passed: Passed,
}

/// How far event time has come.
#[derive(Debug, Clone)]
struct Passed {
    watermarks: PartitionWatermarks,
    emitted: Progress,
    /// By partition that was not opened yet: its latest time in the checkpoint.
    restored: BTreeMap<u32, Timestamp>,
    /// The latest time since the last signal.
    latest: Timestamp,
    bound_ms: i64,
    step_ms: Option<i64>,
    /// Where the records of this batch come from.
    batch: Option<(u32, Moment)>,
    /// By partition: the time with which its watermark passes the next multiple of the step.
    due: BTreeMap<u32, Timestamp>,
    /// The same of this batch's partition.
    due_now: Timestamp,
}

impl<C, F> EventTime<C, F> {
    pub(crate) fn new(before: C, id: OperatorId, time_of: F, order: OutOfOrder) -> EventTime<C, F> {
        EventTime {
            before,
            id,
            time_of,
            passed: Passed {
                watermarks: PartitionWatermarks::new(order.bound, order.idle_after),
                emitted: Progress::default(),
                restored: BTreeMap::new(),
                latest: UNTIMED,
                bound_ms: millis(order.bound),
                step_ms: order.step.map(|step| millis(step).max(1)),
                batch: None,
                due: BTreeMap::new(),
                due_now: END_OF_TIME,
            },
        }
    }
}

fn millis(duration: Duration) -> i64 {
    i64::try_from(duration.as_millis()).unwrap_or(i64::MAX)
}

impl<C, F> Chain for EventTime<C, F>
where
    C: Chain,
    F: FnMut(&C::Out) -> Timestamp + Clone + Send + 'static,
{
    type In = C::In;
    type Out = C::Out;

    fn push(&mut self, step: Step<C::In>, out: &mut impl FnMut(Step<C::Out>)) {
        let (time_of, passed) = (&mut self.time_of, &mut self.passed);
        self.before.push(step, &mut |step| match step {
            Step::Record(Record { value, .. }) => {
                let time = time_of(&value);
                out(Step::Record(Record { time, value }));
                if time > passed.latest
                    && let Some(progress) = passed.record(time)
                {
                    out(Step::Signal(Signal::Progress(progress)));
                }
            }
            Step::Signal(signal) => {
                let progress = passed.signal(signal);
                // What came from before is about other times than these.
                if !matches!(signal, Signal::Progress(_)) {
                    out(Step::Signal(signal));
                }
                if let Some(progress) = progress {
                    out(Step::Signal(Signal::Progress(progress)));
                }
            }
        });
    }

    fn open(&mut self, opening: &mut Opening<'_>) -> Result<(), Error> {
        let latest: Vec<(u32, i64)> = opening.items(&self.id)?;
        // A channel may carry other records than the channel of its number did.
        let latest = latest.into_iter().filter(|_| opening.at_source);
        self.passed.restored = latest
            .map(|(number, time)| (number, Timestamp(time)))
            .collect();
        self.before.open(opening)
    }

    fn snapshot(&self, snapshot: &mut Snapshot) {
        let latest = self.passed.watermarks.latest().into_iter();
        let latest = latest.map(|(number, time)| (number, time.0)).collect();
        snapshot.items::<(u32, i64)>(&self.id, latest);
        self.before.snapshot(snapshot);
    }
}

impl Passed {
    // ANCHOR: watermark
    /// How far event time has come with a record of the latest time in this batch, if it has
    /// passed a multiple of the step.
    fn record(&mut self, time: Timestamp) -> Option<Progress> {
        self.latest = time;
        if time < self.due_now {
            return None;
        }
        let (partition, now) = self.batch?;
        let step = self.step_ms?;
        let watermark = time.0.saturating_sub(self.bound_ms);
        let next = watermark.div_euclid(step).saturating_add(1);
        let next = next.saturating_mul(step);
        self.due_now = Timestamp(next.saturating_add(self.bound_ms));
        self.watermarks.observe(now, partition, time);
        let progress = self.watermarks.progress(now);
        self.emit(progress)
    }
    // ANCHOR_END: watermark

    /// How far event time has come after a signal, if that is farther than before.
    fn signal(&mut self, signal: Signal) -> Option<Progress> {
        let progress = match signal {
            Signal::Opened { partition, now } => {
                let latest = self.restored.remove(&partition);
                self.watermarks.open(now, partition, latest);
                return None;
            }
            Signal::BatchBegin { partition, now } => {
                self.batch = Some((partition, now));
                self.due_now = match self.step_ms {
                    Some(_) => self.due.get(&partition).copied().unwrap_or(UNTIMED),
                    None => END_OF_TIME,
                };
                return None;
            }
            Signal::BatchEnd { partition, now } => {
                let seen = std::mem::replace(&mut self.latest, UNTIMED);
                if seen != UNTIMED {
                    self.watermarks.observe(now, partition, seen);
                }
                self.due.insert(partition, self.due_now);
                self.watermarks.progress(now)
            }
            Signal::Tick(now) => self.watermarks.progress(now),
            Signal::Ended(partition) => {
                self.watermarks.end(partition);
                return None;
            }
            Signal::Progress(progress) if progress.watermark == Some(END_OF_TIME) => progress,
            Signal::Progress(_) => return None,
        };
        self.emit(progress)
    }

    fn emit(&mut self, progress: Progress) -> Option<Progress> {
        let is_new = progress != self.emitted;
        self.emitted = progress;
        is_new.then_some(progress)
    }
}
