//! Peers that are too slow while others wait for room.

use std::time::Duration;

use tokio::time::Instant;

/// While others wait for room, a transfer that holds some must move by [`SHORTAGE_BYTES`] in
/// each window of this length, or its connection is closed.
pub(crate) const SHORTAGE_WINDOW: Duration = Duration::from_secs(1);
/// See [`SHORTAGE_WINDOW`].
const SHORTAGE_BYTES: usize = 16 * 1024;

/// How a transfer moves, in one direction of a connection.
#[derive(Debug)]
pub(crate) struct Movement {
    /// When the last [`SHORTAGE_BYTES`] were complete, and how many came since.
    moved_at: Instant,
    moved: usize,
    /// Since when others wait for room, as far as it has looked.
    short_since: Option<Instant>,
}

impl Movement {
    /// Of a transfer that begins now.
    pub(crate) fn new() -> Movement {
        Movement {
            moved_at: Instant::now(),
            moved: 0,
            short_since: None,
        }
    }

    /// `count` bytes have come.
    pub(crate) fn moved(&mut self, count: usize) {
        self.moved += count;
        if self.moved >= SHORTAGE_BYTES {
            self.moved = 0;
            self.moved_at = Instant::now();
        }
    }

    /// Whether it hardly moves: less than [`SHORTAGE_BYTES`] came for a [`SHORTAGE_WINDOW`] in
    /// which others waited for room. `is_short` says whether they do now.
    pub(crate) fn is_slow_in_a_shortage(&mut self, is_short: bool) -> bool {
        if !is_short {
            self.short_since = None;
            return false;
        }
        let short_since = *self.short_since.get_or_insert_with(Instant::now);
        short_since.max(self.moved_at).elapsed() >= SHORTAGE_WINDOW
    }
}
