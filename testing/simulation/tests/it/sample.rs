//! Some seeds. `.ci/run` has hundreds of them, and `.ci/run --all` ten thousand.

use simulation::run;

#[test]
fn all_laws_hold_in_a_sample_of_seeds() {
    let mut deaths = 0;
    for seed in 1..=60 {
        let outcome = run(seed, false);
        if let Some(violation) = outcome.violation {
            panic!(
                "seed {seed}, {violation}\nall steps: cargo run --release -p simulation -- --seed {seed} --trace"
            );
        }
        deaths += outcome.deaths;
    }
    assert!(deaths > 60, "brokers die in the runs: {deaths} times");
}
