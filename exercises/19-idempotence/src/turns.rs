//! The order of all notes of a broker.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// Numbers that only grow, whatever the clock does: each note of a producer takes one, its
/// *turn*. All tables of a broker share them, so turns of two tables can be compared.
#[derive(Debug, Clone, Default)]
pub struct Turns {
    next: Arc<AtomicU64>,
}

impl Turns {
    /// Returns a turn that is above all others.
    #[must_use]
    pub fn next(&self) -> u64 {
        self.next.fetch_add(1, Ordering::Relaxed)
    }

    /// The next turn is above this one, which a run of the broker before this one has given.
    pub fn go_on_behind(&self, turn: u64) {
        self.next.fetch_max(turn + 1, Ordering::Relaxed);
    }
}
