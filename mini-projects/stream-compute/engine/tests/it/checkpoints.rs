//! Checkpoints and savepoints: what is in them, and what a changed job makes of them.

use std::collections::BTreeSet;
use std::fs;
use std::io::ErrorKind;
use std::sync::Arc;

use message_model::Timestamp;
use stream_engine::{
    Checkpoint, CheckpointDir, Content, Count, Counter, Error, Handle, Job, MemorySink, OutOfOrder,
    Settings, Windows,
};

use crate::gated::{Gate, gated};
use crate::{ms, parallel, run};

const ORDER: OutOfOrder = OutOfOrder {
    bound: std::time::Duration::ZERO,
    idle_after: None,
    step: None,
};

pub(crate) type Counted = (u64, i64, u64);

/// Which operators the job has beside its source and its rows.
#[derive(Clone, Copy, PartialEq)]
pub(crate) enum Build {
    /// It counts in short windows.
    Short,
    /// In long ones instead, by another operator; and it has an operator more.
    Long,
    /// In both.
    Both,
}

pub(crate) fn job(build: Build, sink: &MemorySink<Counted>) -> (Job, Gate) {
    let hits: Vec<(u64, i64)> = (0..1000i64).map(|n| (n.unsigned_abs() % 5, n)).collect();
    let (gate, source) = gated(&Arc::new(vec![hits]));
    let job = Job::new("counts");
    let hits = job
        .source("hits", source)
        .event_time("time", ORDER, |(_, time)| Timestamp(*time));
    let count = |name: &str, size, hits: stream_engine::EdgeStream<(u64, i64)>| {
        let (rows, late) = hits
            .key_by(|(key, _)| *key)
            .window(Windows::tumbling(ms(size)))
            .aggregate(name, Count);
        late.discard(format!("late of {name}"));
        let row = |row: stream_engine::Row<u64, u64>| match row.content {
            Content::Value(count) => (row.key, row.window.start.0, count),
            Content::Withdrawn => panic!("withdrawn"),
        };
        rows.map(format!("row of {name}"), row)
            .sink(format!("rows of {name}"), sink.clone());
    };
    let (one, two) = hits.fork();
    match build {
        Build::Short => {
            count("short", 100, one);
            two.discard("spare");
        }
        Build::Long => {
            count("long", 1000, one.filter("same", |_| true).rebalance());
            two.discard("spare");
        }
        Build::Both => {
            count("short", 100, one);
            count("long", 1000, two);
        }
    }
    (job, gate)
}

/// Runs the job for its first 550 hits, and stops it.
async fn stopped(build: Build, sink: &MemorySink<Counted>) -> Arc<Checkpoint> {
    until(job(build, sink), &[550], parallel(2)).await
}

#[tokio::test(start_paused = true)]
async fn a_stopped_job_goes_on_with_its_open_windows() {
    for parallelism in [1, 2, 4] {
        let sink = MemorySink::default();
        let checkpoint = stopped(Build::Short, &sink).await;
        let mut rows = sink.committed();
        rows.sort_unstable();
        let starts = |key| (0..5).map(move |n| (key, n * 100, 20));
        assert_eq!(rows, (0..5).flat_map(starts).collect::<Vec<_>>());
        let (job, gate) = job(Build::Short, &sink);
        gate.open();
        let settings = Settings {
            resume: Some((*checkpoint).clone()),
            ..parallel(parallelism)
        };
        run(&job, settings).await.unwrap();
        let mut rows = sink.committed();
        rows.sort_unstable();
        let starts = |key| (0..10).map(move |n| (key, n * 100, 20));
        assert_eq!(rows, (0..5).flat_map(starts).collect::<Vec<_>>());
    }
}

#[tokio::test(start_paused = true)]
async fn a_savepoint_survives_a_new_build_of_the_job() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("before-the-change");
    let sink = MemorySink::default();
    let before = stopped(Build::Both, &sink).await;
    before.write(&file).unwrap();
    let savepoint = Checkpoint::read(&file).unwrap();

    let (changed, gate) = job(Build::Long, &sink);
    gate.open();
    let settings = |drop_state: &[&str]| Settings {
        resume: Some(savepoint.clone()),
        drop_state: drop_state.iter().map(|name| (*name).into()).collect(),
        ..parallel(4)
    };
    let refused = run(&changed, settings(&[])).await;
    assert!(
        matches!(&refused, Err(Error::StateOfNobody(_))),
        "{refused:?}"
    );
    let gone = ["short", "rows of short"];
    run(&changed, settings(&gone)).await.unwrap();
    let rows = sink.committed();
    let mut long: Vec<_> = rows.iter().filter(|(_, _, count)| *count > 20).collect();
    long.sort_unstable();
    let wanted: Vec<Counted> = (0..5).map(|key| (key, 0, 200)).collect();
    assert_eq!(long, wanted.iter().collect::<Vec<_>>());
}

#[tokio::test(start_paused = true)]
async fn state_of_another_type_is_refused() {
    let sink = MemorySink::default();
    let checkpoint = stopped(Build::Short, &sink).await;
    let mut checkpoint = (*checkpoint).clone();
    let state = checkpoint.operators.get_mut(&"short".into()).unwrap();
    for bytes in state.groups.values_mut() {
        bytes.push(0);
    }
    let (job, gate) = job(Build::Short, &sink);
    gate.open();
    let settings = Settings {
        resume: Some(checkpoint),
        ..parallel(1)
    };
    assert!(matches!(run(&job, settings).await, Err(Error::State(..))));
}

#[tokio::test(start_paused = true)]
async fn a_directory_keeps_the_newest_two_and_goes_on_counting() {
    let folder = tempfile::tempdir().unwrap();
    let dir = CheckpointDir::open(folder.path().join("checkpoints")).unwrap();
    assert!(dir.newest().unwrap().is_none());
    for run in 1..=2u64 {
        let sink = MemorySink::default();
        let (job, gate) = job(Build::Short, &sink);
        let (handle, requests) = Handle::new();
        let settings = Settings {
            store: Some(dir.clone()),
            ..parallel(1)
        };
        let running = tokio::spawn(async move { job.run(settings, requests).await });
        for _ in 0..3 {
            handle.checkpoint().await.unwrap();
        }
        gate.open();
        running.await.unwrap().unwrap();
        assert_eq!(dir.newest().unwrap().unwrap().id, run * 4);
        assert_eq!(
            files(&folder),
            [
                format!("checkpoint-{}", run * 4 - 1),
                format!("checkpoint-{}", run * 4)
            ]
            .into()
        );
    }
}

#[test]
fn a_directory_belongs_to_one_job() {
    let folder = tempfile::tempdir().unwrap();
    let dir = CheckpointDir::open(folder.path()).unwrap();
    let second = CheckpointDir::open(folder.path());
    assert!(matches!(second, Err(Error::Store(_, error)) if error.kind() == ErrorKind::WouldBlock));
    drop(dir);
    assert!(CheckpointDir::open(folder.path()).is_ok());
}

fn files(folder: &tempfile::TempDir) -> BTreeSet<String> {
    let entries = fs::read_dir(folder.path().join("checkpoints")).unwrap();
    let entries = entries.filter(|entry| entry.as_ref().unwrap().file_name() != "lock");
    let name = |entry: Result<fs::DirEntry, _>| entry.unwrap().file_name().into_string().unwrap();
    entries.map(name).collect()
}

#[tokio::test(start_paused = true)]
async fn a_file_that_is_cut_or_changed_is_no_checkpoint() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("savepoint");
    let checkpoint = stopped(Build::Short, &MemorySink::default()).await;
    checkpoint.write(&file).unwrap();
    let whole = fs::read(&file).unwrap();
    assert!(Checkpoint::read(&file).is_ok());
    for cut in 0..whole.len() {
        fs::write(&file, &whole[..cut]).unwrap();
        assert!(matches!(Checkpoint::read(&file), Err(Error::Damaged(_))));
    }
    for place in 0..whole.len() {
        let mut changed = whole.clone();
        changed[place] ^= 0x10;
        fs::write(&file, changed).unwrap();
        assert!(matches!(Checkpoint::read(&file), Err(Error::Damaged(_))));
    }
}

#[tokio::test(start_paused = true)]
async fn checkpoints_come_by_themselves() {
    let folder = tempfile::tempdir().unwrap();
    let dir = CheckpointDir::open(folder.path()).unwrap();
    let (job, _gate) = job(Build::Short, &MemorySink::default());
    let (completed, mut told) = tokio::sync::mpsc::unbounded_channel();
    let settings = Settings {
        store: Some(dir.clone()),
        interval: Some(ms(1_000)),
        completed: Some(completed),
        ..parallel(2)
    };
    let clock = settings.clock;
    let began = clock.now();
    let (_handle, requests) = Handle::new();
    let running = tokio::spawn(async move { job.run(settings, requests).await });
    clock.sleep_until(clock.now().plus(ms(10_500))).await;
    let taken = dir.newest().unwrap().unwrap().id;
    assert!((5..=10).contains(&taken), "{taken} in ten seconds");
    running.abort();
    // Each was told of, and began an interval behind the end of the one before.
    let mut ended = began;
    for id in 1..=taken {
        let one = told.try_recv().unwrap();
        assert_eq!(one.id, id);
        assert!(one.began.since(ended) >= ms(1_000), "{one:?}");
        ended = one.began.plus(one.took);
    }
    assert!(told.try_recv().is_err());
}

#[tokio::test(start_paused = true)]
async fn a_counter_knows_the_lowest_watermark() {
    let counter = Counter::default();
    let parts: Vec<Vec<i64>> = vec![vec![5, 500], vec![6, 90, 400]];
    let (gate, source) = gated(&Arc::new(parts));
    let job = Job::new("times");
    job.source("times", source)
        .event_time("time", ORDER, |time| Timestamp(*time))
        .counted("passed", counter.clone())
        .discard("done");
    let before = counter.watermark();
    until((job, gate), &[2, 2], parallel(2)).await;
    let passed = (before, counter.watermark(), counter.total());
    assert_eq!(passed, (None, Some(Timestamp(90)), 4));
}

#[tokio::test(start_paused = true)]
async fn a_directory_that_is_gone_fails_the_job() {
    let folder = tempfile::tempdir().unwrap();
    let dir = CheckpointDir::open(folder.path().join("checkpoints")).unwrap();
    let (job, gate) = job(Build::Short, &MemorySink::default());
    let (_handle, requests) = Handle::new();
    let settings = Settings {
        store: Some(dir),
        ..parallel(1)
    };
    let running = tokio::spawn(async move { job.run(settings, requests).await });
    tokio::task::yield_now().await;
    fs::remove_dir_all(folder.path().join("checkpoints")).unwrap();
    gate.open();
    assert!(matches!(running.await.unwrap(), Err(Error::Store(..))));
}

/// Times in partitions, counted in windows of 100 ms that wait 10 ms. Returns the starts of the
/// rows and the late times.
fn times(partitions: &[&[i64]], sinks: &(MemorySink<i64>, MemorySink<i64>)) -> (Job, Gate) {
    let partitions = partitions.iter().map(|times| times.to_vec()).collect();
    let (gate, source) = gated(&Arc::new(partitions));
    let order = OutOfOrder {
        bound: ms(10),
        idle_after: None,
        step: None,
    };
    let job = Job::new("times");
    let (rows, late) = job
        .source("times", source)
        .event_time("time", order, |time| Timestamp(*time))
        .key_by(|_| 0)
        .window(Windows::tumbling(ms(100)))
        .aggregate("count", Count);
    rows.map("start", |row| row.window.start.0)
        .sink("rows", sinks.0.clone());
    late.sink("late", sinks.1.clone());
    (job, gate)
}

/// Runs a job until it has read what `allowed` says of each partition, and stops it.
async fn until((job, gate): (Job, Gate), allowed: &[usize], settings: Settings) -> Arc<Checkpoint> {
    for (partition, count) in allowed.iter().enumerate() {
        gate.allow(partition, *count);
    }
    let clock = settings.clock;
    let (handle, requests) = Handle::new();
    let running = tokio::spawn(async move { job.run(settings, requests).await });
    // Time passes by itself when nothing else can happen.
    clock.sleep_until(clock.now().plus(ms(50))).await;
    handle.stop();
    running.await.unwrap().unwrap().checkpoint.unwrap()
}

#[tokio::test(start_paused = true)]
async fn what_was_late_before_a_restart_is_late_behind_it() {
    let sinks = (MemorySink::default(), MemorySink::default());
    let parts: [&[i64]; 1] = [&[5, 150, 7, 300]];
    let checkpoint = until(times(&parts, &sinks), &[2], parallel(1)).await;
    assert_eq!(sinks.0.committed(), [0]);
    let settings = Settings {
        resume: Some((*checkpoint).clone()),
        ..parallel(1)
    };
    until(times(&parts, &sinks), &[4], settings).await;
    assert_eq!(sinks.0.committed(), [0, 100]);
    assert_eq!(sinks.1.committed(), [7]);
}

#[tokio::test(start_paused = true)]
async fn a_partition_that_is_ahead_at_a_restart_does_not_hold_the_other() {
    let sinks = (MemorySink::default(), MemorySink::default());
    let parts: [&[i64]; 2] = [&[5, 500, 1000], &[6, 90, 400, 1000]];
    let checkpoint = until(times(&parts, &sinks), &[2, 2], parallel(2)).await;
    assert_eq!(sinks.0.committed(), Vec::<i64>::new());
    let settings = Settings {
        resume: Some((*checkpoint).clone()),
        ..parallel(1)
    };
    until(times(&parts, &sinks), &[2, 3], settings).await;
    assert_eq!(sinks.0.committed(), [0]);
}

/// Whatever the number of subtasks is before and after.
#[tokio::test(start_paused = true)]
async fn what_is_counted_is_in_the_checkpoint() {
    let hits: Vec<u64> = (0..1000).collect();
    for (before, after) in [(1, 1), (1, 3), (3, 1), (2, 4)] {
        let counter = Counter::default();
        let job = || {
            let (gate, source) = gated(&Arc::new(vec![hits.clone(), hits.clone()]));
            let job = Job::new("numbers");
            let even = job
                .source("hits", source)
                .rebalance()
                .filter("even", |number| number % 2 == 0);
            even.counted("counted", counter.clone()).discard("done");
            (job, gate)
        };
        let checkpoint = until(job(), &[500, 100], parallel(before)).await;
        assert_eq!(counter.total(), 300);
        let (job, gate) = job();
        gate.open();
        let settings = Settings {
            resume: Some((*checkpoint).clone()),
            ..parallel(after)
        };
        run(&job, settings).await.unwrap();
        assert_eq!(counter.total(), 1000, "{before} subtasks, then {after}");
    }
}
