//! Laws about groups, their generations and their offsets.

use std::collections::BTreeMap;

use super::Violation;
use crate::exchange::Exchanged;
use crate::record::RunRecord;

/// A generation in which members have got their partitions is never followed by a lower one.
///
/// One that members have only joined may come again after a crash, as in Kafka: it is stored
/// with the partitions of its members, and before that nobody has any.
pub(super) fn generations_only_rise(record: &RunRecord) -> Result<(), Violation> {
    let mut assigned: Vec<(&str, u64, i32)> = Vec::new();
    for exchange in &record.exchanges {
        let (Exchanged::Joined { group, generation }
        | Exchanged::Assigned {
            group, generation, ..
        }) = &exchange.what
        else {
            continue;
        };
        let before = assigned.iter();
        let mut before = before.filter(|(name, left, _)| name == group && *left < exchange.arrived);
        if let Some((_, _, higher)) = before.find(|(_, _, other)| other > generation) {
            return Err(Violation::new(
                "the generations of a group only rise",
                format!("{group} was in generation {higher}, and then in {generation}"),
            ));
        }
        if let Exchanged::Assigned { .. } = exchange.what {
            assigned.push((group, exchange.left, *generation));
        }
    }
    Ok(())
}

/// In a generation a partition belongs to one member.
pub(super) fn a_partition_has_one_owner(record: &RunRecord) -> Result<(), Violation> {
    let mut owners: BTreeMap<(&str, i32, u8), &str> = BTreeMap::new();
    for exchange in &record.exchanges {
        let Exchanged::Assigned {
            group,
            generation,
            member,
            partitions,
        } = &exchange.what
        else {
            continue;
        };
        for partition in partitions {
            let owner = owners
                .entry((group, *generation, *partition))
                .or_insert(member);
            if *owner != member {
                return Err(Violation::new(
                    "a partition belongs to one member of a generation",
                    format!(
                        "{group}, generation {generation}: two members have partition {partition}"
                    ),
                ));
            }
        }
    }
    Ok(())
}

/// What a member of an old generation commits is refused, once the partitions have been given to
/// the next one.
pub(super) fn nobody_commits_for_an_old_generation(record: &RunRecord) -> Result<(), Violation> {
    let mut assigned: Vec<(&str, u64, i32)> = Vec::new();
    for exchange in &record.exchanges {
        match &exchange.what {
            Exchanged::Assigned {
                group, generation, ..
            } => {
                assigned.push((group, exchange.left, *generation));
            }
            Exchanged::Committed {
                group, generation, ..
            } => {
                let newer = assigned.iter().find(|(name, left, newer)| {
                    name == group && *left < exchange.arrived && newer > generation
                });
                if let Some((_, _, newer)) = newer {
                    return Err(Violation::new(
                        "nobody commits for an old generation",
                        format!(
                            "{group} was in generation {newer}, and took offsets of {generation}"
                        ),
                    ));
                }
            }
            _ => {}
        }
    }
    Ok(())
}

/// An offset that was answered, as committed or as read, never goes back.
pub(super) fn offsets_only_rise(record: &RunRecord) -> Result<(), Violation> {
    // When it was answered, and what.
    let mut answered: BTreeMap<(&str, i32), Vec<(u64, i64)>> = BTreeMap::new();
    for exchange in &record.exchanges {
        let (group, offsets, is_read) = match &exchange.what {
            Exchanged::Committed {
                group,
                offsets,
                in_transaction: false,
                ..
            } => (group, offsets, false),
            Exchanged::Offsets { group, offsets } => (group, offsets, true),
            _ => continue,
        };
        for (partition, offset) in offsets {
            let before = answered.entry((group, *partition)).or_default();
            let higher = before
                .iter()
                .find(|(left, other)| *left < exchange.arrived && other > offset);
            if let (true, Some((_, higher))) = (is_read, higher) {
                return Err(Violation::new(
                    "committed offsets never go back",
                    format!("{group} was at {higher} of in-{partition}, and then at {offset}"),
                ));
            }
            before.push((exchange.left, *offset));
        }
    }
    Ok(())
}
