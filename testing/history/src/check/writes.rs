//! What is acknowledged is read.

use crate::anomaly::{Anomaly, Kind, Witness};
use crate::check::index::{Index, Sent, witness_of_poll};

pub(super) fn find(index: &Index<'_>, anomalies: &mut Vec<Anomaly>) {
    for (value, sent) in &index.sent {
        if !sent.is_certain || index.polled.contains_key(value) {
            continue;
        }
        let mut witnesses = vec![sent.witness()];
        // Why the value counts as sent although its transaction has no outcome.
        witnesses.extend(sibling(index, sent));
        let later = later(index, sent);
        witnesses.extend(later);
        anomalies.push(Anomaly {
            kind: later.map_or(Kind::Unseen, |_| Kind::LostWrite),
            partition: sent.send.partition.clone(),
            witnesses,
        });
    }
}

/// A poll that returned what is behind the value.
fn later(index: &Index<'_>, sent: &Sent<'_>) -> Option<Witness> {
    let log = index.logs.get(&sent.send.partition)?;
    let mut behind = log.polled.range(sent.send.offset?..);
    behind.next().map(|(_, witness)| *witness)
}

/// A poll that returned another value of the same operation, whose outcome is not known.
fn sibling(index: &Index<'_>, sent: &Sent<'_>) -> Option<Witness> {
    let operation = &index.operations[sent.operation];
    if operation.outcome == crate::Outcome::Ok {
        return None;
    }
    let mut polled = operation
        .sends()
        .filter_map(|send| index.polled.get(&send.value));
    let (reader, record) = polled.next()?.earliest;
    Some(witness_of_poll(reader, record))
}
