//! Opening a log after a crash, beside reading its bytes and summing them up.
//!
//! The log has one segment of 32 MiB. Its recovery point is the log end, so every
//! batch is validated and both indexes are made again, but nothing is written again;
//! it ends with a sync of the file, of which nothing is left to write. The limit reads
//! the same file, 1 MiB at a time, and computes the CRC-32C of its bytes; it syncs nothing.
//!
//! The file is in the page cache. After a loss of power it is not, and the disk is
//! the limit.
//!
//! `cargo bench -p log-storage --bench 06-recover`

mod support;

use std::fs::File;
use std::io::Read;
use std::path::Path;

use criterion::{Criterion, SamplingMode, Throughput};
use message_model::Offset;

const BATCH_SIZES: [usize; 2] = [1 << 10, 64 << 10];
const SEGMENT_SIZE: usize = 32 << 20;
const PIECE_SIZE: usize = 1 << 20;

fn main() {
    let mut criterion = bench_settings::criterion();
    for size in BATCH_SIZES {
        let dir = support::dir();
        let dir = dir.path().join("log");
        let mut log = support::open(&dir, u32::MAX);
        let mut batch = support::batch(size);
        for _ in 0..SEGMENT_SIZE / size {
            support::append(&mut log, &mut batch);
        }
        let view = log.view();
        let durable = view.sync(Offset(0)).expect("the disk is well");
        view.save_recovery_point(durable).expect("the disk is well");
        recover(&mut criterion, &dir, size, log.log_end());
    }
    criterion.final_summary();
}

fn recover(criterion: &mut Criterion, dir: &Path, size: usize, log_end: Offset) {
    let name = format!("{} KiB batches", size >> 10);
    let mut group = criterion.benchmark_group("06-recover");
    group.throughput(Throughput::Bytes(SEGMENT_SIZE as u64));
    group.sampling_mode(SamplingMode::Flat);
    group.bench_function(&name, |bencher| {
        bencher.iter(|| {
            let log = support::open(dir, u32::MAX);
            assert_eq!(log.log_end(), log_end, "all of it was found");
        });
    });
    group.bench_function(format!("{name}, read and CRC"), |bencher| {
        let mut piece = vec![0; PIECE_SIZE];
        bencher.iter(|| {
            let mut file = File::open(dir.join("00000000000000000000.log")).expect("it is there");
            let mut crc = 0;
            loop {
                let read = file.read(&mut piece).expect("the disk is well");
                if read == 0 {
                    break crc;
                }
                crc = crc32c::crc32c_append(crc, &piece[..read]);
            }
        });
    });
    group.finish();
}
