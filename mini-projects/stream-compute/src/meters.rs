//! The numbers of a running job, for its live view.

use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use stream_engine::Completed;

use crate::access_log::Unparsable;
use crate::buckets::Buckets;
use crate::job::Counters;
use crate::tops::Tops;

/// What the parts of a job note while it runs. None of them waits for a reader.
#[derive(Debug, Default)]
pub(crate) struct Meters {
    /// How many lines became what, over all runs of the job.
    pub(crate) counters: Counters,
    /// How many lines are too long for the queue.
    too_long: AtomicU64,
    /// How many calls have had no answer for so long that it is worth a word.
    silences: AtomicUsize,
    /// Lines that this run did not understand, by the number of the reason.
    unparsable: [AtomicU64; Unparsable::ALL.len()],
    noted: Mutex<Noted>,
}

/// How long the checkpoints of this run took, and how far they are apart.
#[derive(Debug)]
pub(crate) struct Checkpoints {
    last: Option<Completed>,
    count: u64,
    took_ms_sum: u64,
    /// The longest, by number of the checkpoint.
    pub(crate) took_ms: Buckets,
    /// The longest time since the one before began, by number.
    pub(crate) interval_ms: Buckets,
}

impl Default for Checkpoints {
    fn default() -> Checkpoints {
        Checkpoints {
            last: None,
            count: 0,
            took_ms_sum: 0,
            took_ms: Buckets::new(1, u64::max),
            interval_ms: Buckets::new(1, u64::max),
        }
    }
}

impl Checkpoints {
    fn add(&mut self, checkpoint: Completed) {
        let id = checkpoint.id.cast_signed();
        let took = millis(checkpoint.took);
        self.count += 1;
        self.took_ms_sum += took;
        self.took_ms.add(id, took);
        if let Some(last) = self.last {
            let interval = checkpoint.began.since(last.began);
            self.interval_ms.add(id, millis(interval));
        }
        self.last = Some(checkpoint);
    }

    pub(crate) fn last(&self) -> Option<Completed> {
        self.last
    }

    pub(crate) fn count(&self) -> u64 {
        self.count
    }

    pub(crate) fn mean_ms(&self) -> u64 {
        self.took_ms_sum / self.count.max(1)
    }
}

fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}

/// What more than one number is needed for.
#[derive(Debug, Default)]
pub(crate) struct Noted {
    pub(crate) checkpoints: Checkpoints,
    /// How many rows this run has committed.
    pub(crate) rows: u64,
    /// The addresses with the most requests in these rows.
    pub(crate) tops: Tops,
    /// How many lines were in the queue that the job had not read, when the queue was asked last.
    pub(crate) lag: Option<u64>,
}

/// A call without an answer. Ends when this is dropped: with the answer, or because nothing waits
/// for it any more.
#[derive(Debug)]
pub(crate) struct Silence<'a>(&'a AtomicUsize);

impl Drop for Silence<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

impl Meters {
    /// So many lines of the input are too long for the queue.
    pub(crate) fn fed(&self, too_long: u64) {
        self.too_long.store(too_long, Ordering::Relaxed);
    }

    /// A call has had no answer for a while.
    pub(crate) fn silence(&self) -> Silence<'_> {
        self.silences.fetch_add(1, Ordering::Relaxed);
        Silence(&self.silences)
    }

    /// Whether a call waits for an answer, and has done so for a while.
    pub(crate) fn is_silent(&self) -> bool {
        self.silences.load(Ordering::Relaxed) > 0
    }

    /// How many lines are too long for the queue.
    pub(crate) fn too_long(&self) -> u64 {
        self.too_long.load(Ordering::Relaxed)
    }

    /// A line is no line of an access log.
    pub(crate) fn unparsable(&self, reason: Unparsable) {
        self.unparsable[reason as usize].fetch_add(1, Ordering::Relaxed);
    }

    /// How many lines were not understood for this reason, in this run of the job.
    pub(crate) fn bad(&self, reason: Unparsable) -> u64 {
        self.unparsable[reason as usize].load(Ordering::Relaxed)
    }

    /// How many different lines the job has read from the queue, in all its runs.
    pub(crate) fn counted(&self) -> u64 {
        self.counters.requests.total() + self.counters.unparsable.total()
    }

    /// The topic of lines has so many records now.
    pub(crate) fn ends_at(&self, records: u64) {
        let read = self.counted() + self.counters.repeated.total();
        self.noted().lag = Some(records.saturating_sub(read));
    }

    pub(crate) fn completed(&self, checkpoint: Completed) {
        self.noted().checkpoints.add(checkpoint);
    }

    pub(crate) fn committed(&self, rows: u64, tops: Tops) {
        let mut noted = self.noted();
        noted.rows += rows;
        noted.tops.merge(tops);
    }

    /// Hold it for as long as a copy takes, and no longer.
    pub(crate) fn noted(&self) -> MutexGuard<'_, Noted> {
        self.noted.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
