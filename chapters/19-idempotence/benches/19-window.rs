//! What the broker does for each batch of an idempotent producer, beside the append; and
//! for a snapshot of them all.

use std::hint::black_box;
use std::time::Duration;

use bench_settings::criterion;
use criterion::{Criterion, criterion_group, criterion_main};
use idempotence::{Limits, Remembered, Table};
use message_model::{Offset, ProducerEpoch, ProducerId, Timestamp};

const EPOCH: ProducerEpoch = ProducerEpoch::FIRST;

const LIMITS: Limits = Limits {
    producers_max: 100_000,
    idle_max: Duration::from_secs(86_400),
};

fn batch(number: i32) -> Remembered {
    Remembered {
        first: number,
        last: number,
        base_offset: Offset(number.into()),
        timestamp: Timestamp(number.into()),
    }
}

/// A table with the windows of so many producers, all of them full.
fn table(producers: i64) -> Table<()> {
    let mut table = Table::new(LIMITS);
    for number in 0..5 {
        for producer in 0..producers {
            table.note(
                Timestamp(0),
                ProducerId(producer),
                EPOCH,
                Some(batch(number)),
            );
        }
    }
    table
}

fn window(criterion: &mut Criterion) {
    for producers in [1, 100_000] {
        let mut table = table(producers);
        let (mut producer, mut number) = (0, 5);
        criterion.bench_function(
            &format!("find and note, {producers} producers"),
            |bencher| {
                bencher.iter(|| {
                    // Far apart, as if each came from another connection.
                    producer = (producer + 7_919) % producers;
                    number = (number + 1) & i32::MAX;
                    let entry = table.get(ProducerId(producer));
                    let found = entry.and_then(|entry| entry.window.find(EPOCH, number, number));
                    black_box(found);
                    table.note(
                        Timestamp(0),
                        ProducerId(producer),
                        EPOCH,
                        Some(batch(number)),
                    );
                });
            },
        );
    }
    for producers in [1_000, 100_000] {
        let table = table(producers);
        let bytes = table.snapshot();
        criterion.bench_function(&format!("snapshot, {producers} producers"), |bencher| {
            bencher.iter(|| black_box(table.snapshot().len()));
        });
        criterion.bench_function(&format!("restore, {producers} producers"), |bencher| {
            bencher.iter(|| {
                let restored = Table::<()>::restore(LIMITS, Timestamp(0), black_box(&bytes));
                black_box(restored.map_or(0, |table| table.len()))
            });
        });
    }
}

criterion_group! {
    name = benches;
    config = criterion();
    targets = window
}
criterion_main!(benches);
