//! An allocator that counts what the broker holds.
#![allow(
    unsafe_code,
    reason = "an allocator that counts is an implementation of an unsafe trait"
)]

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

/// The system's allocator, with a count of what all threads hold but those of clients.
struct Counting;

#[global_allocator]
static COUNTING: Counting = Counting;

// Only sums are read, and only when nothing runs: no order is needed.
static HELD: AtomicI64 = AtomicI64::new(0);
static PEAK: AtomicI64 = AtomicI64::new(0);

thread_local! {
    static IS_CLIENT: Cell<bool> = const { Cell::new(false) };
}

/// Held by the test that counts.
static ALONE: Mutex<()> = Mutex::new(());

/// Waits until no other test counts, and keeps others from it while the guard lives.
pub(crate) fn alone() -> MutexGuard<'static, ()> {
    ALONE.lock().unwrap_or_else(PoisonError::into_inner)
}

/// From now on nothing counts that this thread allocates.
pub(crate) fn become_client() {
    IS_CLIENT.set(true);
}

/// Forgets the peak; returns what is held, in bytes.
pub(crate) fn start() -> i64 {
    let held = HELD.load(Ordering::Relaxed);
    PEAK.store(held, Ordering::Relaxed);
    held
}

/// The most that was held at a time since [`start`], in bytes.
pub(crate) fn peak() -> i64 {
    PEAK.load(Ordering::Relaxed)
}

/// What an allocation takes, as the C library does it on Linux.
fn block_size(size: usize) -> i64 {
    let size = (size + 8).next_multiple_of(16).max(32);
    i64::try_from(size).unwrap_or(i64::MAX)
}

fn count(size: i64) {
    if !IS_CLIENT.get() {
        let held = HELD.fetch_add(size, Ordering::Relaxed) + size;
        PEAK.fetch_max(held, Ordering::Relaxed);
    }
}

// SAFETY: every method hands its arguments to the system's allocator and
// returns what that returned; the counts are plain numbers, and neither reading
// nor writing them allocates.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        count(block_size(layout.size()));
        // SAFETY: the caller promises what `System.alloc` asks for.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        count(-block_size(layout.size()));
        // SAFETY: the caller promises what `System.dealloc` asks for.
        unsafe { System.dealloc(pointer, layout) }
    }

    unsafe fn realloc(&self, pointer: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        // The old and the new block may exist at the same time.
        count(block_size(size));
        count(-block_size(layout.size()));
        // SAFETY: the caller promises what `System.realloc` asks for.
        unsafe { System.realloc(pointer, layout, size) }
    }
}
