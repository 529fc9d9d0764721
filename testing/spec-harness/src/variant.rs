//! Which variant of a part a case runs on.

use std::sync::LazyLock;

/// The variable that says which; the solution's or the learner's text if it is not set.
const VARIABLE: &str = "SPEC_VARIANT";

static VARIANT: LazyLock<u32> = LazyLock::new(|| {
    let value = std::env::var(VARIABLE).ok();
    value.and_then(|value| value.parse().ok()).unwrap_or(0)
});

/// The number of the variant that this process runs: 0, the text as it is, unless
/// `cargo workbook verify` has put several into one text and asks for another. It is
/// read before a case begins, so that it costs the part no allocation.
#[must_use]
pub fn variant() -> u32 {
    *VARIANT
}
