//! What an aborted transaction sent is not read, and nothing is read before the commit.

use crate::anomaly::{Anomaly, Kind};
use crate::check::index::{Index, Sent, witness_of_poll};
use crate::operation::{Action, Operation, Outcome};

pub(super) fn find(index: &Index<'_>, anomalies: &mut Vec<Anomaly>) {
    for (value, sent) in &index.sent {
        let Some(polled) = index.polled.get(value) else {
            continue;
        };
        let (reader, record) = polled.earliest;
        let mut add = |kind: Kind| {
            anomalies.push(Anomaly {
                kind,
                partition: sent.send.partition.clone(),
                witnesses: vec![sent.witness(), witness_of_poll(reader, record)],
            });
        };
        if index.operations[sent.operation].outcome == Outcome::Failed {
            add(Kind::AbortedRead);
        }
        if is_early(&index.operations[reader], reader, sent, index) {
            add(Kind::UncommittedRead);
        }
    }
    find_skips(index, anomalies);
}

/// Whether the poll came before the value's transaction was asked to commit.
fn is_early(reading: &Operation, reader: usize, sent: &Sent<'_>, index: &Index<'_>) -> bool {
    match index.operations[sent.operation].action {
        // A transaction that reads its own value reads it before its end.
        _ if reader == sent.operation => true,
        Action::Transaction {
            ending: Some(ending),
            ..
        } => reading.polled_by() < ending,
        // It can only be aborted, and an aborted read has been reported if it was.
        Action::Transaction { ending: None, .. } => {
            index.operations[sent.operation].outcome == Outcome::Unknown
        }
        _ => false,
    }
}

/// Between two sends of a transaction to a partition there is another value.
fn find_skips(index: &Index<'_>, anomalies: &mut Vec<Anomaly>) {
    let operations = index.operations.iter().enumerate();
    for (operation, done) in operations.filter(|(_, done)| done.is_transaction()) {
        let mut last: std::collections::BTreeMap<_, i64> = std::collections::BTreeMap::new();
        let certain = done.sends().filter_map(|send| {
            let sent = &index.sent[&send.value];
            sent.is_certain.then_some(sent)
        });
        for sent in certain {
            let Some(offset) = index.place(sent.send) else {
                continue;
            };
            let partition = &sent.send.partition;
            let Some(before) = last.insert(partition, offset) else {
                continue;
            };
            if offset <= before {
                continue;
            }
            let between = index.logs[partition].offsets.range(before + 1..offset);
            let mut others = between.flat_map(|(_, values)| values);
            let other = others.find(|(value, _)| {
                index
                    .sent
                    .get(value)
                    .is_none_or(|other| other.operation != operation)
            });
            if let Some((_, witness)) = other {
                anomalies.push(Anomaly {
                    kind: Kind::SendSkip,
                    partition: partition.clone(),
                    witnesses: vec![sent.witness(), *witness],
                });
            }
        }
    }
}
