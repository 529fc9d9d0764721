//! Which variant of a part a case runs on, and which holes of it the case enters.

use std::sync::LazyLock;
use std::sync::atomic::{AtomicU64, Ordering};

/// The variable that says which; the solution's or the learner's text if it is not set.
const VARIABLE: &str = "SPEC_VARIANT";

static VARIANT: LazyLock<u32> = LazyLock::new(|| {
    let value = std::env::var(VARIABLE).ok();
    value.and_then(|value| value.parse().ok()).unwrap_or(0)
});

/// A bit for each hole that this process has entered so far.
static ENTERED: AtomicU64 = AtomicU64::new(0);

/// The number of the variant that this process runs: 0, the text as it is, unless
/// `cargo workbook verify` has put several into one text and asks for another.
///
/// The part asks it in `hole`, which is noted; holes count from 0, up to 63.
#[must_use]
pub fn variant(hole: u32) -> u32 {
    let bit = 1 << hole;
    if ENTERED.load(Ordering::Relaxed) & bit == 0 {
        ENTERED.fetch_or(bit, Ordering::Relaxed);
    }
    *VARIANT
}

/// Reads the variable, before a case begins: so the part's question costs no allocation.
pub(crate) fn read_variant() {
    LazyLock::force(&VARIANT);
}

pub(crate) fn entered() -> u64 {
    ENTERED.load(Ordering::Relaxed)
}
