//! Whatever fails, and wherever the barriers are: the committed rows are those of a recount.

use std::collections::BTreeMap;
use std::io::ErrorKind;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, AtomicUsize, Ordering};

use message_model::Timestamp;
use stream_engine::{
    Cause, CheckpointDir, Content, Count, Error, Handle, IteratorSource, Job, MemorySink,
    OutOfOrder, Record, Restart, Row, Settings, Sink, Subtask, Windows, Writer,
};

use crate::gated::{Gate, gated};
use crate::{ms, parallel, run};

const BOUND: i64 = 50;
const SIZE: i64 = 20;
pub(crate) const ORDER: OutOfOrder = OutOfOrder {
    bound: std::time::Duration::from_millis(BOUND.unsigned_abs()),
    idle_after: None,
    step: None,
};

/// Key and time.
pub(crate) type Hit = (u8, i64);
/// Key, start and count.
type Counted = (u8, i64, u64);

/// Partitions of hits, each out of order within the bound.
pub(crate) fn hits(random: &mut fastrand::Rng) -> Arc<Vec<Vec<Hit>>> {
    let partition = |random: &mut fastrand::Rng| {
        let mut latest = 0;
        let mut hit = || {
            latest += random.i64(0..4);
            (random.u8(0..20), latest - random.i64(0..=BOUND))
        };
        (0..150).map(|_| hit()).collect()
    };
    Arc::new((0..3).map(|_| partition(random)).collect())
}

fn recount(partitions: &[Vec<Hit>]) -> Vec<Counted> {
    let mut counts = BTreeMap::new();
    for (key, time) in partitions.iter().flatten() {
        let start = time - time.rem_euclid(SIZE);
        *counts.entry((*key, start)).or_insert(0) += 1;
    }
    let rows = counts.into_iter();
    rows.map(|((key, start), count)| (key, start, count))
        .collect()
}

fn counted(row: Row<u8, u64>) -> Counted {
    let Content::Value(count) = row.content else {
        panic!("a tumbling window was withdrawn");
    };
    assert_eq!(row.revision, 0);
    (row.key, row.window.start.0, count)
}

/// Some of the partitions are near, the others are some tasks away, so that their barriers come
/// later to where they meet.
fn job(partitions: &Arc<Vec<Vec<Hit>>>, sink: &MemorySink<Counted>) -> (Job, [Gate; 2]) {
    let job = Job::new("counts");
    let (near, far) = partitions.split_at(1);
    let (near_gate, near) = gated(&Arc::new(near.to_vec()));
    let (far_gate, far) = gated(&Arc::new(far.to_vec()));
    let time = |(_, time): &Hit| Timestamp(*time);
    let near = job
        .source("near", near)
        .event_time("near time", ORDER, time);
    let far = job.source("far", far).event_time("far time", ORDER, time);
    let (rows, late) = far
        .rebalance()
        .rebalance()
        .rebalance()
        .union(near)
        .key_by(|(key, _)| *key)
        .window(Windows::tumbling(ms(SIZE.unsigned_abs())))
        .aggregate("count", Count);
    rows.map("row", counted).sink("rows", sink.clone());
    late.map("late", |hit| panic!("{hit:?} is late"))
        .discard("no late ones");
    (job, [near_gate, far_gate])
}

/// A thread of a killed job may still be writing a checkpoint.
pub(crate) async fn open(folder: &Path) -> CheckpointDir {
    loop {
        match CheckpointDir::open(folder) {
            Ok(dir) => return dir,
            Err(Error::Store(_, error)) if error.kind() == ErrorKind::WouldBlock => {
                tokio::task::yield_now().await;
            }
            Err(error) => panic!("{error}"),
        }
    }
}

/// A life of the job: it begins where the last one has stored its last checkpoint, goes on for a
/// while, and is killed.
pub(crate) async fn live(
    random: &mut fastrand::Rng,
    (job, gates): (&Job, &[Gate; 2]),
    folder: &Path,
) {
    let dir = open(folder).await;
    let settings = Settings {
        resume: dir.newest().unwrap(),
        store: Some(dir),
        ..parallel(random.usize(1..=4))
    };
    let (handle, requests) = Handle::new();
    let job = job.clone();
    let running = tokio::spawn(async move { job.run(settings, requests).await });
    for _ in 0..random.usize(0..4) {
        gates[0].allow(0, random.usize(0..150));
        gates[1].allow(0, random.usize(0..150));
        gates[1].allow(1, random.usize(0..150));
        for _ in 0..random.usize(0..300) {
            tokio::task::yield_now().await;
        }
        if random.bool() {
            handle.checkpoint().await.unwrap();
        } else {
            // One that is under way when the job is killed.
            let handle = handle.clone();
            tokio::spawn(async move { handle.checkpoint().await });
        }
    }
    for _ in 0..random.usize(0..300) {
        tokio::task::yield_now().await;
    }
    running.abort();
    assert!(running.await.is_err_and(|error| error.is_cancelled()));
}

#[tokio::test(start_paused = true)]
async fn killed_anywhere_and_resumed_with_any_parallelism() {
    let mut dirty = 0;
    for seed in 0..40 {
        let mut random = fastrand::Rng::with_seed(seed);
        let folder = tempfile::tempdir().unwrap();
        let partitions = hits(&mut random);
        let sink = MemorySink::default();
        let (job, gates) = job(&partitions, &sink);
        for _ in 0..random.usize(1..6) {
            live(&mut random, (&job, &gates), folder.path()).await;
        }
        for gate in &gates {
            gate.open();
        }
        let dir = open(folder.path()).await;
        let settings = Settings {
            resume: dir.newest().unwrap(),
            store: Some(dir),
            ..parallel(random.usize(1..=4))
        };
        run(&job, settings).await.unwrap();
        let mut rows = sink.committed();
        rows.sort_unstable();
        assert_eq!(rows, recount(&partitions), "seed {seed}");
        dirty += sink.written().len() - rows.len();
    }
    assert!(
        dirty > 0,
        "a reader of uncommitted rows would have seen some twice"
    );
}

#[tokio::test(start_paused = true)]
async fn a_panic_costs_a_restart_and_no_row() {
    let mut random = fastrand::Rng::with_seed(7);
    let partitions = hits(&mut random);
    let all = Arc::clone(&partitions);
    let source = IteratorSource::new(3, move |number| all[number as usize].clone());
    let job = Job::new("panics");
    let sink = MemorySink::default();
    let count = AtomicU32::new(0);
    let count = Arc::new(count);
    let (rows, late) = job
        .source("hits", source)
        .map("fragile", move |hit| {
            let seen = count.fetch_add(1, Ordering::Relaxed);
            assert!(seen != 100 && seen != 500, "as planned");
            hit
        })
        .event_time("time", ORDER, |(_, time)| Timestamp(*time))
        .key_by(|(key, _)| *key)
        .window(Windows::tumbling(ms(SIZE.unsigned_abs())))
        .aggregate("count", Count);
    rows.map("row", counted).sink("rows", sink.clone());
    late.discard("late");
    let settings = |attempts| Settings {
        restart: Restart {
            attempts,
            backoff: ms(1_000),
            backoff_max: ms(1_500),
        },
        ..parallel(2)
    };
    let once = run(&job, settings(0)).await;
    assert!(matches!(once, Err(Error::Panicked(_))), "{once:?}");
    assert_eq!(sink.committed(), []);
    let summary = run(&job, settings(2)).await.unwrap();
    assert_eq!(summary.restarts, 1);
    let mut rows = sink.committed();
    rows.sort_unstable();
    assert_eq!(rows, recount(&partitions));
}

#[tokio::test(start_paused = true)]
async fn restarts_wait_longer_each_time_and_end() {
    let job = Job::new("hopeless");
    job.source("numbers", IteratorSource::new(1, |_| 0..10))
        .map("fragile", |n: u32| assert!(n < 5, "as planned"))
        .discard("none");
    let settings = Settings {
        restart: Restart {
            attempts: 4,
            backoff: ms(1_000),
            backoff_max: ms(3_000),
        },
        ..parallel(1)
    };
    let clock = settings.clock;
    assert!(matches!(run(&job, settings).await, Err(Error::Panicked(_))));
    let waited = clock.now().since(message_model::Moment::START);
    // 1 + 2 + 3 + 3 seconds.
    assert_eq!(waited.as_secs(), 9);
}

/// A sink that fails when it is to commit, as often as it is told, and that takes long to.
#[derive(Clone)]
struct Stubborn {
    sink: MemorySink<u32>,
    refusals: Arc<AtomicU32>,
    /// How many records had been written when the first ones were committed.
    at_first_commit: Arc<AtomicUsize>,
}

struct StubbornWriter {
    writer: <MemorySink<u32> as Sink>::Writer,
    sink: Stubborn,
}

impl Sink for Stubborn {
    type Item = u32;
    type Writer = StubbornWriter;

    fn open(&self, subtask: Subtask) -> Result<StubbornWriter, Cause> {
        Ok(StubbornWriter {
            writer: self.sink.open(subtask)?,
            sink: self.clone(),
        })
    }
}

impl Writer for StubbornWriter {
    type Item = u32;
    type Prepared = u64;

    async fn write(&mut self, records: &mut Vec<Record<u32>>) -> Result<(), Cause> {
        self.writer.write(records).await
    }

    async fn prepare(&mut self, checkpoint: u64) -> Result<u64, Cause> {
        self.writer.prepare(checkpoint).await
    }

    async fn commit(&mut self, prepared: u64) -> Result<(), Cause> {
        let refusals = self.sink.refusals.load(Ordering::Relaxed);
        if refusals > 0 {
            self.sink.refusals.store(refusals - 1, Ordering::Relaxed);
            return Err("as planned".into());
        }
        for _ in 0..1000 {
            tokio::task::yield_now().await;
        }
        let written = self.sink.sink.written().len();
        if self.sink.sink.committed().is_empty() {
            self.sink.at_first_commit.store(written, Ordering::Relaxed);
        }
        self.writer.commit(prepared).await
    }
}

fn stubborn(refusals: u32) -> Stubborn {
    Stubborn {
        sink: MemorySink::default(),
        refusals: Arc::new(AtomicU32::new(refusals)),
        at_first_commit: Arc::default(),
    }
}

#[tokio::test(start_paused = true)]
async fn nothing_is_written_before_all_that_was_prepared_is_committed() {
    let source = IteratorSource::new(2, |_| 0..2000u32);
    let job = Job::new("stubborn");
    let sink = stubborn(2);
    job.source("numbers", source).sink("kept", sink.clone());
    let folder = tempfile::tempdir().unwrap();
    let dir = CheckpointDir::open(folder.path()).unwrap();
    let settings = |resume| Settings {
        store: Some(dir.clone()),
        resume,
        ..parallel(2)
    };
    // Both subtasks have prepared everything, and cannot commit it.
    let failed = run(&job, settings(None)).await;
    assert!(matches!(failed, Err(Error::Sink(..))), "{failed:?}");
    assert_eq!(sink.sink.committed(), Vec::<u32>::new());
    let written = sink.sink.written().len();
    sink.refusals.store(0, Ordering::Relaxed);
    // There is more to write now.
    let more = Job::new("more");
    more.source("numbers", IteratorSource::new(2, |_| 0..4000u32))
        .sink("kept", sink.clone());
    run(&more, settings(dir.newest().unwrap())).await.unwrap();
    assert_eq!(sink.at_first_commit.load(Ordering::Relaxed), written);
    assert_eq!(sink.sink.committed().len(), 8000);
}

#[tokio::test(start_paused = true)]
async fn what_was_prepared_is_committed_at_once_when_the_job_is_back() {
    let (gate, source) = gated(&Arc::new(vec![(0..100).collect()]));
    let sink = stubborn(3);
    let job = Job::new("stubborn");
    job.source("numbers", source).sink("kept", sink.clone());
    let settings = Settings {
        restart: Restart {
            attempts: 3,
            backoff: ms(10),
            backoff_max: ms(10),
        },
        ..parallel(1)
    };
    let clock = settings.clock;
    let (handle, requests) = Handle::new();
    let running = tokio::spawn(async move { job.run(settings, requests).await });
    gate.allow(0, 40);
    // Time passes by itself when nothing else can happen.
    clock.sleep_until(clock.now().plus(ms(50))).await;
    handle.checkpoint().await.unwrap();
    clock.sleep_until(clock.now().plus(ms(500))).await;
    assert_eq!(sink.refusals.load(Ordering::Relaxed), 0);
    assert_eq!(sink.sink.committed(), (0..40).collect::<Vec<_>>());
    gate.open();
    let summary = running.await.unwrap().unwrap();
    assert_eq!(summary.restarts, 3);
    assert_eq!(sink.sink.committed(), (0..100).collect::<Vec<_>>());
}

#[tokio::test(start_paused = true)]
async fn a_checkpoint_between_two_failures_gives_all_attempts_back() {
    let (gate, source) = gated(&Arc::new(vec![(0..100u32).collect()]));
    let failed = Arc::new(AtomicU32::new(0));
    let job = Job::new("fragile");
    job.source("numbers", source)
        .map("fragile", move |n| {
            let failures = failed.load(Ordering::Relaxed);
            if n == 20 * (failures + 1) {
                failed.store(failures + 1, Ordering::Relaxed);
                panic!("as planned");
            }
        })
        .discard("none");
    let settings = Settings {
        restart: Restart {
            attempts: 1,
            backoff: ms(1),
            backoff_max: ms(1),
        },
        ..parallel(1)
    };
    let clock = settings.clock;
    let (handle, requests) = Handle::new();
    let running = tokio::spawn(async move { job.run(settings, requests).await });
    for allowed in [30, 50, 70, 90] {
        gate.allow(0, allowed);
        clock.sleep_until(clock.now().plus(ms(100))).await;
        handle.checkpoint().await.unwrap();
    }
    gate.open();
    assert_eq!(running.await.unwrap().unwrap().restarts, 4);
}
