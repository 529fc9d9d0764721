//! The law of transforms: outputs and committed offsets agree.

use std::collections::{BTreeMap, BTreeSet};

use history::{Action, Partition};

use super::{Ends, Violation};
use crate::record::{RunRecord, place};

/// Each record below what the transforms have committed has one output, and no other has one.
pub(super) fn each_input_has_one_output(record: &RunRecord, ends: &Ends) -> Result<(), Violation> {
    let committed = ends.committed.get("transforms");
    let committed: BTreeMap<i32, i64> = committed.into_iter().flatten().copied().collect();
    // What the last reader of committed records found.
    let last = record.operations.iter().rev();
    let mut last = last.filter(|one| matches!(one.action, Action::Assign(_)));
    let Some(reader) = last.nth(1).map(|one| one.process) else {
        return Ok(());
    };
    let of_reader = record.operations.iter().filter(|one| one.process == reader);
    let read: Vec<_> = of_reader.flat_map(|one| one.records()).collect();
    let mut made: BTreeMap<(i32, i64), Vec<u64>> = BTreeMap::new();
    for one in &read {
        if let Some(input) = record.outputs.get(&one.value) {
            made.entry(*input).or_default().push(one.value);
        }
    }
    let partitions: BTreeMap<Partition, i32> = committed
        .keys()
        .map(|index| (place("in", *index), *index))
        .collect();
    let mut inputs = BTreeSet::new();
    for one in &read {
        let Some(index) = partitions.get(&one.partition) else {
            continue;
        };
        let input = (*index, one.offset);
        inputs.insert(input);
        let below = one.offset < committed.get(index).copied().unwrap_or(0);
        let outputs = made.get(&input).map_or(0, Vec::len);
        if outputs != usize::from(below) {
            let is_below = if below { "below" } else { "not below" };
            return Err(Violation::new(
                "each record that was transformed has one output",
                format!(
                    "offset {} of {} is {is_below} what is committed, and has {outputs} outputs",
                    one.offset, one.partition
                ),
            ));
        }
    }
    match made.keys().find(|input| !inputs.contains(input)) {
        None => Ok(()),
        Some((index, offset)) => Err(Violation::new(
            "each record that was transformed has one output",
            format!("an output was made of offset {offset} of in-{index}, which is not committed"),
        )),
    }
}
