//! What a broker does with a batch, and what it leaves to producers and
//! consumers, beside memcpy of the same bytes.
//!
//! A batch has 100 records of 100 bytes each, without keys and headers, not
//! compressed. 64 batches take turns, 700 KB together: none of them is still in
//! the first cache of a core when its turn comes, all are in the second or
//! third, as bytes are that have just arrived.
//!
//! `crc32c` is the checksum alone, by the processor's own instruction where it
//! has one. `decode` makes a `Vec` of records that point into the batch, `build`
//! makes the batch; making and freeing both is measured. `walk` reads
//! each record and keeps none; its header was read before. `headers` and
//! `assign_offsets` touch only the header of each batch, so they are counted in
//! batches a second. Not measured: the disk, the network, compression.
//!
//! `cargo bench -p record-batch --bench 05-batch`

use std::hint::black_box;

use criterion::{Criterion, Throughput};
use message_model::{LeaderEpoch, Offset, Timestamp};
use record_batch::{
    BatchBuilder, Batches, RecordToSend, assign_offsets, decode_records, layout, validate, walk,
};

/// How many batches take turns.
const BATCHES: usize = 64;

/// How many records a batch has.
const RECORDS: i64 = 100;

/// What each record says.
const VALUE: [u8; 100] = [7; 100];

/// Kafka's default for `max.message.bytes`.
const SIZE_MAX: usize = 1_048_588;

fn main() {
    let mut criterion = bench_settings::criterion();
    let batch = build();
    bytes(&mut criterion, &batch);
    batches(&mut criterion, &batch);
    criterion.final_summary();
}

/// What costs by the byte or by the record.
fn bytes(criterion: &mut Criterion, batch: &[u8]) {
    let size = batch.len();
    let run = batch.repeat(BATCHES);
    let header = validate(batch, SIZE_MAX).expect("it was built here");
    assert!(walk(&header, batch).is_ok());
    assert!(decode_records(batch).is_ok());

    let mut group = criterion.benchmark_group("05-batch");
    group.throughput(Throughput::Bytes(run.len() as u64));
    let mut copy = vec![0; size];
    group.bench_function("memcpy", |bencher| {
        bencher.iter(|| {
            for batch in black_box(&run).chunks(size) {
                copy.copy_from_slice(batch);
                black_box(&mut copy);
            }
        });
    });
    group.bench_function("crc32c", |bencher| {
        bencher.iter(|| {
            for batch in black_box(&run).chunks(size) {
                black_box(crc32c::crc32c(&batch[layout::ATTRIBUTES..]));
            }
        });
    });
    group.bench_function("validate", |bencher| {
        bencher.iter(|| {
            for batch in black_box(&run).chunks(size) {
                black_box(validate(batch, SIZE_MAX).expect("it was built here"));
            }
        });
    });
    group.bench_function("walk", |bencher| {
        bencher.iter(|| {
            for batch in black_box(&run).chunks(size) {
                black_box(walk(&header, batch).expect("it was built here"));
            }
        });
    });
    group.bench_function("decode", |bencher| {
        bencher.iter(|| {
            for batch in black_box(&run).chunks(size) {
                black_box(decode_records(batch).expect("it was built here"));
            }
        });
    });
    group.bench_function("build", |bencher| {
        bencher.iter(|| {
            for _ in 0..BATCHES {
                black_box(build());
            }
        });
    });
    group.finish();
}

/// What costs by the batch.
fn batches(criterion: &mut Criterion, batch: &[u8]) {
    let mut run = batch.repeat(BATCHES);
    assert_eq!(headers(&run), BATCHES);

    let mut group = criterion.benchmark_group("05-batch");
    group.throughput(Throughput::Elements(BATCHES as u64));
    group.bench_function("headers", |bencher| {
        bencher.iter(|| headers(black_box(&run)));
    });
    group.bench_function("assign_offsets", |bencher| {
        bencher.iter(|| {
            let mut base = Offset(0);
            for batch in black_box(&mut run).chunks_mut(batch.len()) {
                assign_offsets(batch, base, LeaderEpoch(3));
                base.0 += RECORDS;
            }
        });
    });
    group.finish();
}

fn build() -> Vec<u8> {
    let mut builder = BatchBuilder::new();
    for number in 0..RECORDS {
        builder.push(&RecordToSend {
            timestamp: Timestamp(1_700_000_000_000 + number),
            key: None,
            value: Some(black_box(&VALUE)),
            headers: Vec::new(),
        });
    }
    builder.build()
}

/// How many batches there are.
fn headers(run: &[u8]) -> usize {
    let mut batches = 0;
    for batch in Batches::new(run) {
        black_box(batch.expect("they lie one behind the other"));
        batches += 1;
    }
    batches
}
