//! One batch travels from a producer through a file to a consumer. Twice: with a
//! broker that leaves it closed, and with one that opens it to "fix" something.

use std::time::{Duration, Instant};

use message_model::{LeaderEpoch, Offset, Timestamp};
use record_batch::{
    BatchBuilder, BatchHeader, RecordToSend, assign_offsets, decode_records, layout, validate, walk,
};

const SIZE_MAX: usize = 1 << 20;

fn main() -> std::io::Result<()> {
    let sent = producer(1);
    let path = std::env::temp_dir().join(format!("one-batch-{}.log", std::process::id()));

    println!("A broker that leaves the batch closed:");
    let mut stored = sent.clone();
    assign_offsets(&mut stored, Offset(1000), LeaderEpoch(3));
    std::fs::write(&path, &stored)?;
    let fetched = std::fs::read(&path)?;
    std::fs::remove_file(&path)?;
    show_changes(&sent, &fetched);
    consumer(&fetched);

    println!("\nA broker that opens it and moves a time by one millisecond:");
    let mut meddled = stored.clone();
    meddled[layout::MAX_TIMESTAMP + 7] += 1;
    show_changes(&sent, &meddled);
    consumer(&meddled);

    println!("\nWhat opening costs the broker (best of 50 each):");
    println!(
        "{:>8}  {:>12}  {:>13}  {:>11}  {:>16}",
        "records", "assign alone", "with validate", "with walk", "open and rewrite"
    );
    for records in [1, 10, 100, 1000] {
        let batch = producer(records);
        println!(
            "{records:>8}  {:>9.1} µs  {:>10.1} µs  {:>8.1} µs  {:>13.1} µs",
            micros(|| assign(&batch)),
            micros(|| check_and_assign(&batch)),
            micros(|| walk_and_assign(&batch)),
            micros(|| open_and_rewrite(&batch)),
        );
    }
    Ok(())
}

fn producer(records: usize) -> Vec<u8> {
    let mut builder = BatchBuilder::new();
    for record in 0..records {
        let line = format!("127.0.0.{} GET /index.html 200", record % 250);
        builder.push(&RecordToSend {
            timestamp: Timestamp(1_700_000_000_000),
            key: None,
            value: Some(line.as_bytes()),
            headers: vec![],
        });
    }
    builder.build()
}

/// Prints the fields that differ.
fn show_changes(sent: &[u8], arrived: &[u8]) {
    for (name, start, size) in layout::FIELDS {
        let field = *start..start + size;
        if sent[field.clone()] != arrived[field.clone()] {
            println!(
                "  {name:<24} {:02x?} -> {:02x?}",
                &sent[field.clone()],
                &arrived[field]
            );
        }
    }
    let changed = sent.iter().zip(arrived).filter(|(a, b)| a != b).count();
    println!("  {changed} of {} bytes differ", sent.len());
}

fn consumer(batch: &[u8]) {
    match validate(batch, SIZE_MAX) {
        Ok(header) => println!("  the consumer takes it: offsets {}", header.range()),
        Err(error) => println!("  the consumer refuses it: {error}"),
    }
}

fn assign(batch: &[u8]) -> Vec<u8> {
    let mut batch = batch.to_vec();
    assign_offsets(&mut batch, Offset(1000), LeaderEpoch(3));
    batch
}

fn check_and_assign(batch: &[u8]) -> Vec<u8> {
    validate(batch, SIZE_MAX).expect("it is our own");
    assign(batch)
}

fn walk_and_assign(batch: &[u8]) -> Vec<u8> {
    let header = validate(batch, SIZE_MAX).expect("it is our own");
    walk(&header, batch).expect("it is our own");
    assign(batch)
}

fn open_and_rewrite(batch: &[u8]) -> Vec<u8> {
    let header = BatchHeader::read(batch).expect("it is our own");
    let mut builder = BatchBuilder::new();
    for record in decode_records(batch).expect("it is our own") {
        builder.push(&RecordToSend {
            timestamp: header.timestamp_of(&record),
            key: record.key,
            value: record.value,
            headers: record.headers,
        });
    }
    assign(&builder.build())
}

/// The shortest of 50 runs, in microseconds: the one that was disturbed least.
#[allow(clippy::disallowed_methods, reason = "an experiment that measures")]
fn micros(run: impl Fn() -> Vec<u8>) -> f64 {
    let mut best = Duration::MAX;
    for _ in 0..50 {
        let start = Instant::now();
        std::hint::black_box(run());
        best = best.min(start.elapsed());
    }
    best.as_secs_f64() * 1e6
}
