//! Windows of event time.

use std::fmt;
use std::num::NonZeroU32;

use message_model::Timestamp;

use crate::civil_time::Utc;

/// The times `start..end`; `end` itself belongs to the next window.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Window {
    /// The first millisecond in it.
    pub start: Timestamp,
    /// The first millisecond behind it.
    pub end: Timestamp,
}

impl fmt::Display for Window {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", Utc(self.start), Utc(self.end))
    }
}

/// Windows of one size that lie side by side, the first one beginning with 1970.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Tumbling {
    size_ms: i64,
}

impl Tumbling {
    /// Windows of this many seconds.
    #[must_use]
    pub fn of_seconds(seconds: NonZeroU32) -> Tumbling {
        Tumbling {
            size_ms: i64::from(seconds.get()) * 1000,
        }
    }

    /// Their size in milliseconds.
    pub(crate) fn size_ms(self) -> i64 {
        self.size_ms
    }

    // ANCHOR: window_of
    /// The one window that holds `time`.
    #[must_use]
    pub fn window_of(self, time: Timestamp) -> Window {
        let start = time.0 - time.0.rem_euclid(self.size_ms);
        Window {
            start: Timestamp(start),
            end: Timestamp(start + self.size_ms),
        }
    }
    // ANCHOR_END: window_of
}
