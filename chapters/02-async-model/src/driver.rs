//! One sleeper for everything that has a deadline.

use std::sync::{Mutex, MutexGuard};

use message_model::Moment;
use tokio::sync::Notify;

use crate::Clock;

/// One task that sleeps until the next deadline of something that keeps its own timers.
///
/// What keeps the timers is behind a lock of its own, which the driver never sees:
/// put a timer in, and [`note`](Driver::note) its deadline.
///
/// # Invariants
/// - A deadline that was noted is never overslept, whenever it was noted.
/// - No step runs between two deadlines: a note of a later one does not wake the sleeper.
#[derive(Debug)]
pub struct Driver {
    clock: Clock,
    /// At or before the earliest deadline that was noted or returned since the
    /// last step began; `None`: there is no deadline.
    next: Mutex<Option<Moment>>,
    /// `next` has become earlier than what is slept for.
    earlier: Notify,
}

impl Driver {
    /// A driver without a deadline.
    #[must_use]
    pub fn new(clock: Clock) -> Driver {
        Driver {
            clock,
            next: Mutex::new(None),
            earlier: Notify::new(),
        }
    }

    // ANCHOR: note
    /// Makes a step run at `deadline`. Call it when the timer is in its place: a step
    /// that runs in between must find the timer there.
    ///
    /// Costs a lock that is held for one comparison, and wakes the sleeper only if
    /// `deadline` is before all others.
    pub fn note(&self, deadline: Moment) {
        if self.keep(deadline) {
            self.earlier.notify_one();
        }
    }
    // ANCHOR_END: note

    /// Returns whether `deadline` is before all others.
    fn keep(&self, deadline: Moment) -> bool {
        let mut next = self.next();
        let is_earlier = next.is_none_or(|next| deadline < next);
        if is_earlier {
            *next = Some(deadline);
        }
        is_earlier
    }

    // ANCHOR: drive
    /// Never returns: calls `step` at once, and then whenever a deadline has come.
    ///
    /// `step` gets the time, ends what is due, and returns the next deadline of
    /// what is left, or one before it; it runs again at once if that has passed.
    /// Let one task at a time drive: a note wakes one sleeper only.
    pub async fn drive(&self, mut step: impl FnMut(Moment) -> Option<Moment>) {
        loop {
            // Before the step: what is noted while it runs, it may have missed.
            *self.next() = None;
            if let Some(deadline) = step(self.clock.now()) {
                self.keep(deadline);
            }
            self.until_due().await;
        }
    }

    async fn until_due(&self) {
        loop {
            // Lets other tasks run if every step returns a deadline that has passed.
            tokio::task::consume_budget().await;
            let next = *self.next();
            match next {
                Some(deadline) if deadline <= self.clock.now() => return,
                // In a fixed order, so that the same events always have the same effect.
                Some(deadline) => tokio::select! {
                    biased;
                    () = self.clock.sleep_until(deadline) => {}
                    () = self.earlier.notified() => {}
                },
                None => self.earlier.notified().await,
            }
        }
    }
    // ANCHOR_END: drive

    fn next(&self) -> MutexGuard<'_, Option<Moment>> {
        self.next.lock().expect("nothing panics under this lock")
    }
}
