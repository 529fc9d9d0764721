//! What a correct queue does is found to be correct.

use std::collections::BTreeMap;

use history::{Kind, Operation, Outcome, Promise, Record, Report, Send, check};
use proptest::prelude::*;

use crate::model::Model;

fn report(history: &[Operation]) -> Report {
    check(history).expect("it is a history")
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    #[test]
    fn a_correct_queue_breaks_no_promise(seed: u64, partitions in 1..5_usize, clients in 1..7_usize) {
        let history = Model::run(seed, partitions, clients, 200).history;
        let report = report(&history);
        let breaches = report.breaches(Promise::Transactional).count();
        prop_assert_eq!(breaches, 0, "{}", report.explain(&history, Promise::Transactional));
    }

    /// The one kind that a correct queue has is found as often as the slow way finds it.
    #[test]
    fn values_in_between_are_counted(seed: u64) {
        let history = Model::run(seed, 2, 4, 200).history;
        let found = report(&history).by_kind().get(&Kind::SendSkip).copied().unwrap_or(0);
        prop_assert_eq!(found, slowly(&history));
    }
}

fn slowly(history: &[Operation]) -> usize {
    let records: Vec<&Record> = history.iter().flat_map(Operation::records).collect();
    let place = |send: &Send| {
        let mut records = records.iter();
        records
            .find(|record| record.value == send.value)
            .map(|record| record.offset)
    };
    let mut count = 0;
    for operation in history
        .iter()
        .filter(|operation| operation.is_transaction())
    {
        if operation.outcome == Outcome::Failed {
            continue;
        }
        let own: Vec<&Send> = operation.sends().collect();
        let mut of: BTreeMap<_, Vec<i64>> = BTreeMap::new();
        for send in &own {
            of.entry(&send.partition).or_default().extend(place(send));
        }
        for (partition, offsets) in of {
            count += offsets
                .windows(2)
                .filter(|pair| {
                    let is_between = |record: &&&Record| {
                        record.partition == *partition
                            && (pair[0] + 1..pair[1]).contains(&record.offset)
                    };
                    let mut between = records.iter().filter(is_between);
                    between.any(|record| own.iter().all(|send| send.value != record.value))
                })
                .count();
        }
    }
    count
}

/// If something were quadratic, this would take minutes.
#[test]
fn a_hundred_thousand_operations_are_checked() {
    let history = Model::run(1, 8, 20, 100_000).history;
    let report = report(&history);
    assert_eq!(report.breaches(Promise::Transactional).count(), 0);
    assert!(report.counts.acknowledged > 20_000, "{}", report.counts);
}
