//! Each offset has one value, each value one offset, and each comes from a client.

use std::collections::HashMap;

use crate::anomaly::{Anomaly, Kind, Witness};
use crate::check::index::{Index, witness_of_poll};

pub(super) fn find(index: &Index<'_>, anomalies: &mut Vec<Anomaly>) {
    for (partition, log) in &index.logs {
        // Where each value was seen: the first place is kept until there is a second one.
        let mut seen: HashMap<u64, Vec<Witness>> = HashMap::new();
        for values in log.offsets.values() {
            if values.len() > 1 {
                anomalies.push(Anomaly {
                    kind: Kind::InconsistentOffset,
                    partition: (*partition).clone(),
                    witnesses: values.iter().map(|(_, witness)| *witness).collect(),
                });
            }
            for (value, witness) in values {
                seen.entry(*value).or_default().push(*witness);
            }
        }
        for witnesses in seen.into_values().filter(|places| places.len() > 1) {
            anomalies.push(Anomaly {
                kind: Kind::Duplicate,
                partition: (*partition).clone(),
                witnesses,
            });
        }
    }
    find_phantoms(index, anomalies);
}

fn find_phantoms(index: &Index<'_>, anomalies: &mut Vec<Anomaly>) {
    for (value, polled) in &index.polled {
        let sent = index.sent.get(value);
        for (partition, offset, operation) in &polled.places {
            if sent.is_some_and(|sent| sent.send.partition == **partition) {
                continue;
            }
            let mut records = index.operations[*operation].records();
            let record = records.find(|record| {
                record.value == *value
                    && record.offset == *offset
                    && record.partition == **partition
            });
            let read = record.map(|record| witness_of_poll(*operation, record));
            anomalies.push(Anomaly {
                kind: Kind::Phantom,
                partition: (*partition).clone(),
                witnesses: sent
                    .map(|sent| sent.witness())
                    .into_iter()
                    .chain(read)
                    .collect(),
            });
        }
    }
}
