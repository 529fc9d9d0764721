//! What the accumulator costs beside a copy of the record's bytes. No disk and no socket
//! is involved; `14-perf` measures a producer from end to end.

use std::hint::black_box;
use std::time::Duration;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use message_model::Moment;
use producer::part::accumulator::{Effect, Event};
use producer::part::{Accumulator, Append, Limits, Slot, Ticket, murmur2};

const RECORDS: u64 = 10_000;

/// Ten thousand records of 100 bytes into batches of 16 KiB, and out of memory again.
fn accumulate() {
    let mut accumulator = Accumulator::new(Limits {
        batch_bytes: 16 * 1024,
        linger: Duration::from_millis(5),
        memory: 32 * 1024 * 1024,
    });
    let mut effects = Vec::new();
    for ticket in 0..RECORDS {
        let append = Append {
            ticket: Ticket(ticket),
            slot: Slot(0),
            size: 100,
            admit_by: Moment::START,
            deliver_by: Moment::after_start(Duration::from_secs(120)),
        };
        accumulator.step(Moment::START, Event::Append(append), &mut effects);
        let sent = effects.drain(..).find_map(|effect| match effect {
            Effect::Send(batch) => Some(batch.bytes),
            _ => None,
        });
        if let Some(bytes) = sent {
            accumulator.step(Moment::START, Event::Release(bytes), &mut effects);
        }
        if ticket % 100 == 0 {
            accumulator.step(Moment::START, Event::Room(Slot(0)), &mut effects);
        }
    }
    black_box(accumulator.used());
}

fn copy() {
    let value = [7; 100];
    let mut batch = Vec::with_capacity(16 * 1024);
    for _ in 0..RECORDS {
        if batch.len() + value.len() > batch.capacity() {
            batch.clear();
        }
        batch.extend_from_slice(black_box(&value));
    }
    black_box(batch);
}

fn accumulator(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("10,000 records of 100 bytes");
    group.throughput(Throughput::Elements(RECORDS));
    group.bench_function("accumulator", |bencher| bencher.iter(accumulate));
    group.bench_function("memcpy", |bencher| bencher.iter(copy));
    group.bench_function("murmur2 of a key of 16 bytes", |bencher| {
        bencher.iter(|| {
            (0..RECORDS).fold(0, |sum, number| {
                let key = [number.to_be_bytes(), number.to_le_bytes()].concat();
                sum ^ murmur2(black_box(&key))
            })
        });
    });
    group.finish();
}

criterion_group! {
    name = benches;
    config = bench_settings::criterion();
    targets = accumulator
}
criterion_main!(benches);
