//! What the part of chapter 04 must do.

use super::part;

mod task_1;
mod task_2;
mod task_3;
mod task_4;

/// Checks that `got` says that the input ends too early; by how much is not asked.
fn expect_truncated<T: std::fmt::Debug>(what: &str, got: &Result<T, part::Malformed>) {
    if !matches!(got, Err(part::Malformed::Truncated { .. })) {
        spec_harness::fail(what, "Err(Truncated { .. })", &format!("{got:?}"));
    }
}
