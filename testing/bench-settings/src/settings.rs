//! Criterion, as all benchmarks want it.

use std::time::Duration;

use criterion::Criterion;

/// Short, since the pages print these commands and people wait for them: a second
/// for each name. Arguments of `cargo bench` change it.
#[must_use]
pub fn criterion() -> Criterion {
    Criterion::default()
        .sample_size(20)
        .warm_up_time(Duration::from_millis(300))
        .measurement_time(Duration::from_millis(700))
        .without_plots()
        .configure_from_args()
}
