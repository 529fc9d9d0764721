//! Reading varints (task 4.1), beside integers of four bytes from the same reader.
//!
//! There are 65,536 numbers, and how long they are follows no pattern: with a
//! few thousand of them, the processor would learn by heart in which order the
//! lengths come, and its guesses would be right where they are not in real life.
//! Nothing is allocated. Not measured: writing, varints of 64 bits.
//!
//! `cargo bench -p wire-protocol --bench 04-varints`

use std::hint::black_box;

use criterion::{Criterion, Throughput};
use wire_protocol::{Malformed, Reader, put};

/// How many numbers are read.
const NUMBERS: u32 = 65_536;

fn main() {
    let mut criterion = bench_settings::criterion();
    varints(&mut criterion);
    criterion.final_summary();
}

fn varints(criterion: &mut Criterion) {
    let (mut fixed, mut short, mut mixed) = (Vec::new(), Vec::new(), Vec::new());
    for number in (0..NUMBERS).map(scattered) {
        fixed.extend_from_slice(&number.to_be_bytes());
        put::unsigned_varint(&mut short, number >> 25);
        put::unsigned_varint(&mut mixed, number >> (number % 5 * 7));
    }
    let varint = Reader::unsigned_varint;
    let mut group = criterion.benchmark_group("04-varints");
    group.throughput(Throughput::Elements(NUMBERS.into()));
    group.bench_function("4 bytes", |b| b.iter(|| sum(&fixed, Reader::u32)));
    group.bench_function("varint of 1 byte", |b| b.iter(|| sum(&short, varint)));
    group.bench_function("varint of 1 to 5 bytes", |b| {
        b.iter(|| sum(&mixed, varint));
    });
    group.finish();
}

/// The finishing step of MurmurHash3: every bit of the result depends on every bit of `n`.
fn scattered(n: u32) -> u32 {
    let n = (n ^ (n >> 16)).wrapping_mul(0x85eb_ca6b);
    let n = (n ^ (n >> 13)).wrapping_mul(0xc2b2_ae35);
    n ^ (n >> 16)
}

/// Reads numbers until nothing is left.
fn sum<'a>(bytes: &'a [u8], read: impl Fn(&mut Reader<'a>) -> Result<u32, Malformed>) -> u64 {
    let mut reader = Reader::new(black_box(bytes));
    let mut sum = 0;
    while reader.remaining() > 0 {
        sum += u64::from(read(&mut reader).expect("it was written here"));
    }
    sum
}
