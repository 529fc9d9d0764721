//! Clients record what they do and see while `mqd` is killed, paused and cut off.
//! `testing/history/run` makes 300 such runs.

use std::time::Duration;

use history::{Counts, Kind, Promise, Run, Suite, Verdict};

use crate::support::MQD;

fn run(promise: Promise, sabotage: bool) -> Run {
    Run {
        mqd: MQD.into(),
        arguments: Vec::new(),
        promise,
        seed: 1,
        time: Duration::from_millis(1_500),
        sabotage,
    }
}

/// Makes so many runs, and prints what came of each.
fn runs(run: &Run, runs: u64) -> (Verdict, Counts) {
    let mut suite = Suite::new(run, runs, 2);
    let mut counts = Counts::default();
    suite.each(|seed, ended| match ended {
        Ok((recorded, report)) => {
            counts.acknowledged += report.counts.acknowledged;
            counts.polled += report.counts.polled;
            counts.transactions += report.counts.transactions;
            println!("seed {seed}: {:?}", recorded.events);
            println!("{}", report.explain(&recorded.operations, run.promise));
        }
        Err(error) => println!("seed {seed}: {error:#}"),
    });
    (suite.verdict().clone(), counts)
}

#[test]
fn what_is_acknowledged_stays_and_is_read_in_order() {
    let (verdict, counts) = runs(&run(Promise::AcksAll, false), 4);
    assert!(verdict.holds(), "{verdict}");
    // More happened than the kill at the end of each run, and the clients were not idle.
    assert!(verdict.events > 4, "{verdict}");
    assert!(counts.acknowledged > 0 && counts.polled > 0, "{counts}");
}

/// The check sees what it is there for.
#[test]
fn a_log_that_loses_its_end_is_noticed() {
    let (verdict, _) = runs(&run(Promise::AcksAll, true), 2);
    let lost = [Kind::LostWrite, Kind::Unseen];
    let lost = lost.iter().filter_map(|kind| verdict.found.get(kind));
    assert!(lost.sum::<usize>() > 0, "{verdict}");
    assert!(!verdict.holds(), "{verdict}");
}

#[test]
fn numbered_batches_are_there_once_and_in_order() {
    let (verdict, counts) = runs(&run(Promise::Idempotent, false), 4);
    assert!(verdict.holds(), "{verdict}");
    assert!(verdict.events > 4 && counts.acknowledged > 0, "{verdict}");
}

#[test]
fn a_transaction_is_there_as_a_whole_or_not_at_all() {
    let (verdict, counts) = runs(&run(Promise::Transactional, false), 6);
    assert!(verdict.holds(), "{verdict}");
    assert!(verdict.events > 6 && counts.transactions > 0, "{verdict}");
    assert!(counts.acknowledged > 0 && counts.polled > 0, "{counts}");
}

/// The most runs that are made until the check sees that a rule is left out. It takes three or
/// four on average, and seven without the rule of order.
const RUNS_MAX: u64 = 80;

/// Without a rule the check finds what the rule is for.
fn finds(promise: Promise, rule: &str, wanted: &[Kind]) {
    let mut without = run(promise, false);
    without.arguments = ["--without-rule".into(), rule.into()].into();
    while without.seed <= RUNS_MAX {
        let (verdict, _) = runs(&without, 4);
        if wanted.iter().any(|kind| verdict.found.contains_key(kind)) {
            assert!(!verdict.holds(), "{verdict}");
            return;
        }
        without.seed += 4;
    }
    panic!("{RUNS_MAX} runs without the rule {rule} have shown none of {wanted:?}");
}

#[test]
fn without_the_rule_of_order_batches_overtake_each_other() {
    let kinds = [Kind::NonmonotonicSend, Kind::LateSend];
    finds(Promise::Idempotent, "ordering", &kinds);
}

#[test]
fn without_the_rule_of_duplicates_values_are_there_twice() {
    finds(Promise::Transactional, "duplicates", &[Kind::Duplicate]);
}

/// An instance that was replaced writes into a transaction of its successor.
#[test]
fn without_the_fence_a_transaction_has_values_of_another() {
    let kinds = [Kind::AbortedRead, Kind::UncommittedRead, Kind::LostWrite];
    finds(Promise::Transactional, "fence", &kinds);
}

#[test]
fn without_the_rule_of_transactions_what_is_aborted_is_read() {
    finds(Promise::Transactional, "transactions", &[Kind::AbortedRead]);
}
