//! How much memory a stranger's message takes: never more than
//! [`DECODED_SIZE_RATIO_MAX`] times what arrived.
#![allow(
    unsafe_code,
    reason = "an allocator that counts is an implementation of an unsafe trait"
)]

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;

use proptest::prelude::*;
use proptest::test_runner::RngSeed;
use wire_protocol::{DECODED_SIZE_RATIO_MAX, Form};

#[path = "it/bodies.rs"]
#[allow(dead_code, reason = "`it` uses all of it")]
mod bodies;
#[path = "it/random.rs"]
mod random;

use bodies::Body;
use random::Source;

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
        count(layout.size());
        // SAFETY: the caller promises what `System.alloc` asks for.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        uncount(layout.size());
        // SAFETY: the caller promises what `System.dealloc` asks for.
        unsafe { System.dealloc(pointer, layout) }
    }

    unsafe fn realloc(&self, pointer: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        // The old and the new block may exist at the same time.
        count(size);
        uncount(layout.size());
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

/// Decodes; the most memory that it took, per byte of input.
fn ratio(body: Body, form: Form, bytes: &[u8]) -> f64 {
    let peak = peak_of(|| (body.decode)(bytes, form));
    #[allow(clippy::cast_precision_loss, reason = "numbers of a few thousand")]
    let ratio = peak as f64 / bytes.len() as f64;
    let limit = DECODED_SIZE_RATIO_MAX * bytes.len();
    assert!(
        peak <= limit,
        "{} {form:?}: {peak} bytes for {} that arrived, {bytes:02x?}",
        body.name,
        bytes.len(),
    );
    ratio
}

fn messages() -> impl Iterator<Item = (Body, Form)> {
    let all = bodies::all().into_iter();
    all.flat_map(|body| body.forms().into_iter().map(move |form| (body, form)))
}

#[test]
fn the_allocator_counts() {
    assert_eq!(peak_of(|| Vec::<u8>::with_capacity(1000)), 1000);
    assert_eq!(peak_of(|| drop(Vec::<u64>::with_capacity(10))), 80);
    assert_eq!(peak_of(|| ()), 0);
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
                    put_count(&mut bytes, at, divisor);
                    (ratio(body, form, &bytes), at + 4, bytes)
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

/// A count at `at` as if every element of what follows took `divisor` bytes.
fn put_count(bytes: &mut [u8], at: usize, divisor: usize) {
    let count = (bytes.len() - at - 4) / divisor;
    let count = i32::try_from(count)
        .expect("the input is short")
        .to_be_bytes();
    bytes[at..at + 4].copy_from_slice(&count);
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
            let mut bytes = (body.random)(&mut Source::new(&entropy), form);
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
