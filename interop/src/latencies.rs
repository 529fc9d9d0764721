//! How long calls took.

use std::fmt;
use std::time::Duration;

/// Durations in milliseconds; shown as p50, p99 and the maximum.
#[derive(Debug, Clone, Default)]
pub struct Latencies(Vec<f64>);

impl Latencies {
    /// Adds one.
    pub fn add(&mut self, took: Duration) {
        self.0.push(took.as_secs_f64() * 1e3);
    }

    /// Adds all of the others.
    pub fn extend(&mut self, other: Latencies) {
        self.0.extend(other.0);
    }

    /// Returns how many there are.
    #[must_use]
    pub fn count(&self) -> usize {
        self.0.len()
    }

    /// Returns the sum of those that took longer than `limit`, in milliseconds.
    #[must_use]
    pub fn sum_above(&self, limit: Duration) -> f64 {
        let limit = limit.as_secs_f64() * 1e3;
        // A sum of none is -0.
        0.0 + self.0.iter().filter(|ms| **ms > limit).sum::<f64>()
    }

    /// Returns the longest, in milliseconds; 0 if there are none.
    #[must_use]
    pub fn max(&self) -> f64 {
        self.0.iter().copied().fold(0.0, f64::max)
    }
}

impl fmt::Display for Latencies {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut sorted = self.0.clone();
        sorted.sort_by(f64::total_cmp);
        let Some(last) = sorted.len().checked_sub(1) else {
            return f.write_str("none");
        };
        let at = |percent: usize| sorted[last * percent / 100];
        write!(f, "{:.2} / {:.2} / {:.1} ms", at(50), at(99), sorted[last])
    }
}
