//! A consumer reads on where it was: it goes back over nothing, and passes over nothing.

use std::collections::HashMap;

use crate::anomaly::{Anomaly, Kind, Saw, Witness};
use crate::check::index::{Index, witness_of_poll};
use crate::operation::{Action, Operation, Partition};

/// Where a consumer is in a partition.
struct Place {
    /// The lowest offset that may come next.
    next: i64,
    /// What says so.
    since: Witness,
}

/// Where the consumer of a process is.
type Places<'a> = HashMap<&'a Partition, Place>;

pub(super) fn find(index: &Index<'_>, anomalies: &mut Vec<Anomaly>) {
    let mut processes: HashMap<u32, Places<'_>> = HashMap::new();
    for (number, operation) in index.operations.iter().enumerate() {
        let places = processes.entry(operation.process).or_default();
        match &operation.action {
            Action::Assign(partitions) => places.retain(|held, _| partitions.contains(held)),
            Action::Subscribe(_) => places.clear(),
            Action::Seek { partition, offset } => {
                places.remove(partition);
                if let Some(next) = *offset {
                    let since = Witness {
                        operation: number,
                        saw: Saw::Sought(next),
                    };
                    places.insert(partition, Place { next, since });
                }
            }
            Action::Send(_) => {}
            Action::Poll(_) | Action::Transaction { .. } => {
                follow((number, operation), places, index, anomalies);
            }
        }
    }
}

/// Follows the records that an operation polled.
fn follow<'a>(
    (number, operation): (usize, &'a Operation),
    places: &mut Places<'a>,
    index: &Index<'_>,
    anomalies: &mut Vec<Anomaly>,
) {
    for record in operation.records() {
        let now = witness_of_poll(number, record);
        let place = Place {
            next: record.offset.saturating_add(1),
            since: now,
        };
        let Some(before) = places.insert(&record.partition, place) else {
            continue;
        };
        let mut add = |kind, witnesses| {
            anomalies.push(Anomaly {
                kind,
                partition: record.partition.clone(),
                witnesses,
            });
        };
        if record.offset < before.next {
            add(Kind::NonmonotonicPoll, vec![before.since, now]);
            continue;
        }
        let polled = &index.logs[&record.partition].polled;
        if let Some((_, skipped)) = polled.range(before.next..record.offset).next() {
            add(Kind::PollSkip, vec![before.since, *skipped, now]);
        }
    }
}
