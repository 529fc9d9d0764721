//! Cutting a stream into frames, beside memcpy of the same bytes.
//!
//! The stream has 256 KiB: it does not fit into the first cache of a core, and
//! does into the second, as bytes do that were just read from a socket. It
//! comes as [`FrameReader`](networking::FrameReader) reads it: in pieces of
//! 16 KiB, and the rest of a frame that has begun straight into its room. A
//! decoder gives out each payload as `Bytes`; making and freeing them is
//! measured, and so is the growing of its buffer. `copy 100 B` makes the same
//! payloads from the same bytes and does nothing else.
//!
//! Not measured: reading from the socket.
//!
//! `cargo bench -p networking --bench 03-frames`

use std::hint::black_box;

use bytes::{BufMut, Bytes};
use criterion::{Criterion, Throughput};
use networking::{FrameDecoder, PREFIX_SIZE, frame};

/// How long the stream is, about, in bytes.
const STREAM_SIZE: usize = 256 * 1024;

/// How much of it comes at a time, in bytes.
const PIECE_SIZE: usize = 16 * 1024;

/// The sizes of the payloads, in bytes.
const SMALL: usize = 100;
const LARGE: usize = 64 * 1024;

fn main() {
    let mut criterion = bench_settings::criterion();
    frames(&mut criterion);
    criterion.final_summary();
}

fn frames(criterion: &mut Criterion) {
    let small = stream(SMALL);
    let large = stream(LARGE);
    let mut group = criterion.benchmark_group("03-frames");

    group.throughput(Throughput::Bytes(small.len() as u64));
    let mut copy = vec![0; PIECE_SIZE];
    group.bench_function("memcpy", |bencher| {
        bencher.iter(|| {
            for piece in black_box(&small).chunks(PIECE_SIZE) {
                copy[..piece.len()].copy_from_slice(piece);
                black_box(&mut copy);
            }
        });
    });
    group.bench_function("copy 100 B", |bencher| {
        bencher.iter(|| {
            for framed in black_box(&small).chunks(PREFIX_SIZE + SMALL) {
                black_box(Bytes::copy_from_slice(&framed[PREFIX_SIZE..]));
            }
        });
    });
    group.bench_function("decode 100 B", |bencher| {
        bencher.iter(|| decode(black_box(&small)));
    });

    group.throughput(Throughput::Bytes(large.len() as u64));
    group.bench_function("decode 64 KiB", |bencher| {
        bencher.iter(|| decode(black_box(&large)));
    });
    group.finish();

    assert_eq!(decode(&small), small.len() / (PREFIX_SIZE + SMALL));
    assert_eq!(decode(&large), large.len() / (PREFIX_SIZE + LARGE));
}

/// Frames with payloads of `payload_size` bytes, [`STREAM_SIZE`] or a little more of them.
fn stream(payload_size: usize) -> Vec<u8> {
    let framed = frame(&vec![7; payload_size]);
    framed.repeat(STREAM_SIZE / payload_size)
}

/// What a connection does with what it reads; how many frames came out.
fn decode(stream: &[u8]) -> usize {
    let mut decoder = FrameDecoder::new(LARGE);
    let mut frames = 0;
    let mut left = stream;
    while !left.is_empty() {
        let count = if decoder.missing() == 0 {
            let count = left.len().min(PIECE_SIZE);
            decoder.feed(&left[..count]);
            count
        } else {
            let mut room = decoder.room();
            let count = left.len().min(room.remaining_mut());
            room.put_slice(&left[..count]);
            count
        };
        left = &left[count..];
        while let Some(payload) = decoder
            .next_frame()
            .expect("every length is below the limit")
        {
            black_box(payload);
            frames += 1;
        }
    }
    frames
}
