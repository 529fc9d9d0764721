//! Random histories of a table, beside the model.

use message_model::Timestamp;
use spec_harness::{case, expect_eq};

use super::super::batches::batch;
use super::model::{Model, expect_same, note_both};
use super::open::{hold, limits, table};
use super::part::Table;

#[test]
fn five_hundred_tables() {
    case!(
        "Whatever happens to a table, it knows what a list of all notes would.",
        || {
            for seed in 0..500 {
                history(seed);
            }
        }
    );
}

fn history(seed: u64) {
    let mut random = fastrand::Rng::with_seed(seed);
    let producers_max = random.usize(1..7);
    let (mut table, mut model) = (table(producers_max), Model::new(producers_max));
    let mut now: i64 = 1 << 40;
    for step in 0..60 {
        let producer = random.i64(0..9);
        let what = format!("seed {seed}, step {step}");
        match random.u8(0..20) {
            0..=9 => {
                let number = random.i32(0..3).wrapping_sub(1) & i32::MAX;
                let one = batch(number, number, step);
                let epoch = random.i16(0..20) / 8;
                note_both((&mut table, &mut model), now, (producer, epoch), Some(one));
            }
            10 => {
                let epoch = random.i16(0..3);
                note_both((&mut table, &mut model), now, (producer, epoch), None);
            }
            11..=13 => {
                let since = random.bool().then_some(step);
                hold(&mut table, producer, since);
                model.hold(producer, since);
            }
            14 => {
                let forgotten = table.forget_idlest().map(|producer| producer.0);
                expect_eq(&what, forgotten, model.forget_idlest());
            }
            // The clock goes on by hours, and is set back by half a day now and then.
            15 | 16 => now += random.i64(0..50_000_000),
            17 => now -= random.i64(0..40_000_000),
            18 => {
                table.expire(Timestamp(now));
                model.expire(now);
            }
            _ => {
                let bytes = table.snapshot();
                table = match Table::restore(limits(producers_max), Timestamp(now), &bytes) {
                    Ok(table) => table,
                    Err(error) => panic!("{what}: it cannot be restored: {error}"),
                };
                model.restart(now);
            }
        }
        expect_same(&what, &table, &model);
    }
}
