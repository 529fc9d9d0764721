//! How much memory a stranger's message takes: as much as was measured before,
//! byte for byte, and a small multiple of what arrived.
#![allow(
    unsafe_code,
    reason = "an allocator that counts is an implementation of an unsafe trait"
)]

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;

use bytes::Bytes;
use proptest::prelude::*;
use proptest::test_runner::RngSeed;
use wire_protocol::message::{
    DeleteTopicsRequest, FetchRequest, FetchTopic, ProduceRequest, ProduceTopic,
};
use wire_protocol::{Form, RequestHeader, encode_request};

#[path = "it/bodies.rs"]
#[allow(dead_code, reason = "`it` uses all of it")]
mod bodies;
#[path = "it/declared.rs"]
#[allow(dead_code, reason = "`interop` uses all of it")]
mod declared;
#[path = "it/random.rs"]
mod random;

use bodies::Body;
use random::Source;

/// The most that a message takes which can be decoded: names of one letter, 2 bytes on
/// the wire in a flexible version, and in memory 24 for the `String` and a block of 32.
const HONEST: f64 = 56.0 / 2.0;

/// The most that a message takes which ends before its lists do. A list in a list claims
/// bytes that the outer one has claimed, so the multiples of both add up.
const ANNOUNCED: f64 = 40.0;

/// What an allocation takes, as the C library does it on Linux.
fn block_size(size: usize) -> usize {
    (size + 8).next_multiple_of(16).max(32)
}

/// The system's allocator, with a count of the bytes that each thread holds.
struct Counting;

thread_local! {
    static HELD: Cell<usize> = const { Cell::new(0) };
    static PEAK: Cell<usize> = const { Cell::new(0) };
}

fn count(size: usize) {
    let held = HELD.get().saturating_add(size);
    HELD.set(held);
    PEAK.set(PEAK.get().max(held));
}

fn uncount(size: usize) {
    HELD.set(HELD.get().saturating_sub(size));
}

// SAFETY: every method hands its arguments to the system's allocator and
// returns what that returned; the counts are plain numbers of the thread, and
// neither reading nor writing them allocates.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        count(block_size(layout.size()));
        // SAFETY: the caller promises what `System.alloc` asks for.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        uncount(block_size(layout.size()));
        // SAFETY: the caller promises what `System.dealloc` asks for.
        unsafe { System.dealloc(pointer, layout) }
    }

    unsafe fn realloc(&self, pointer: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        // The old and the new block may exist at the same time.
        count(block_size(size));
        uncount(block_size(layout.size()));
        // SAFETY: the caller promises what `System.realloc` asks for.
        unsafe { System.realloc(pointer, layout, size) }
    }
}

#[global_allocator]
static COUNTING: Counting = Counting;

/// The most bytes that `work` held at one time.
fn peak_of<T>(work: impl FnOnce() -> T) -> usize {
    let before = HELD.get();
    PEAK.set(before);
    let result = work();
    let peak = PEAK.get();
    drop(result);
    peak - before
}

/// Decodes; returns the most memory that it took, per byte of input.
fn ratio(body: Body, form: Form, bytes: &[u8]) -> f64 {
    let frame = Bytes::copy_from_slice(bytes);
    // The first slice of a frame takes a block for the count of its holders.
    let _holder = frame.clone();
    let measured = (body.measure)(&frame, form);
    let mut decoded = Ok(());
    let peak = peak_of(|| decoded = (body.read)(&frame, form));
    let about = || format!("{} {form:?}, {bytes:02x?}", body.name);
    match measured {
        Ok(size) => assert_eq!(peak, size, "measured and taken: {}", about()),
        Err(error) => assert_eq!(decoded, Err(error), "{}", about()),
    }
    let ratio = f64_of(peak) / f64_of(bytes.len());
    let limit = if measured.is_ok() { HONEST } else { ANNOUNCED };
    assert!(ratio <= limit, "{ratio:.1} times what arrived: {}", about());
    ratio
}

fn f64_of(size: usize) -> f64 {
    f64::from(u32::try_from(size).expect("a small size"))
}

fn messages() -> impl Iterator<Item = (Body, Form)> {
    let all = bodies::all().into_iter();
    all.flat_map(|body| body.forms().into_iter().map(move |form| (body, form)))
}

#[test]
fn the_allocator_counts() {
    assert_eq!(peak_of(|| Vec::<u8>::with_capacity(1000)), 1008);
    assert_eq!(peak_of(|| drop(Vec::<u64>::with_capacity(10))), 96);
    assert_eq!(peak_of(|| Vec::<u8>::with_capacity(1)), 32);
    assert_eq!(peak_of(|| ()), 0);
}

/// How much memory a request takes, decoded, as its broker is told before it decodes.
fn decoded_size<R: wire_protocol::Request>(request: &R, version: i16) -> (usize, usize) {
    let frame = Bytes::from(encode_request(request, version, 1, ""));
    let (_, body) = RequestHeader::decode(&frame).expect("it was written here");
    let size = R::KEY.decoded_size(&body).expect("it was written here");
    (size, body.remaining())
}

#[test]
fn names_of_one_letter_take_the_most() {
    let names = |count| DeleteTopicsRequest {
        topic_names: vec!["a".to_owned(); count],
        ..DeleteTopicsRequest::default()
    };
    let (size, arrived) = decoded_size(&names(100_000), 1);
    assert_eq!((size, arrived), (5_600_016, 300_008));
    let (size, arrived) = decoded_size(&names(100_000), 4);
    assert_eq!((size, arrived), (5_600_016, 200_008));
    // A small request takes the same multiple.
    let (size, arrived) = decoded_size(&names(1), 1);
    assert_eq!((size, arrived), (64, 11));
}

#[test]
fn topics_without_partitions_take_the_most_of_produce_and_fetch() {
    let topic = ProduceTopic {
        name: "a".to_owned(),
        partitions: vec![],
    };
    let produce = ProduceRequest {
        topics: vec![topic; 10_000],
        ..ProduceRequest::default()
    };
    let (size, arrived) = decoded_size(&produce, 7);
    assert_eq!(f64_of(size) / f64_of(arrived), 800_016.0 / 70_012.0);
    let topic = FetchTopic {
        topic: "a".to_owned(),
        partitions: vec![],
    };
    let fetch = FetchRequest {
        topics: vec![topic; 10_000],
        ..FetchRequest::default()
    };
    let (size, arrived) = decoded_size(&fetch, 4);
    assert_eq!(f64_of(size) / f64_of(arrived), 800_016.0 / 70_021.0);
}

#[test]
fn records_take_no_memory_of_their_own() {
    let partition = wire_protocol::message::ProducePartition {
        index: 0,
        records: wire_protocol::Records::from_bytes(vec![7; 1 << 20]),
    };
    let request = ProduceRequest {
        topics: vec![ProduceTopic {
            name: "orders".to_owned(),
            partitions: vec![partition],
        }],
        ..ProduceRequest::default()
    };
    let (size, arrived) = decoded_size(&request, 7);
    assert!(arrived > 1 << 20);
    assert_eq!(
        size,
        64 + 32 + 48 + 48,
        "a topic, its name, a partition, a chunk"
    );
}

/// The worst that nested arrays can do: places in the first bytes of a message
/// are taken for counts, as large as what follows could bear, up to three at once.
#[test]
fn counts_as_large_as_what_arrived_allows() {
    let mut worst = (0.0, String::new());
    for (body, form) in messages() {
        let ratio = worst_counts(body, form);
        if ratio > worst.0 {
            worst = (ratio, format!("{} {form:?}", body.name));
        }
        if ratio > 16.0 {
            println!("{:.1} bytes per byte: {} {form:?}", ratio, body.name);
        }
    }
    println!("worst: {:.1} bytes per byte, {}", worst.0, worst.1);
    assert!(worst.0 > 20.0, "the search finds nested arrays: {worst:?}");
}

/// Places the first count everywhere, then a second behind the best of those, then a third.
fn worst_counts(body: Body, form: Form) -> f64 {
    const SIZE: usize = 300;
    const REACH: usize = 28;
    const KEPT: usize = 6;
    let mut kept = vec![(0.0, 0, vec![0; SIZE])];
    for _level in 0..3 {
        let mut found: Vec<(f64, usize, Vec<u8>)> = Vec::new();
        for (_, start, before) in &kept {
            for at in *start..start + REACH {
                let tries = (1..=20).map(|divisor| {
                    let mut bytes = before.clone();
                    let behind = put_count(&mut bytes, at, divisor, form.flexible);
                    (ratio(body, form, &bytes), behind, bytes)
                });
                found.extend(tries.max_by(|one, other| one.0.total_cmp(&other.0)));
            }
        }
        found.sort_by(|one, other| other.0.total_cmp(&one.0));
        found.truncate(KEPT);
        kept = found;
    }
    kept[0].0
}

/// A count at `at` as if every element of what follows took `divisor` bytes; returns
/// the place behind it.
fn put_count(bytes: &mut [u8], at: usize, divisor: usize, flexible: bool) -> usize {
    let size = if flexible { 2 } else { 4 };
    let count = (bytes.len() - at - size) / divisor;
    if flexible {
        let stored = u8::try_from((count + 1) % 128).expect("seven bits") | 0x80;
        let rest = u8::try_from((count + 1) / 128).expect("the input is short");
        bytes[at..at + 2].copy_from_slice(&[stored, rest]);
    } else {
        let count = i32::try_from(count).expect("the input is short");
        bytes[at..at + 4].copy_from_slice(&count.to_be_bytes());
    }
    at + size
}

#[test]
fn counts_of_two_billion() {
    for (body, form) in messages() {
        for size in [4, 20, 100, 1000] {
            for at in 0..size - 3 {
                let mut bytes = vec![0; size];
                bytes[at..at + 4].copy_from_slice(&i32::MAX.to_be_bytes());
                ratio(body, form, &bytes);
            }
            ratio(body, form, &vec![0x7f; size]);
            ratio(body, form, &vec![0xff; size]);
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig {
        cases: 300,
        rng_seed: RngSeed::Fixed(4),
        failure_persistence: None,
        ..ProptestConfig::default()
    })]

    #[test]
    fn any_bytes(bytes in prop::collection::vec(any::<u8>(), 1..400)) {
        for (body, form) in messages() {
            ratio(body, form, &bytes);
        }
    }

    #[test]
    fn a_good_request_with_bytes_changed(
        entropy in prop::collection::vec(any::<u8>(), 0..400),
        changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 0..6),
    ) {
        for (body, form) in messages() {
            let mut bytes = body.random(&mut Source::new(&entropy), form);
            if bytes.is_empty() {
                continue;
            }
            for (at, byte) in &changes {
                let at = at.index(bytes.len());
                bytes[at] = *byte;
            }
            ratio(body, form, &bytes);
        }
    }
}
