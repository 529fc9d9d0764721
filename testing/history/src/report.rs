//! What a check found.

use std::collections::BTreeMap;
use std::fmt;

use crate::anomaly::{Anomaly, Kind};
use crate::operation::Operation;
use crate::promise::Promise;

/// How many anomalies of a kind are written out.
const SHOWN: usize = 5;

/// What a check found in a history.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Report {
    /// What is wrong, by kind, and in the order of the history.
    pub anomalies: Vec<Anomaly>,
    /// How much there was to find it in.
    pub counts: Counts,
}

/// How much a history has of what.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Counts {
    /// Values whose send was acknowledged, or whose transaction was committed.
    pub acknowledged: usize,
    /// Values that were certainly not sent, or were aborted.
    pub failed: usize,
    /// Values of which it is not known.
    pub unknown: usize,
    /// Of those, how many were read.
    pub unknown_read: usize,
    /// Records that polls returned.
    pub polled: usize,
    /// Transactions.
    pub transactions: usize,
}

impl Report {
    /// Returns how many anomalies of each kind there are.
    #[must_use]
    pub fn by_kind(&self) -> BTreeMap<Kind, usize> {
        let mut found = BTreeMap::new();
        for anomaly in &self.anomalies {
            *found.entry(anomaly.kind).or_default() += 1;
        }
        found
    }

    /// Returns the anomalies that break `promise`.
    pub fn breaches(&self, promise: Promise) -> impl Iterator<Item = &Anomaly> {
        let anomalies = self.anomalies.iter();
        anomalies.filter(move |anomaly| promise.forbids(anomaly.kind))
    }

    /// Returns the counts and, if there are any, how many anomalies of each kind, in a line.
    #[must_use]
    pub fn summary(&self) -> String {
        let mut line = self.counts.to_string();
        for (kind, count) in self.by_kind() {
            line.push_str(&format!(", {count} {kind}"));
        }
        line
    }

    /// Returns the report for a person to read: what breaks `promise`, with the operations
    /// out of the history, and how much was found of the rest.
    #[must_use]
    pub fn explain<'a>(&'a self, operations: &'a [Operation], promise: Promise) -> Explained<'a> {
        Explained {
            report: self,
            operations,
            promise,
        }
    }
}

/// A report that can be printed; see [`Report::explain`].
#[derive(Debug)]
pub struct Explained<'a> {
    report: &'a Report,
    operations: &'a [Operation],
    promise: Promise,
}

impl fmt::Display for Explained<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{}", self.report.counts)?;
        for (kind, count) in self.report.by_kind() {
            let is_breach = self.promise.forbids(kind);
            let verdict = if is_breach { "breaks" } else { "is allowed by" };
            writeln!(f, "{kind:<20} {count:>6}  {verdict} {}", self.promise)?;
            let all = self.report.anomalies.iter();
            let shown = all.filter(|anomaly| is_breach && anomaly.kind == kind);
            for anomaly in shown.take(SHOWN) {
                anomaly.explain(self.operations, f)?;
            }
            if is_breach && count > SHOWN {
                writeln!(f, "  … and {} more", count - SHOWN)?;
            }
        }
        Ok(())
    }
}

impl fmt::Display for Counts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{} acknowledged, {} failed, {} unknown ({} of them read), {} polled, {} transactions",
            self.acknowledged,
            self.failed,
            self.unknown,
            self.unknown_read,
            self.polled,
            self.transactions
        )
    }
}
