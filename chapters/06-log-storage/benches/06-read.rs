//! Finding an offset and reading from there, beside reading bytes whose place is known.
//!
//! - `06-look-up`: from an offset to the header of the batch that holds it, at random in
//!   a sealed segment of 16 MiB. `same segment` is ready, as far as a log keeps
//!   it (its index and an open file); `other segment` makes the log load the other one
//!   every time. The limit is one `pread` of a header.
//! - `06-read`: from an offset to 1 MiB of batches. The limit is one
//!   `pread` of as many bytes.
//!
//! Everything is in the page cache, so no figure says anything about the disk.
//! Nothing is written or synced while it is measured.
//!
//! `cargo bench -p log-storage --bench 06-read`

mod support;

use std::fs::File;
use std::hint::black_box;
use std::os::unix::fs::FileExt;

use criterion::{Criterion, Throughput};
use log_storage::{Error, LogView, Scan};
use message_model::Offset;
use record_batch::layout;

const BATCH_SIZES: [usize; 2] = [1 << 10, 64 << 10];
const SEGMENT_SIZE: usize = 16 << 20;
const SEGMENTS: usize = 2;
const READ_SIZE: usize = 1 << 20;

fn main() {
    let mut criterion = bench_settings::criterion();
    let dir = support::dir();
    for size in BATCH_SIZES {
        let dir = dir.path().join(size.to_string());
        let segment_bytes = u32::try_from(SEGMENT_SIZE).expect("it is small");
        let mut log = support::open(&dir, segment_bytes);
        // One more, for the log to seal the others.
        let batches = SEGMENTS * SEGMENT_SIZE / size + 1;
        let mut batch = support::batch(size);
        for _ in 0..batches {
            support::append(&mut log, &mut batch);
        }
        let file = File::open(dir.join("00000000000000000000.log")).expect("it was filled");
        if size == BATCH_SIZES[0] {
            look_up(&mut criterion, &log.view(), &file, size);
        }
        read(&mut criterion, &log.view(), &file, size);
    }
    criterion.final_summary();
}

fn look_up(criterion: &mut Criterion, log: &LogView, file: &File, size: usize) {
    let per_segment = SEGMENT_SIZE / size;
    let mut group = criterion.benchmark_group("06-look-up");
    for (name, segments) in [("same segment", 1), ("other segment", 2)] {
        group.bench_function(name, |bencher| {
            let mut random = fastrand::Rng::with_seed(1);
            let mut turn = 0;
            bencher.iter(|| {
                turn = (turn + 1) % segments;
                let offset = offset(turn * per_segment + random.usize(..per_segment));
                let mut batches = scan(log, offset).expect("the log holds it");
                let (position, header) = batches.next().expect("it is there").expect("it is whole");
                assert_eq!(header.base_offset, offset, "a batch holds one record here");
                position
            });
        });
    }
    group.bench_function("pread of a header", |bencher| {
        let mut random = fastrand::Rng::with_seed(1);
        bencher.iter(|| {
            let mut header = [0; layout::RECORDS];
            let position = random.usize(..per_segment) * size;
            file.read_exact_at(&mut header, position as u64)
                .expect("it is there");
            header
        });
    });
    group.finish();
}

fn read(criterion: &mut Criterion, log: &LogView, file: &File, size: usize) {
    let starts = (SEGMENT_SIZE - READ_SIZE) / size;
    let mut buffer = vec![0; READ_SIZE];
    let name = format!("{} KiB batches", size >> 10);
    let mut group = criterion.benchmark_group("06-read");
    group.throughput(Throughput::Bytes(READ_SIZE as u64));
    group.bench_function(&name, |bencher| {
        let mut random = fastrand::Rng::with_seed(1);
        bencher.iter(|| {
            read_batches(log, offset(random.usize(..starts)), &mut buffer);
            black_box(&buffer);
        });
    });
    group.bench_function(format!("{name}, pread"), |bencher| {
        let mut random = fastrand::Rng::with_seed(1);
        bencher.iter(|| {
            let position = random.usize(..starts) * size;
            file.read_exact_at(&mut buffer, position as u64)
                .expect("it is there");
            black_box(&buffer);
        });
    });
    group.finish();
}

/// As a fetch does it: walk along headers until `buffer` is full, then read all at once.
fn read_batches(log: &LogView, from: Offset, buffer: &mut [u8]) {
    let mut batches = scan(log, from).expect("the log holds it");
    let (mut start, mut length) = (None, 0);
    while length < buffer.len() {
        let (position, header) = batches.next().expect("it is there").expect("it is whole");
        start.get_or_insert(position);
        length += header.size();
    }
    assert_eq!(length, buffer.len(), "whole batches fill it");
    let length = u32::try_from(length).expect("it is small");
    let range = batches.file_range(start.expect("there was one"), length);
    let read = range.file.read_at(buffer, range.position);
    assert_eq!(read.expect("it is there"), buffer.len());
}

fn offset(number: usize) -> Offset {
    Offset(i64::try_from(number).expect("it is small"))
}

/// The batches from `from` on: all steps of the job at once.
fn scan(view: &LogView, from: Offset) -> Result<Scan, Error> {
    let mut locate = view.scan(from);
    loop {
        if let Some(scan) = locate.step()? {
            return Ok(scan);
        }
    }
}
