//! What a checkpoint of much state costs the flow, counted in copies.
//!
//! A test goes through all keys several times, in *rounds*. In the first ones buckets are split,
//! which copies too.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Condvar, Mutex};

use message_model::Timestamp;
use serde::{Deserialize, Serialize, Serializer};
use stream_engine::{
    Aggregate, Checkpoint, Content, Handle, Held, Job, MemorySink, OperatorState, OutOfOrder,
    Process, Record, Settings, Timer, Windows,
};

use crate::gated::{Gate, gated};
use crate::{ms, parallel, run};

const KEYS: usize = 20_000;
/// In the last of these nothing is split any more.
const ROUNDS: usize = 5;
/// How many records are handed over together.
const BATCH: usize = 1024;
/// How many keys a bucket has at most.
const BUCKET: usize = 32;

/// What is noted of the counts of one test.
struct Notes {
    /// Since the last record.
    copies: AtomicUsize,
    /// For each record.
    work: Mutex<Vec<usize>>,
    may_encode: (Mutex<bool>, Condvar),
}

impl Notes {
    const fn new() -> Notes {
        Notes {
            copies: AtomicUsize::new(0),
            work: Mutex::new(Vec::new()),
            may_encode: (Mutex::new(false), Condvar::new()),
        }
    }

    /// A count is added to.
    fn add(&self) {
        let copies = self.copies.swap(0, Ordering::Relaxed);
        self.work.lock().unwrap().push(copies);
    }

    /// Until so many records were counted. Returns what each of them has copied.
    async fn added(&self, count: usize) -> Vec<usize> {
        while self.work.lock().unwrap().len() < count {
            tokio::task::yield_now().await;
        }
        self.work.lock().unwrap().clone()
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
const ONE_DUE: usize = 2;
static NOTES: [Notes; 3] = [const { Notes::new() }; 3];

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
struct NotedCount<const TEST: usize>;

impl<V, const TEST: usize> Aggregate<V> for NotedCount<TEST> {
    type State = Noted<TEST>;
    type Value = u64;

    fn empty(&self) -> Noted<TEST> {
        Noted(0)
    }

    fn add(&self, state: &mut Noted<TEST>, _: &V) {
        NOTES[TEST].add();
        state.0 += 1;
    }

    fn merge(&self, state: &mut Noted<TEST>, other: Noted<TEST>) {
        state.0 += other.0;
    }

    fn value(&self, state: &Noted<TEST>) -> u64 {
        state.0
    }
}

/// Key and time.
type Hit = (usize, i64);
/// A time, in a later window than 0. The watermark is so far behind the latest time.
const LATER: i64 = 5_000;

/// The same with a timer.
impl Process<usize, Hit> for NotedCount<PROCESS> {
    type State = Noted<PROCESS>;
    type Out = Content<u64>;

    fn on_record(
        &self,
        _: Record<Hit>,
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

fn job<const TEST: usize>(hits: Vec<Hit>, sink: &MemorySink<Content<u64>>) -> (Job, Gate) {
    let (gate, source) = gated(&Arc::new(vec![hits]));
    let order = OutOfOrder {
        bound: ms(LATER.unsigned_abs()),
        idle_after: None,
        step: None,
    };
    let job = Job::new("keys");
    let keyed = job
        .source("keys", source)
        .event_time("time", order, |(_, time)| Timestamp(*time))
        .key_by(|(key, _)| *key);
    if TEST == PROCESS {
        keyed
            .process("count", NotedCount::<PROCESS>)
            .sink("rows", sink.clone());
        return (job, gate);
    }
    let (rows, late) = keyed
        .window(Windows::tumbling(ms(1_000)))
        .aggregate("count", NotedCount::<TEST>);
    rows.map("content", |row| row.content)
        .sink("rows", sink.clone());
    late.discard("late");
    (job, gate)
}

/// Runs a job to `barrier`, and from there to the end while its snapshot is not encoded. Returns
/// the checkpoint, and what each record has copied.
async fn copied<const TEST: usize>(hits: &[Hit], barrier: usize) -> (Checkpoint, Vec<usize>) {
    let not_encoded = NotEncoded(TEST);
    let (job, gate) = job::<TEST>(hits.to_vec(), &MemorySink::default());
    let (handle, requests) = Handle::new();
    let running = tokio::spawn(async move { job.run(parallel(1), requests).await });
    gate.allow(0, barrier);
    NOTES[TEST].added(barrier).await;
    let checkpoint = tokio::spawn(async move { handle.checkpoint().await });
    for _ in 0..100 {
        tokio::task::yield_now().await;
    }
    gate.allow(0, hits.len());
    let work = NOTES[TEST].added(hits.len()).await;
    drop(not_encoded);
    let checkpoint = checkpoint.await.unwrap().unwrap();
    running.abort();
    ((*checkpoint).clone(), work)
}

async fn copies_a_bucket_at_a_time_and_only_what_changes<const TEST: usize>() {
    let round: Vec<Hit> = (0..KEYS).map(|key| (key, 0)).collect();
    let barrier = ROUNDS * KEYS;
    let hits: Vec<Hit> = round.repeat(ROUNDS + 1);
    let (checkpoint, work) = copied::<TEST>(&hits, barrier).await;
    let most = *work.iter().max().unwrap();
    assert!(most <= BUCKET, "{most} for a record");
    let batches = work.chunks(BATCH).map(|batch| batch.iter().sum::<usize>());
    let most = batches.max().unwrap();
    assert!(most < BATCH * BUCKET / 2, "{most} for a batch");
    // The first one of a round copies what is split behind the last one of the round before.
    let settled = work[barrier - KEYS + 1..barrier].iter().sum::<usize>();
    assert_eq!(settled, 0, "without a snapshot");
    assert_eq!(work[barrier..].iter().sum::<usize>(), KEYS, "each once");

    // What was added behind the barrier is not in it.
    let sink = MemorySink::default();
    let (resumed, gate) = job::<TEST>(hits, &sink);
    gate.open();
    let settings = Settings {
        resume: Some(checkpoint),
        ..parallel(4)
    };
    run(&resumed, settings).await.unwrap();
    let count = u64::try_from(ROUNDS + 1).unwrap();
    assert_eq!(sink.committed(), vec![Content::Value(count); KEYS]);
}

#[tokio::test(start_paused = true)]
async fn a_snapshot_of_windows_copies_a_bucket_at_a_time() {
    copies_a_bucket_at_a_time_and_only_what_changes::<WINDOWS>().await;
}

#[tokio::test(start_paused = true)]
async fn a_snapshot_of_a_process_copies_a_bucket_at_a_time() {
    copies_a_bucket_at_a_time_and_only_what_changes::<PROCESS>().await;
}

#[tokio::test(start_paused = true)]
async fn a_watermark_copies_no_bucket_without_a_timer_that_is_due() {
    let later = (2..20_000).map(|key| (key, LATER));
    let mut hits: Vec<Hit> = [(0, 0), (1, LATER)].into_iter().chain(later).collect();
    let barrier = hits.len();
    // The watermark behind these has passed the window of key 0, and no other.
    hits.extend([(1, LATER + 2_000); 10]);
    let (_, work) = copied::<ONE_DUE>(&hits, barrier).await;
    let bucket = 1..=BUCKET;
    assert!(bucket.contains(&work[barrier]), "{}", work[barrier]);
    let more = work[barrier + 1..].iter().sum::<usize>();
    assert!(bucket.contains(&more), "{more} for the watermark");
}

#[tokio::test(start_paused = true)]
async fn a_checkpoint_has_no_buckets_so_that_of_an_older_build_is_read() {
    // As it was encoded when each group had one map.
    let window = (0i64, 1_000i64);
    let panes = [
        (7usize, window, 3u64, (0u32, true)),
        (8, window, 4, (0, true)),
    ];
    let counts = OperatorState {
        groups: [(5, postcard::to_stdvec(&panes.to_vec()).unwrap())].into(),
        items: vec![postcard::to_stdvec(&0i64).unwrap()],
    };
    let checkpoint = Checkpoint {
        id: 1,
        key_groups: 128,
        operators: [("count".into(), counts)].into(),
    };
    let sink = MemorySink::default();
    let (resumed, gate) = job::<WINDOWS>(Vec::new(), &sink);
    gate.open();
    let settings = Settings {
        resume: Some(checkpoint),
        ..parallel(1)
    };
    run(&resumed, settings).await.unwrap();
    let mut rows = sink.committed();
    rows.sort_by_key(|row| format!("{row:?}"));
    assert_eq!(rows, [Content::Value(3), Content::Value(4)]);
}
