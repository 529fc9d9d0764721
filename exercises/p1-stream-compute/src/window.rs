//! Windows of event time.

use std::time::Duration;

use message_model::Timestamp;

/// The times `start..end`; `end` itself is outside.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Window {
    /// The first millisecond in it.
    pub start: Timestamp,
    /// The first millisecond behind it.
    pub end: Timestamp,
}

impl Window {
    /// Whether there is a time that is in both. Windows that only touch have none. Neither is
    /// empty.
    #[must_use]
    pub fn overlaps(&self, other: &Window) -> bool {
        // task p1.1: whether two windows have a time in common
        todo!("p1.1: whether two windows have a time in common")
        // end
    }

    /// The shortest window with both in it.
    #[must_use]
    pub fn cover(&self, other: &Window) -> Window {
        Window {
            start: self.start.min(other.start),
            end: self.end.max(other.end),
        }
    }
}

/// How event time is cut into windows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Windows {
    /// How long a window is; of a session, how long one is that has a single record. At least 1.
    size_ms: i64,
    cut: Cut,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Cut {
    /// A window begins at each multiple of so many milliseconds, also before 1970: at
    /// `-step`, 0, `step`, `2 * step`. At least 1, and at most the size.
    Every(i64),
    /// A window begins with a record, and ends when no record has come for its size.
    Pause,
}

impl Windows {
    /// Windows side by side: each time is in exactly one.
    ///
    /// # Panics
    /// When `size` is below a millisecond, as in all three.
    #[must_use]
    pub fn tumbling(size: Duration) -> Windows {
        Windows::sliding(size, size)
    }

    /// Windows of `size`, of which one begins every `step`: each time is in
    /// `size / step` of them, rounded up or down.
    ///
    /// # Panics
    /// When `step` is longer than `size`, because some times would be in none.
    #[must_use]
    pub fn sliding(size: Duration, step: Duration) -> Windows {
        assert!(step <= size, "a time would be in no window");
        Windows {
            size_ms: whole_millis(size),
            cut: Cut::Every(whole_millis(step)),
        }
    }

    /// Windows that end when no record has come for `gap`. Two records that are
    /// exactly `gap` apart are in two windows.
    #[must_use]
    pub fn session(gap: Duration) -> Windows {
        Windows {
            size_ms: whole_millis(gap),
            cut: Cut::Pause,
        }
    }

    /// Whether windows that overlap become one.
    #[must_use]
    pub fn merge(&self) -> bool {
        self.cut == Cut::Pause
    }

    /// The windows of a record of this time, the one that starts first at first. For a session
    /// it is the window of a record that is alone: from its time on, as long as the gap.
    #[must_use]
    pub fn assign(&self, time: Timestamp) -> Assigned {
        // task p1.1: the windows that a time is in
        todo!("p1.1: the windows that a time is in")
        // end
    }
}

fn whole_millis(duration: Duration) -> i64 {
    let millis = i64::try_from(duration.as_millis()).unwrap_or(i64::MAX);
    assert!(millis > 0, "a window is at least a millisecond long");
    millis
}

/// The windows of one record: of the size `size_ms`, one that starts at `next`, one a `step`
/// later, and so on up to the one that starts at `last`.
#[derive(Debug, Clone)]
pub struct Assigned {
    /// Wider than a time, because a window may start before the first time that there is. It
    /// is cut off there.
    next: i128,
    /// From `next` on some steps farther, or none.
    last: i128,
    /// At least 1.
    step: i64,
    size_ms: i64,
}

impl Iterator for Assigned {
    type Item = Window;

    fn next(&mut self) -> Option<Window> {
        if self.next > self.last {
            return None;
        }
        let window = Window {
            start: clamp(self.next),
            end: clamp(self.next + i128::from(self.size_ms)),
        };
        self.next += i128::from(self.step);
        Some(window)
    }
}

fn clamp(time: i128) -> Timestamp {
    let end = if time < 0 { i64::MIN } else { i64::MAX };
    Timestamp(i64::try_from(time).unwrap_or(end))
}
