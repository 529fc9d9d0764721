//! Random histories of a table, beside the model.

use spec_harness::case;

use super::steps::{Step, check};

#[test]
fn five_hundred_tables() {
    case!(
        "Whatever happens to a table, it knows what a list of all notes would.",
        || {
            for seed in 0..500 {
                let mut random = fastrand::Rng::with_seed(seed);
                let steps: Vec<_> = (0..60).map(|at| step(&mut random, at)).collect();
                check(steps);
            }
        }
    );
}

fn step(random: &mut fastrand::Rng, offset: i64) -> Step {
    let producer = random.i64(0..9);
    match random.u8(0..20) {
        0..=9 => Step::Batch {
            producer,
            number: random.i32(0..3).wrapping_sub(1) & i32::MAX,
            epoch: random.i16(0..20) / 8,
            offset,
        },
        10 => Step::Marker {
            producer,
            epoch: random.i16(0..3),
        },
        11..=13 => Step::Hold {
            producer,
            since: random.bool().then_some(offset),
        },
        14 => Step::ForgetIdlest,
        // The clock goes on by hours, and is set back by half a day now and then.
        15 | 16 => Step::Clock(random.i64(0..50_000_000)),
        17 => Step::Clock(-random.i64(0..40_000_000)),
        18 => Step::Expire,
        _ => Step::Restart,
    }
}
