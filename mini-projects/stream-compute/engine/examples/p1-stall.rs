//! A snapshot of a million keys, taken in four ways while records keep coming. How many keys are
//! gone through while a record waits?
//!
//! ```text
//! cargo run --release -p stream-engine --example p1-stall
//! ```

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use message_model::Timestamp;
use stream_engine::{Aggregate, Keyed, KeyedWindows, UNTIMED, WindowRule, Windows};

const KEYS: u64 = 1_000_000;
/// How many records are handed over together.
const BATCH: usize = 1024;

/// How many keys were encoded or copied by the thread that counts.
static GONE_THROUGH: AtomicU64 = AtomicU64::new(0);

/// A count that notes when it is copied.
#[derive(Debug)]
struct Noted(u64);

impl Clone for Noted {
    fn clone(&self) -> Noted {
        GONE_THROUGH.fetch_add(1, Ordering::Relaxed);
        Noted(self.0)
    }
}

#[derive(Debug, Clone, Copy)]
struct NotedCount;

impl Aggregate<()> for NotedCount {
    type State = Noted;
    type Value = u64;

    fn empty(&self) -> Noted {
        Noted(0)
    }

    fn add(&self, state: &mut Noted, (): &()) {
        state.0 += 1;
    }

    fn merge(&self, state: &mut Noted, other: Noted) {
        state.0 += other.0;
    }

    fn value(&self, state: &Noted) -> u64 {
        state.0
    }
}

type Part = Arc<KeyedWindows<u64, Noted>>;
/// Takes a snapshot of all parts.
type Take = fn(&[Part]) -> Vec<Part>;

fn main() {
    let ways: [(&str, u64, Take); 4] = [
        ("stop, encode all", 1, stop),
        ("copy all, encode aside", 1, copy),
        ("128 parts, shared", 128, <[Part]>::to_vec),
        ("16384 parts, shared", 16_384, <[Part]>::to_vec),
    ];
    println!("Of {KEYS} keys, gone through while\n");
    println!("{:22}{:>9}{:>10}", "", "1 waits", "1024 wait");
    for (name, parts, take) in ways {
        let mut state = fill(parts);
        let snapshot = take(&state);
        let (record, batch) = count(&mut state);
        println!("{name:22}{record:>9}{batch:>10}");
        // It is being encoded all the while.
        drop(snapshot);
    }
}

/// A window for each key.
fn fill(parts: u64) -> Vec<Part> {
    let part = |number| {
        let mut windows = KeyedWindows::default();
        (number..KEYS)
            .step_by(usize::try_from(parts).unwrap_or(1))
            .for_each(|key| add(&mut windows, key));
        Arc::new(windows)
    };
    (0..parts).map(part).collect()
}

fn add(windows: &mut KeyedWindows<u64, Noted>, key: u64) {
    let rule = WindowRule {
        windows: Windows::tumbling(Duration::from_secs(5)),
        lateness: Duration::ZERO,
        aggregate: NotedCount,
    };
    let (time, value) = (Timestamp(0), ());
    windows.add(&rule, UNTIMED, &Keyed { time, key, value }, |_| {});
}

/// Counts a million records behind the barrier. Returns what one of them had to wait for at most,
/// and a batch of them.
fn count(state: &mut [Part]) -> (u64, u64) {
    let mut random = fastrand::Rng::with_seed(30);
    // The first record waits for what was done at the barrier.
    let mut work = Vec::new();
    for _ in 0..KEYS {
        let key = random.u64(..KEYS);
        let index = usize::try_from(key).unwrap_or(0) % state.len();
        add(Arc::make_mut(&mut state[index]), key);
        work.push(GONE_THROUGH.swap(0, Ordering::Relaxed));
    }
    let batches = work.chunks(BATCH).map(|batch| batch.iter().sum());
    (
        work.iter().copied().max().unwrap_or(0),
        batches.max().unwrap_or(0),
    )
}

/// Encodes all at the barrier, so nothing of it is shared afterwards.
fn stop(state: &[Part]) -> Vec<Part> {
    let keys: usize = state.iter().map(|part| part.panes().count()).sum();
    GONE_THROUGH.fetch_add(keys as u64, Ordering::Relaxed);
    Vec::new()
}

fn copy(state: &[Part]) -> Vec<Part> {
    let copied = |part: &Part| Arc::new(KeyedWindows::clone(part));
    state.iter().map(copied).collect()
}
