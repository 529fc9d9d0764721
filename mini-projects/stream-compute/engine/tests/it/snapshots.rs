//! What a checkpoint of much state costs the flow, counted in copies.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Condvar, Mutex};

use message_model::Timestamp;
use serde::{Deserialize, Serialize, Serializer};
use stream_engine::{
    Aggregate, Content, Handle, Held, Job, MemorySink, OutOfOrder, Process, Record, Settings,
    Timer, Windows,
};

use crate::gated::{Gate, gated};
use crate::{ms, parallel, run};

const KEYS: usize = 20_000;

/// What is noted of the counts of one test.
struct Notes {
    copies: AtomicUsize,
    all_copies: AtomicUsize,
    most_at_once: AtomicUsize,
    added: AtomicUsize,
    may_encode: (Mutex<bool>, Condvar),
}

impl Notes {
    const fn new() -> Notes {
        Notes {
            copies: AtomicUsize::new(0),
            all_copies: AtomicUsize::new(0),
            most_at_once: AtomicUsize::new(0),
            added: AtomicUsize::new(0),
            may_encode: (Mutex::new(false), Condvar::new()),
        }
    }

    /// A count is added to.
    fn add(&self) {
        let copies = self.copies.swap(0, Ordering::Relaxed);
        self.all_copies.fetch_add(copies, Ordering::Relaxed);
        self.most_at_once.fetch_max(copies, Ordering::Relaxed);
        self.added.fetch_add(1, Ordering::Relaxed);
    }

    /// Until so many records were counted.
    async fn added(&self, count: usize) {
        while self.added.load(Ordering::Relaxed) < count {
            tokio::task::yield_now().await;
        }
    }
}

/// While it is there nothing is encoded; a test that fails must not wait for that.
struct NotEncoded(usize);

impl Drop for NotEncoded {
    fn drop(&mut self) {
        let (may, changed) = &NOTES[self.0].may_encode;
        *may.lock().unwrap() = true;
        changed.notify_all();
    }
}

const WINDOWS: usize = 0;
const PROCESS: usize = 1;
static NOTES: [Notes; 2] = [const { Notes::new() }; 2];

/// A count that notes when it is copied, and that is encoded only when the test allows it.
#[derive(Debug, Deserialize)]
struct Noted<const TEST: usize>(u64);

impl<const TEST: usize> Clone for Noted<TEST> {
    fn clone(&self) -> Noted<TEST> {
        NOTES[TEST].copies.fetch_add(1, Ordering::Relaxed);
        Noted(self.0)
    }
}

impl<const TEST: usize> Serialize for Noted<TEST> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let (may, changed) = &NOTES[TEST].may_encode;
        let may = may.lock().unwrap();
        drop(changed.wait_while(may, |may| !*may).unwrap());
        serializer.serialize_u64(self.0)
    }
}

#[derive(Debug, Clone, Copy)]
struct NotedCount;

impl<V> Aggregate<V> for NotedCount {
    type State = Noted<WINDOWS>;
    type Value = u64;

    fn empty(&self) -> Noted<WINDOWS> {
        Noted(0)
    }

    fn add(&self, state: &mut Noted<WINDOWS>, _: &V) {
        NOTES[WINDOWS].add();
        state.0 += 1;
    }

    fn merge(&self, state: &mut Noted<WINDOWS>, other: Noted<WINDOWS>) {
        state.0 += other.0;
    }

    fn value(&self, state: &Noted<WINDOWS>) -> u64 {
        state.0
    }
}

/// The same with a timer.
impl Process<usize, usize> for NotedCount {
    type State = Noted<PROCESS>;
    type Out = Content<u64>;

    fn on_record(
        &self,
        _: Record<usize>,
        held: &mut Held<'_, usize, Noted<PROCESS>>,
        _: &mut impl FnMut(Content<u64>),
    ) {
        NOTES[PROCESS].add();
        held.state().get_or_insert(Noted(0)).0 += 1;
        held.set(Timer::Event(Timestamp(1_000)));
    }

    fn on_timer(
        &self,
        _: Timer,
        held: &mut Held<'_, usize, Noted<PROCESS>>,
        emit: &mut impl FnMut(Content<u64>),
    ) {
        emit(Content::Value(held.state().take().unwrap().0));
    }
}

fn job(test: usize, sink: &MemorySink<Content<u64>>) -> (Job, Gate) {
    let keys: Vec<usize> = (0..KEYS).chain(0..KEYS).collect();
    let (gate, source) = gated(&Arc::new(vec![keys]));
    let order = OutOfOrder {
        bound: ms(0),
        idle_after: None,
        step: None,
    };
    let job = Job::new("keys");
    let keyed = job
        .source("keys", source)
        .event_time("time", order, |_| Timestamp(0))
        .key_by(|key| *key);
    if test == PROCESS {
        keyed
            .process("count", NotedCount)
            .sink("rows", sink.clone());
        return (job, gate);
    }
    let (rows, late) = keyed
        .window(Windows::tumbling(ms(1_000)))
        .aggregate("count", NotedCount);
    rows.map("content", |row| row.content)
        .sink("rows", sink.clone());
    late.discard("late");
    (job, gate)
}

async fn copies_a_group_at_a_time_and_only_what_changes(test: usize) {
    let notes = &NOTES[test];
    let not_encoded = NotEncoded(test);
    let (first, gate) = job(test, &MemorySink::default());
    let (handle, requests) = Handle::new();
    let running = tokio::spawn(async move { first.run(parallel(1), requests).await });
    gate.allow(0, KEYS);
    notes.added(KEYS).await;
    assert_eq!(notes.all_copies.load(Ordering::Relaxed), 0);

    // It is begun, and its state is not encoded before all keys have changed.
    let checkpoint = tokio::spawn(async move { handle.checkpoint().await });
    for _ in 0..100 {
        tokio::task::yield_now().await;
    }
    gate.allow(0, 2 * KEYS);
    notes.added(2 * KEYS).await;
    assert_eq!(notes.all_copies.load(Ordering::Relaxed), KEYS);
    let group = KEYS / 128;
    let most = notes.most_at_once.load(Ordering::Relaxed);
    assert!(
        most < group * 3 / 2,
        "{most} at once, with {group} in a group"
    );
    drop(not_encoded);
    let checkpoint = checkpoint.await.unwrap().unwrap();
    running.abort();

    // What was added behind the barrier is not in it.
    let sink = MemorySink::default();
    let (resumed, gate) = job(test, &sink);
    gate.open();
    let settings = Settings {
        resume: Some((*checkpoint).clone()),
        ..parallel(4)
    };
    run(&resumed, settings).await.unwrap();
    assert_eq!(sink.committed(), vec![Content::Value(2); KEYS]);
}

#[tokio::test(start_paused = true)]
async fn a_snapshot_of_windows_copies_a_key_group_at_a_time() {
    copies_a_group_at_a_time_and_only_what_changes(WINDOWS).await;
}

#[tokio::test(start_paused = true)]
async fn a_snapshot_of_a_process_copies_a_key_group_at_a_time() {
    copies_a_group_at_a_time_and_only_what_changes(PROCESS).await;
}
