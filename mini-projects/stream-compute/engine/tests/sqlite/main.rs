//! Each row is in the database once, wherever the process dies.
//!
//! A program of its own, because it starts processes: between its fork and its exec a process has
//! the locks of all directories that other tests have open.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

#[path = "../it/gated.rs"]
mod gated;

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use async_model::Clock;
use rusqlite::Connection;
use stream_engine::{
    Cause, CheckpointDir, Handle, Job, Record, Settings, Sink, SqliteSink, Subtask, Writer,
};

use gated::{Gate, gated};

const TABLE: &str = "CREATE TABLE IF NOT EXISTS numbers (number INTEGER NOT NULL)";
const INSERT: &str = "INSERT INTO numbers (number) VALUES (?1)";
/// The environment of a process that this test starts.
const FOLDER: &str = "STREAM_ENGINE_TEST_FOLDER";
const DIES_AT: &str = "STREAM_ENGINE_TEST_DIES_AT";
/// How many numbers a job writes.
const NUMBERS: i64 = 60;

/// All numbers in the table, in order.
fn numbers(file: &Path) -> Vec<i64> {
    let database = Connection::open(file).unwrap();
    let mut rows = database
        .prepare("SELECT number FROM numbers ORDER BY number")
        .unwrap();
    let numbers = rows.query_map((), |row| row.get(0)).unwrap();
    numbers.map(Result::unwrap).collect()
}

/// The places in its life at which a process may die.
static PASSED: AtomicU64 = AtomicU64::new(0);

/// One of them.
fn place() {
    let passed = PASSED.fetch_add(1, Ordering::Relaxed) + 1;
    let dies_at = std::env::var(DIES_AT).ok();
    if dies_at.is_some_and(|at| at.parse() == Ok(passed)) {
        // As SIGKILL does, this leaves no time for anything.
        std::process::abort();
    }
}

/// A sink around which there are such places.
struct Mortal<S>(S);

impl<S: Sink> Sink for Mortal<S> {
    type Item = S::Item;
    type Writer = Mortal<S::Writer>;

    fn open(&self, subtask: Subtask) -> Result<Mortal<S::Writer>, Cause> {
        Ok(Mortal(self.0.open(subtask)?))
    }
}

impl<W: Writer> Writer for Mortal<W> {
    type Item = W::Item;
    type Prepared = W::Prepared;

    async fn write(&mut self, records: &mut Vec<Record<W::Item>>) -> Result<(), Cause> {
        place();
        self.0.write(records).await
    }

    async fn prepare(&mut self, checkpoint: u64) -> Result<W::Prepared, Cause> {
        place();
        let prepared = self.0.prepare(checkpoint).await;
        place();
        prepared
    }

    async fn commit(&mut self, prepared: W::Prepared) -> Result<(), Cause> {
        place();
        self.0.commit(prepared).await?;
        place();
        Ok(())
    }
}

fn job(file: PathBuf) -> (Job, Gate) {
    let all = (0..2).map(|part| (0..NUMBERS / 2).map(|n| n * 2 + part).collect());
    let (gate, source) = gated(&Arc::new(all.collect()));
    let sink = SqliteSink::new(file, TABLE, INSERT, |number: &i64| {
        place();
        (*number,)
    });
    let job = Job::new("numbers");
    job.source("numbers", source).sink("rows", Mortal(sink));
    (job, gate)
}

/// Goes on with a job from its newest checkpoint to its end, with a checkpoint every few records.
async fn live(folder: &Path) {
    let dir = CheckpointDir::open(folder.join("checkpoints")).unwrap();
    let (job, gate) = job(folder.join("rows.db"));
    let settings = Settings {
        resume: dir.newest().unwrap(),
        store: Some(dir),
        parallelism: 2,
        ..Settings::new(Clock::start())
    };
    let (handle, requests) = Handle::new();
    let running = tokio::spawn(async move { job.run(settings, requests).await });
    for allowed in [7, 15, 22] {
        gate.allow(0, allowed);
        gate.allow(1, allowed + 2);
        for _ in 0..100 {
            tokio::task::yield_now().await;
        }
        handle.checkpoint().await.unwrap();
    }
    gate.open();
    running.await.unwrap().unwrap();
}

/// The life of a process: in a folder that the test below says, or in its own.
#[tokio::test(start_paused = true)]
async fn a_life_writes_each_row_once() {
    let own = tempfile::tempdir().unwrap();
    let folder = std::env::var_os(FOLDER).map_or(own.path().to_owned(), PathBuf::from);
    live(&folder).await;
    assert_eq!(
        numbers(&folder.join("rows.db")),
        (0..NUMBERS).collect::<Vec<_>>()
    );
    println!("places: {}", PASSED.load(Ordering::Relaxed));
}

/// The checkpoints of two jobs have the same numbers.
#[tokio::test(start_paused = true)]
async fn a_job_that_begins_anew_writes_its_rows_too() {
    let folder = tempfile::tempdir().unwrap();
    live(folder.path()).await;
    std::fs::remove_dir_all(folder.path().join("checkpoints")).unwrap();
    live(folder.path()).await;
    let twice = (0..NUMBERS).flat_map(|number| [number, number]);
    assert_eq!(
        numbers(&folder.path().join("rows.db")),
        twice.collect::<Vec<_>>()
    );
}

/// Another process with the test of a life.
fn process(folder: &Path, dies_at: u64) -> Output {
    Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "a_life_writes_each_row_once", "--nocapture"])
        .env(FOLDER, folder)
        .env(DIES_AT, dies_at.to_string())
        .output()
        .unwrap()
}

#[test]
fn each_row_is_once_wherever_the_process_dies() {
    let folder = tempfile::tempdir().unwrap();
    let whole = process(folder.path(), 0);
    let text = String::from_utf8(whole.stdout).unwrap();
    let places = text.lines().find_map(|line| line.strip_prefix("places: "));
    let places: u64 = places.unwrap().parse().unwrap();
    assert!(places > 80, "{places}");
    let mut torn = BTreeSet::new();
    for dies_at in 1..=places {
        let folder = tempfile::tempdir().unwrap();
        let first = process(folder.path(), dies_at);
        assert!(!first.status.success(), "at {dies_at}");
        let file = folder.path().join("rows.db");
        torn.insert(numbers(&file).len());
        let second = process(folder.path(), 0);
        let error = String::from_utf8_lossy(&second.stderr);
        assert!(second.status.success(), "at {dies_at}: {error}");
        assert_eq!(numbers(&file), (0..NUMBERS).collect::<Vec<_>>());
    }
    assert!(torn.len() > 3, "{torn:?}");
}
