//! The sends of a process to a partition are in the log in their order.

use std::collections::HashMap;

use crate::anomaly::{Anomaly, Kind, Witness};
use crate::check::index::Index;
use crate::operation::{Outcome, Partition};

/// The last send of a process to a partition that has a place.
#[derive(Default)]
struct Last {
    any: Option<(i64, Witness)>,
    acknowledged: Option<(i64, Witness)>,
}

pub(super) fn find(index: &Index<'_>, anomalies: &mut Vec<Anomaly>) {
    let mut last: HashMap<(u32, &Partition), Last> = HashMap::new();
    for operation in index.operations {
        for send in operation.sends() {
            let sent = &index.sent[&send.value];
            let place = index.place(send).filter(|_| sent.is_certain);
            let Some(offset) = place else {
                continue;
            };
            let last = last
                .entry((operation.process, &send.partition))
                .or_default();
            let is_acknowledged = operation.outcome == Outcome::Ok;
            let now = Some((offset, sent.witness()));
            let is_above = |before: &(i64, Witness)| before.0 > offset;
            let among_acknowledged = last.acknowledged.filter(is_above);
            let found = match (
                is_acknowledged,
                among_acknowledged,
                last.any.filter(is_above),
            ) {
                (true, Some(before), _) => Some((Kind::NonmonotonicSend, before)),
                (_, _, Some(before)) => Some((Kind::LateSend, before)),
                _ => None,
            };
            if let Some((kind, (_, before))) = found {
                anomalies.push(Anomaly {
                    kind,
                    partition: send.partition.clone(),
                    witnesses: vec![before, sent.witness()],
                });
            }
            last.any = now;
            if is_acknowledged {
                last.acknowledged = now;
            }
        }
    }
}
