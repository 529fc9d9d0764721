//! A snapshot of a million keys, taken in four ways while records keep coming. How many keys are
//! gone through while a record waits?
//!
//! ```text
//! cargo run --release -p stream-engine --example p1-stall
//! ```

use std::error::Error;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use async_model::Clock;
use message_model::Timestamp;
use serde::{Deserialize, Serialize, Serializer};
use stream_engine::{
    Aggregate, Cause, Handle, Job, Keyed, KeyedWindows, Nowhere, OutOfOrder, Read, Reader,
    Settings, Source, Subtask, UNTIMED, WindowRule, Windows,
};
use tokio::sync::Notify;

const KEYS: u64 = 1_000_000;
/// How many records are handed over together.
const BATCH: usize = 1024;

/// How many keys were encoded or copied since the last record, by the thread that counts.
static GONE_THROUGH: AtomicU64 = AtomicU64::new(0);
/// The same, for each record since the snapshot.
static WAITED_FOR: Mutex<Vec<u64>> = Mutex::new(Vec::new());

/// A count that notes when it is copied.
#[derive(Debug, Deserialize)]
struct Noted(u64);

impl Clone for Noted {
    fn clone(&self) -> Noted {
        GONE_THROUGH.fetch_add(1, Ordering::Relaxed);
        Noted(self.0)
    }
}

#[derive(Debug, Clone, Copy)]
struct NotedCount;

impl<V> Aggregate<V> for NotedCount {
    type State = Noted;
    type Value = u64;

    fn empty(&self) -> Noted {
        Noted(0)
    }

    fn add(&self, state: &mut Noted, _: &V) {
        let waited_for = GONE_THROUGH.swap(0, Ordering::Relaxed);
        held(&WAITED_FOR).push(waited_for);
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

fn main() -> Result<(), Box<dyn Error>> {
    let ways: [(&str, u64, Take); 3] = [
        ("stop, encode all", 1, stop),
        ("copy all, encode aside", 1, copy),
        ("128 parts, shared", 128, <[Part]>::to_vec),
    ];
    println!("Of {KEYS} keys, gone through while\n");
    println!("{:22}{:>9}{:>10}", "", "1 waits", "1024 wait");
    for (name, parts, take) in ways {
        let mut state = fill(parts);
        forget();
        let snapshot = take(&state);
        count(&mut state);
        print(name);
        // It is being encoded all the while.
        drop(snapshot);
    }
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .build()?;
    runtime.block_on(engine())
}

/// What a record had to wait for at most, and a batch of them.
fn print(name: &str) {
    let work = held(&WAITED_FOR);
    let record = work.iter().copied().max().unwrap_or(0);
    let batches = work.chunks(BATCH).map(|batch| batch.iter().sum::<u64>());
    let batch = batches.max().unwrap_or(0);
    println!("{name:22}{record:>9}{batch:>10}");
}

fn forget() {
    held(&WAITED_FOR).clear();
    GONE_THROUGH.store(0, Ordering::Relaxed);
}

fn held<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
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

/// The records behind the barrier.
fn behind() -> impl Iterator<Item = u64> {
    let mut random = fastrand::Rng::with_seed(30);
    (0..KEYS).map(move |_| random.u64(..KEYS))
}

/// Counts a million records behind the barrier. The first one waits for what was done at the
/// barrier.
fn count(state: &mut [Part]) {
    for key in behind() {
        let index = usize::try_from(key).unwrap_or(0) % state.len();
        add(Arc::make_mut(&mut state[index]), key);
    }
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

/// The source has handed out all records before the barrier, and waits.
static BEFORE: Notify = Notify::const_new();
/// It may go on.
static BEHIND: Notify = Notify::const_new();
/// The operator has taken its snapshot.
static TAKEN: Notify = Notify::const_new();
/// Whether the snapshot may be encoded.
static MAY_ENCODE: (Mutex<bool>, Condvar) = (Mutex::new(false), Condvar::new());

/// A job of the engine with the same records, and its checkpoint at the same place.
async fn engine() -> Result<(), Box<dyn Error>> {
    let job = Job::new("stall");
    let order = OutOfOrder {
        bound: Duration::ZERO,
        idle_after: None,
        step: None,
    };
    let (rows, late) = job
        .source("keys", Keys)
        .event_time("time", order, |_| Timestamp(0))
        .key_by(|key| *key)
        .window(Windows::tumbling(Duration::from_secs(5)))
        .aggregate("count", NotedCount);
    rows.sink("rows", Nowhere::default());
    late.discard("late");
    let (handle, requests) = Handle::new();
    let settings = Settings {
        parallelism: 1,
        ..Settings::new(Clock::start())
    };
    let running = tokio::spawn(async move { job.run(settings, requests).await });
    BEFORE.notified().await;
    let checkpoint = tokio::spawn(async move { handle.checkpoint().await });
    TAKEN.notified().await;
    forget();
    BEHIND.notify_one();
    let count = behind().count();
    while held(&WAITED_FOR).len() < count {
        tokio::task::yield_now().await;
    }
    print("the engine");
    *held(&MAY_ENCODE.0) = true;
    MAY_ENCODE.1.notify_all();
    checkpoint.await?;
    running.await??;
    Ok(())
}

/// Waits until it may.
impl Serialize for Noted {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let (may, changed) = &MAY_ENCODE;
        let may = held(may);
        if !*may {
            TAKEN.notify_one();
        }
        drop(changed.wait_while(may, |may| !*may));
        serializer.serialize_u64(self.0)
    }
}

/// Each key once, and behind the barrier random ones.
struct Keys;

struct KeysReader {
    is_open: bool,
    position: u64,
    keys: Box<dyn Iterator<Item = u64> + Send>,
}

impl Source for Keys {
    type Item = u64;
    type Reader = KeysReader;

    fn parallelism(&self, _: usize) -> usize {
        1
    }

    fn open(&self, _: Subtask, _: Vec<(u32, u64)>) -> Result<KeysReader, Cause> {
        Ok(KeysReader {
            is_open: false,
            position: 0,
            keys: Box::new((0..KEYS).chain(behind())),
        })
    }
}

impl Reader for KeysReader {
    type Item = u64;
    type Position = u64;

    async fn read(&mut self, keys: &mut Vec<u64>) -> Result<Read, Cause> {
        if !self.is_open {
            self.is_open = true;
            return Ok(Read::Opened(0));
        }
        if self.position == KEYS {
            BEFORE.notify_one();
            BEHIND.notified().await;
        }
        let before = usize::try_from(KEYS.saturating_sub(self.position))?;
        let room = if before == 0 {
            BATCH
        } else {
            before.min(BATCH)
        };
        keys.extend(self.keys.by_ref().take(room));
        self.position += keys.len() as u64;
        if keys.is_empty() {
            return Ok(Read::Exhausted);
        }
        Ok(Read::From(0))
    }

    fn positions(&self) -> Vec<(u32, u64)> {
        vec![(0, self.position)]
    }
}
