//! What the broker does for each batch of an idempotent producer, beside the append; and
//! for a snapshot of them all.

use std::hint::black_box;
use std::time::Duration;

use bench_settings::criterion;
use criterion::{Criterion, criterion_group, criterion_main};
use idempotence::{Limits, Remembered, Table, Turns};
use message_model::{Offset, ProducerEpoch, ProducerId, Timestamp};

const EPOCH: ProducerEpoch = ProducerEpoch::FIRST;

const LIMITS: Limits = Limits {
    idle_max: Duration::from_secs(86_400),
    piece_max: 1_000,
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
    let mut table = Table::new(LIMITS, Turns::default());
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

/// All of a table as bytes.
fn pieces(table: &Table<()>) -> Vec<Vec<u8>> {
    let mut pieces = Vec::new();
    let mut after = None;
    while let Some(piece) = table.snapshot(after) {
        after = Some(piece.last);
        pieces.push(piece.bytes);
    }
    pieces
}

fn restored(pieces: &[Vec<u8>]) -> Table<()> {
    let mut table = Table::new(LIMITS, Turns::default());
    for piece in pieces {
        let restored = table.restore(Timestamp(0), piece);
        black_box(restored.is_ok());
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
        let bytes = pieces(&table);
        criterion.bench_function(&format!("snapshot, {producers} producers"), |bencher| {
            bencher.iter(|| black_box(pieces(&table).len()));
        });
        criterion.bench_function(&format!("restore, {producers} producers"), |bencher| {
            bencher.iter(|| black_box(restored(black_box(&bytes)).len()));
        });
    }
}

criterion_group! {
    name = benches;
    config = criterion();
    targets = window
}
criterion_main!(benches);
