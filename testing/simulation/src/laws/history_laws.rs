//! Laws about what readers saw.

use std::collections::BTreeMap;

use history::{Promise, check};

use super::Violation;
use crate::record::RunRecord;

/// Every reader of everything finds the same value at an offset.
pub(super) fn what_was_read_stays(record: &RunRecord) -> Result<(), Violation> {
    let mut values: BTreeMap<(&history::Partition, i64), u64> = BTreeMap::new();
    for (partition, offset, value) in &record.uncommitted {
        let there = *values.entry((partition, *offset)).or_insert(*value);
        if there != *value {
            return Err(Violation::new(
                "what was read stays",
                format!("offset {offset} of {partition} had the value {there}, and then {value}"),
            ));
        }
    }
    Ok(())
}

/// No lost write, no duplicate, no aborted or early read, nothing out of order: see the crate
/// `history`.
pub(super) fn the_history_keeps_every_promise(record: &RunRecord) -> Result<(), Violation> {
    let promise = Promise::Transactional;
    let report = match check(&record.operations) {
        Ok(report) => report,
        Err(flaw) => return Err(Violation::new("the history is one", flaw.to_string())),
    };
    if report.breaches(promise).next().is_none() {
        return Ok(());
    }
    let about = report.explain(&record.operations, promise).to_string();
    Err(Violation::new("the history keeps every promise", about))
}
