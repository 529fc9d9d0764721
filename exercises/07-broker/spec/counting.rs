//! An end that counts how often it is looked at.

use std::cell::Cell;
use std::cmp::Ordering;

use spec_harness::fail;

thread_local! {
    /// How often two keys were compared, or one was cloned, on this thread.
    static TOUCHED: Cell<u64> = const { Cell::new(0) };
}

/// An end that counts how often a note's is looked at.
#[derive(Debug)]
pub(super) struct Counting(pub(super) u8);

impl Counting {
    /// How often a key was looked at during `work`.
    pub(super) fn touched(work: impl FnOnce()) -> u64 {
        let before = TOUCHED.get();
        work();
        TOUCHED.get() - before
    }

    /// Fails if `touched` is above `ceiling`.
    pub(super) fn at_most(what: &str, touched: u64, ceiling: u64) {
        if touched > ceiling {
            fail(what, &format!("{ceiling} at most"), &touched.to_string());
        }
    }
}

impl Clone for Counting {
    fn clone(&self) -> Counting {
        TOUCHED.set(TOUCHED.get() + 1);
        Counting(self.0)
    }
}

impl PartialEq for Counting {
    fn eq(&self, other: &Counting) -> bool {
        self.cmp(other) == Ordering::Equal
    }
}

impl Eq for Counting {}

impl PartialOrd for Counting {
    fn partial_cmp(&self, other: &Counting) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Counting {
    fn cmp(&self, other: &Counting) -> Ordering {
        TOUCHED.set(TOUCHED.get() + 1);
        self.0.cmp(&other.0)
    }
}
