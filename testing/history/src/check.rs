//! The check: what is in the history is collected once, then each kind is looked for.

mod index;
mod offsets;
mod polls;
mod sends;
mod transactions;
mod writes;

use crate::anomaly::Anomaly;
use crate::operation::Operation;
use crate::report::Report;

use index::Index;

/// Why a list of operations is no history.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Flaw {
    /// A value was sent twice, so that nothing follows from reading it twice.
    #[error("the operations {first} and {second} send the same value, {value}")]
    SentTwice {
        /// The value.
        value: u64,
        /// The first operation that sends it.
        first: usize,
        /// The second one; it may be the same.
        second: usize,
    },
    /// The operations of a process are not in the order in which they were invoked.
    #[error("operation {0} was invoked before an earlier one of its process")]
    OutOfOrder(usize),
    /// A transaction is committed although it was not asked to end.
    #[error("operation {0} is a committed transaction that was not asked to end")]
    NotAsked(usize),
}

/// Returns what is wrong in a history.
///
/// # Errors
/// When the operations are no history, so that nothing can be said.
pub fn check(operations: &[Operation]) -> Result<Report, Flaw> {
    let index = Index::new(operations)?;
    let mut anomalies: Vec<Anomaly> = Vec::new();
    offsets::find(&index, &mut anomalies);
    writes::find(&index, &mut anomalies);
    transactions::find(&index, &mut anomalies);
    polls::find(&index, &mut anomalies);
    sends::find(&index, &mut anomalies);
    // The maps that were walked have no order.
    anomalies.sort_by(|a, b| {
        let key = |anomaly: &Anomaly| (anomaly.kind, anomaly.witnesses.clone());
        key(a).cmp(&key(b))
    });
    Ok(Report {
        counts: index.counts(),
        anomalies,
    })
}
