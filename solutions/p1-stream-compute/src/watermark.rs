//! How far event time has come.
//!
//! A watermark W is the promise that every record below the time W has come, or will
//! not be waited for.

use std::collections::BTreeMap;
use std::time::Duration;

use message_model::{Moment, Timestamp};

/// How far one of several inputs has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Lane {
    /// Its watermark; `None` before it has one.
    pub watermark: Option<Timestamp>,
    /// Nothing comes from it for now, so nothing waits for it.
    pub idle: bool,
}

impl Lane {
    /// Nothing will ever come again: the watermark is the end of time.
    fn is_over(self) -> bool {
        self.watermark == Some(Timestamp(i64::MAX))
    }
}

/// How far all inputs together have come.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Progress {
    /// The highest promise that holds for all inputs; `None` before there is one. Never goes back.
    pub watermark: Option<Timestamp>,
    /// Nothing comes from any input for now.
    pub idle: bool,
}

/// The lowest watermark of several inputs.
#[derive(Debug, Clone, Default)]
pub struct LowestWatermark {
    lanes: BTreeMap<u32, Lane>,
    /// The watermark that was returned last.
    reached: Option<Timestamp>,
}

impl LowestWatermark {
    /// What `input` has come to.
    pub fn set(&mut self, input: u32, lane: Lane) {
        self.lanes.insert(input, lane);
    }

    /// How far all inputs have come that were set.
    ///
    /// - The watermark is the lowest one of the inputs that are not idle. It stays where it is
    ///   while one of these has none yet, and when the lowest one is below it.
    /// - An input that is over is never idle, and lowers nothing. If all are over, the
    ///   watermark is the end of time.
    /// - If all that are not over are idle, the watermark stays where it is, because they may
    ///   go on: then the progress is idle. So is that of no inputs at all.
    pub fn progress(&mut self) -> Progress {
        // task p1.2: the lowest watermark of all inputs, which never goes back
        let mut open = self.lanes.values().filter(|lane| !lane.is_over());
        let is_over = !self.lanes.is_empty() && open.clone().next().is_none();
        let idle = !is_over && open.clone().all(|lane| lane.idle);
        if is_over {
            self.reached = Some(Timestamp(i64::MAX));
        } else if !idle {
            // `None`, of a lane without a watermark, is the lowest of all.
            let awaited = open.by_ref().filter(|lane| !lane.idle);
            let lowest = awaited.map(|lane| lane.watermark).min().flatten();
            self.reached = self.reached.max(lowest);
        }
        Progress {
            watermark: self.reached,
            idle,
        }
        // end
    }
}

/// The watermark over partitions, in each of which no record is more than a bound of time
/// behind the latest before it.
///
/// The bound is a promise of the person who sets it, not something that can be known. What
/// breaks the promise is late.
#[derive(Debug, Clone)]
pub struct PartitionWatermarks {
    bound_ms: i64,
    /// `None`: a silent partition is waited for, however long.
    idle_after: Option<Duration>,
    partitions: BTreeMap<u32, Partition>,
    /// Its inputs are the partitions.
    lowest: LowestWatermark,
}

#[derive(Debug, Clone)]
struct Partition {
    /// The latest event time; `None` before the first record.
    latest: Option<Timestamp>,
    /// When a record came last, or the partition was opened: a moment of the machine's clock.
    /// `now.since(heard)` is the `Duration` between the two.
    heard: Moment,
    /// No record will come.
    ended: bool,
}

impl PartitionWatermarks {
    /// No partition is open yet. One from which no record has come for `idle_after` is idle.
    #[must_use]
    pub fn new(bound: Duration, idle_after: Option<Duration>) -> PartitionWatermarks {
        PartitionWatermarks {
            bound_ms: i64::try_from(bound.as_millis()).unwrap_or(i64::MAX),
            idle_after,
            partitions: BTreeMap::new(),
            lowest: LowestWatermark::default(),
        }
    }

    /// Records will come from `partition`. `latest` is the latest time that came from it before,
    /// if the job is resumed.
    pub fn open(&mut self, now: Moment, partition: u32, latest: Option<Timestamp>) {
        let opened = Partition {
            latest,
            heard: now,
            ended: false,
        };
        self.partitions.insert(partition, opened);
    }

    /// A record of this time came, or several of which it is the latest. Does nothing if the
    /// partition is not open. One that has ended is still open, and stays ended: the time counts
    /// for [`latest`](Self::latest) alone.
    pub fn observe(&mut self, now: Moment, partition: u32, time: Timestamp) {
        // task p1.2: a record has come from a partition
        if let Some(partition) = self.partitions.get_mut(&partition) {
            partition.latest = partition.latest.max(Some(time));
            partition.heard = now;
        }
        // end
    }

    /// No record will come from `partition`. It stays open.
    pub fn end(&mut self, partition: u32) {
        if let Some(partition) = self.partitions.get_mut(&partition) {
            partition.ended = true;
        }
    }

    /// How far event time has come, over all partitions: see [`LowestWatermark::progress`].
    ///
    /// The watermark of a partition is the bound below its latest time, and none before the
    /// first record. That of one that has ended is the end of time, `i64::MAX`. A partition is
    /// idle from the moment on at which it has been silent for `idle_after`, to the nanosecond:
    /// [`Moment::since`] returns how long that is by `now`.
    pub fn progress(&mut self, now: Moment) -> Progress {
        // task p1.2: the watermark over partitions, of which some are silent
        for (number, partition) in &self.partitions {
            let silent = now.since(partition.heard);
            let behind = |latest: Timestamp| Timestamp(latest.0.saturating_sub(self.bound_ms));
            let lane = if partition.ended {
                Lane {
                    watermark: Some(Timestamp(i64::MAX)),
                    idle: false,
                }
            } else {
                Lane {
                    watermark: partition.latest.map(behind),
                    idle: self.idle_after.is_some_and(|after| silent >= after),
                }
            };
            self.lowest.set(*number, lane);
        }
        self.lowest.progress()
        // end
    }

    /// The latest time of each partition, from which a resumed job opens it.
    #[must_use]
    pub fn latest(&self) -> Vec<(u32, Timestamp)> {
        let partitions = self.partitions.iter();
        partitions
            .filter_map(|(number, partition)| Some((*number, partition.latest?)))
            .collect()
    }
}
