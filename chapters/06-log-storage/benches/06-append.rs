//! Appending a batch, beside writing the same bytes to the end of a file.
//!
//! - `not synced`: until the bytes are in the page cache. The limit is one `pwrite`.
//! - `synced`: until it is on disk, each batch for itself. The limit is one `pwrite` and
//!   one `fdatasync`.
//!
//! Log and limit write to files in the same directory, which grow; after 16 MiB
//! each goes on with a new one, outside of what is measured. Not measured either:
//! making a batch and checking its CRC (chapter 05), a roll, and what the operating
//! system does later with the pages that nobody synced.
//!
//! `cargo bench -p log-storage --bench 06-append`

mod support;

use std::fs::File;
use std::os::unix::fs::FileExt;
use std::path::Path;
use std::time::Duration;

use async_model::Clock;
use criterion::{Criterion, SamplingMode, Throughput};

/// How large a file may become, in bytes.
const FILE_SIZE: usize = 16 << 20;

fn main() {
    let mut criterion = bench_settings::criterion();
    for (size, sync) in [(1 << 10, false), (64 << 10, false), (1 << 10, true)] {
        append(&mut criterion, size, sync);
    }
    criterion.final_summary();
}

fn append(criterion: &mut Criterion, size: usize, sync: bool) {
    let batch = support::batch(size);
    let policy = if sync { "synced" } else { "not synced" };
    let name = format!("{} KiB, {policy}", size >> 10);
    let mut group = criterion.benchmark_group("06-append");
    group.throughput(Throughput::Bytes(size as u64));
    group.sampling_mode(SamplingMode::Flat);
    group.bench_function(&name, |bencher| {
        bencher.iter_custom(|count| timed(count, size, |dir| log(dir, &batch, sync)));
    });
    group.bench_function(format!("{name}, bare file"), |bencher| {
        bencher.iter_custom(|count| timed(count, size, |dir| file(dir, &batch, sync)));
    });
    group.finish();
}

fn log(dir: &Path, batch: &[u8], sync: bool) -> impl FnMut() + use<> {
    let mut log = support::open(&dir.join("log"), u32::MAX);
    let mut batch = batch.to_vec();
    let mut durable = log.log_end();
    move || {
        support::append(&mut log, &mut batch);
        if sync {
            durable = log.view().sync(durable).expect("the disk is well");
        }
    }
}

fn file(dir: &Path, batch: &[u8], sync: bool) -> impl FnMut() + use<> {
    let file = File::create(dir.join("file")).expect("a file can be created");
    // As a log does when it is opened: what is measured begins with a safe, empty file.
    file.sync_all().expect("the disk is well");
    let directory = File::open(dir).expect("it is there");
    directory.sync_all().expect("the disk is well");
    let batch = batch.to_vec();
    let mut position = 0;
    move || {
        file.write_all_at(&batch, position)
            .expect("the disk has room");
        position += batch.len() as u64;
        if sync {
            file.sync_data().expect("the disk is well");
        }
    }
}

/// How long `count` steps take; with what `fresh` makes for every [`FILE_SIZE`] bytes.
fn timed<Step: FnMut()>(count: u64, size: usize, fresh: impl Fn(&Path) -> Step) -> Duration {
    let clock = Clock::start();
    let mut took = Duration::ZERO;
    let mut left = count;
    while left > 0 {
        let dir = support::dir();
        let mut step = fresh(dir.path());
        let steps = left.min((FILE_SIZE / size) as u64);
        let started = clock.now();
        for _ in 0..steps {
            step();
        }
        took += clock.now().since(started);
        left -= steps;
    }
    took
}
