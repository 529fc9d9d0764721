//! When to try again.

use std::time::Duration;

use message_model::Moment;

/// How the pauses between attempts grow.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Backoff {
    /// The pause after the first failure, before jitter.
    pub first: Duration,
    /// The longest pause, before jitter: pauses stop growing here.
    pub max: Duration,
}

/// The attempts of one call, which has one deadline. Pure: time and jitter are passed in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Attempts {
    backoff: Backoff,
    deadline: Moment,
    failures: u32,
}

impl Attempts {
    /// Returns the attempts of a call that has just begun and must have ended at `deadline`.
    #[must_use]
    pub fn new(backoff: Backoff, deadline: Moment) -> Attempts {
        Attempts {
            backoff,
            deadline,
            failures: 0,
        }
    }

    /// Returns when the next attempt may begin after one that failed at `now`; `None`: the
    /// deadline would have come by then, so the call ends now.
    ///
    /// The pause is [`Backoff::first`] after the first failure and twice as long after each
    /// further one, until it reaches [`Backoff::max`], where it stays. `jitter`, from 0 to
    /// 1, says where between half of the pause and all of it the next attempt begins:
    /// clients that failed together must not come back together.
    ///
    /// A client may fail for days, so no number of failures overflows.
    pub fn failed(&mut self, now: Moment, jitter: f64) -> Option<Moment> {
        // task 13.2: pause longer after each failure, and never past the deadline
        todo!("13.2: pause longer after each failure, and never past the deadline")
        // end
    }

    /// Returns the deadline, which is the same for all attempts.
    #[must_use]
    pub fn deadline(&self) -> Moment {
        self.deadline
    }
}
