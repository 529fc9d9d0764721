//! Everything follows from the seed.

use simulation::{Outcome, run};

fn bytes(outcome: &Outcome) -> Vec<u8> {
    let mut bytes = Vec::new();
    history::write(&outcome.operations, &mut bytes).unwrap();
    bytes
}

#[test]
fn the_same_seed_gives_the_same_history_and_trace_byte_for_byte() {
    for seed in 1..=20 {
        let (one, other) = (run(seed, true), run(seed, true));
        assert_eq!(one.trace, other.trace, "seed {seed}");
        assert_eq!(bytes(&one), bytes(&other), "seed {seed}");
        assert!(one.trace.len() > 50, "seed {seed} does little");
    }
}

#[test]
fn it_makes_no_difference_whether_a_run_is_traced() {
    for seed in 1..=5 {
        assert_eq!(
            bytes(&run(seed, false)),
            bytes(&run(seed, true)),
            "seed {seed}"
        );
    }
}

#[test]
fn another_thread_changes_nothing() {
    let here = run(3, true);
    let there = std::thread::spawn(|| run(3, true)).join().unwrap();
    assert_eq!(here.trace, there.trace);
}
