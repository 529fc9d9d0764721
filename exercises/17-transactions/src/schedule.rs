//! When a half message is asked about.

use std::time::Duration;

use message_model::Timestamp;

use crate::words::Open;

/// How often, and when, the producers are asked about a half message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Schedule {
    /// How long a half message waits for its outcome before the first check.
    pub first: Duration,
    /// The longest wait.
    pub longest: Duration,
    /// How many checks there are.
    pub checks_max: u32,
}

/// What is due next about an open half message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Due {
    /// When.
    pub at: Timestamp,
    /// What.
    pub step: Step,
}

/// What can be due.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Step {
    /// A check.
    Check,
    /// To ask no more.
    SetAside,
}

impl Schedule {
    /// Returns what is due next about `open`, and when: a wait after [`Open::since`]. The
    /// wait is `first` before the first check, and doubles with each check, up to `longest`.
    /// The last check is waited for as well before the half message is set aside.
    ///
    /// No number of checks is too large (it can be above `checks_max`, if that was larger
    /// before a restart), and no wait: what would be behind the last timestamp is at the
    /// last timestamp. A timestamp counts milliseconds; a fraction of one is cut off.
    #[must_use]
    pub fn next(&self, open: &Open) -> Due {
        // task 17.1: when the next check is due, or the end of checks
        todo!("17.1: when the next check is due, or the end of checks")
        // end
    }
}
