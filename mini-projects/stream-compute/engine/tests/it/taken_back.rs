//! A sink has lost what it had prepared for the last checkpoint: the job begins again from the one
//! before.

use std::collections::BTreeSet;
use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard};

use stream_engine::{
    Cause, CheckpointDir, Error, Handle, Job, MemorySink, Record, Restart, Restored, Settings,
    Sink, Subtask, Summary, Writer,
};
use tokio::task::JoinHandle;

use crate::gated::{Gate, gated};
use crate::{ms, parallel};

/// A sink whose broker may be away, and has then aborted what was prepared.
#[derive(Clone, Default)]
struct Brokered {
    sink: MemorySink<u32>,
    broker: Arc<Mutex<Broker>>,
}

#[derive(Default)]
struct Broker {
    /// The number of the last transaction.
    last: u64,
    committed: BTreeSet<u64>,
    /// All up to this one that are not committed never will be.
    aborted: u64,
    /// How often it has still to be away when something is to be committed.
    outages: u32,
}

impl Brokered {
    fn broker(&self) -> MutexGuard<'_, Broker> {
        self.broker.lock().unwrap()
    }

    fn committed(&self) -> Vec<u32> {
        let mut committed = self.sink.committed();
        committed.sort_unstable();
        committed
    }
}

struct BrokeredWriter {
    writer: <MemorySink<u32> as Sink>::Writer,
    sink: Brokered,
}

impl Sink for Brokered {
    type Item = u32;
    type Writer = BrokeredWriter;

    fn open(&self, subtask: Subtask) -> Result<BrokeredWriter, Cause> {
        Ok(BrokeredWriter {
            writer: self.sink.open(subtask)?,
            sink: self.clone(),
        })
    }
}

impl Writer for BrokeredWriter {
    type Item = u32;
    type Prepared = u64;

    async fn write(&mut self, records: &mut Vec<Record<u32>>) -> Result<(), Cause> {
        self.writer.write(records).await
    }

    async fn prepare(&mut self, checkpoint: u64) -> Result<u64, Cause> {
        let transaction = self.writer.prepare(checkpoint).await?;
        self.sink.broker().last = transaction;
        Ok(transaction)
    }

    async fn commit(&mut self, transaction: u64) -> Result<(), Cause> {
        {
            let mut broker = self.sink.broker();
            if broker.outages > 0 {
                broker.outages -= 1;
                broker.aborted = broker.last;
                return Err("it was away for too long".into());
            }
            let is_new = broker.committed.insert(transaction);
            assert!(!is_new || transaction > broker.aborted, "it is aborted");
        }
        self.writer.commit(transaction).await
    }

    async fn restore(&mut self, prepared: Vec<u64>) -> Result<Restored, Cause> {
        let lost = {
            let broker = self.sink.broker();
            let is_lost = |one: &&u64| **one <= broker.aborted && !broker.committed.contains(*one);
            prepared.iter().filter(is_lost).count()
        };
        if lost == prepared.len() {
            return Ok(Restored::Aborted);
        }
        assert_eq!(lost, 0, "a part is lost");
        for one in prepared {
            self.commit(one).await?;
        }
        Ok(Restored::Committed)
    }
}

/// The numbers up to 100, into the sink.
fn job(sink: &Brokered) -> (Job, Gate) {
    let (gate, source) = gated(&Arc::new(vec![(0..100).collect()]));
    let job = Job::new("numbers");
    job.source("numbers", source).sink("kept", sink.clone());
    (job, gate)
}

struct Begun {
    gate: Gate,
    handle: Handle,
    running: JoinHandle<Result<Summary, Error>>,
}

impl Begun {
    fn new((job, gate): (Job, Gate), settings: Settings) -> Begun {
        let (handle, requests) = Handle::new();
        let running = tokio::spawn(async move { job.run(settings, requests).await });
        Begun {
            gate,
            handle,
            running,
        }
    }

    /// Takes a checkpoint behind so many numbers, and lets the sink do what it does then.
    async fn checkpoint_behind(&self, count: usize) {
        self.gate.allow(0, count);
        // Time passes by itself when nothing else can happen.
        tokio::time::sleep(ms(50)).await;
        self.handle.checkpoint().await.unwrap();
        tokio::time::sleep(ms(50)).await;
    }

    async fn finished(self) -> Result<Summary, Error> {
        self.gate.open();
        self.running.await.unwrap()
    }
}

/// A job that begins where the last one has stored its newest checkpoint.
fn resumed(folder: &Path) -> Settings {
    let dir = CheckpointDir::open(folder).unwrap();
    let newest = dir.newest().unwrap();
    Settings {
        before: newest
            .as_ref()
            .and_then(|newest| dir.before(newest).unwrap()),
        resume: newest,
        store: Some(dir),
        ..parallel(1)
    }
}

/// Begins with checkpoints behind so many numbers. The broker aborts what is prepared for the last.
async fn killed_between_stored_and_committed(sink: &Brokered, folder: &Path, behind: &[usize]) {
    let begun = Begun::new(job(sink), resumed(folder));
    for (place, count) in behind.iter().enumerate() {
        if place + 1 == behind.len() {
            sink.broker().outages = 1;
        }
        begun.checkpoint_behind(*count).await;
    }
    let failed = begun.finished().await;
    assert!(matches!(failed, Err(Error::Sink(..))), "{failed:?}");
}

fn numbers(count: u32) -> Vec<u32> {
    (0..count).collect()
}

/// The numbers of the checkpoints in a folder.
fn stored(folder: &Path) -> BTreeSet<String> {
    let entries = std::fs::read_dir(folder).unwrap();
    let names = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap());
    names
        .filter_map(|name| Some(name.strip_prefix("checkpoint-")?.to_owned()))
        .collect()
}

#[tokio::test(start_paused = true)]
async fn a_job_that_begins_goes_back_once_and_for_all() {
    let folder = tempfile::tempdir().unwrap();
    let (sink, folder) = (Brokered::default(), folder.path());
    killed_between_stored_and_committed(&sink, folder, &[10, 20, 30]).await;
    assert_eq!(sink.committed(), numbers(20));
    // It is killed before it has read anything.
    let begun = Begun::new(job(&sink), resumed(folder));
    tokio::time::sleep(ms(50)).await;
    begun.running.abort();
    assert!(begun.running.await.unwrap_err().is_cancelled());
    assert_eq!(stored(folder), ["3", "4"].map(str::to_owned).into());
    let newest = resumed(folder).resume.unwrap();
    let position: Vec<(u32, usize)> = newest.items(&"numbers".into()).unwrap();
    assert_eq!(position, [(0, 20)]);
    // It is committed, so the sink may use its number again.
    assert!(newest.items::<u64>(&"kept".into()).unwrap().is_empty());
    let summary = Begun::new(job(&sink), resumed(folder)).finished().await;
    assert_eq!(summary.unwrap().restarts, 0);
    assert_eq!(sink.committed(), numbers(100));
    assert_eq!(sink.sink.written().len(), 110, "ten were written twice");
}

#[tokio::test(start_paused = true)]
async fn a_job_goes_back_to_its_start() {
    let folder = tempfile::tempdir().unwrap();
    let (sink, folder) = (Brokered::default(), folder.path());
    // The second time the start is that which was stored as the second checkpoint.
    for behind in [30, 40] {
        killed_between_stored_and_committed(&sink, folder, &[behind]).await;
        assert_eq!(sink.committed(), numbers(0));
    }
    let summary = Begun::new(job(&sink), resumed(folder)).finished().await;
    assert_eq!(summary.unwrap().restarts, 1);
    assert_eq!(sink.committed(), numbers(100));
}

#[tokio::test(start_paused = true)]
async fn a_job_that_runs_goes_back_each_time() {
    let sink = Brokered::default();
    let settings = Settings {
        restart: Restart {
            attempts: 2,
            backoff: ms(1),
            backoff_max: ms(1),
        },
        ..parallel(1)
    };
    let begun = Begun::new(job(&sink), settings);
    begun.checkpoint_behind(10).await;
    sink.broker().outages = 1;
    begun.checkpoint_behind(20).await;
    sink.broker().outages = 1;
    begun.checkpoint_behind(30).await;
    assert_eq!(sink.committed(), numbers(10));
    begun.checkpoint_behind(40).await;
    assert_eq!(sink.committed(), numbers(40));
    // Each time it has failed, and has begun again twice.
    assert_eq!(begun.finished().await.unwrap().restarts, 4);
    assert_eq!(sink.committed(), numbers(100));
}

#[tokio::test(start_paused = true)]
async fn a_checkpoint_that_the_job_goes_back_from_gives_no_attempt_back() {
    let sink = Brokered::default();
    sink.broker().outages = u32::MAX;
    let settings = Settings {
        interval: Some(ms(10)),
        restart: Restart {
            attempts: 3,
            backoff: ms(1),
            backoff_max: ms(1),
        },
        ..parallel(1)
    };
    let begun = Begun::new(job(&sink), settings);
    begun.gate.allow(0, 10);
    let ended = tokio::time::timeout(ms(10_000), begun.running);
    let failed = ended.await.expect("it gives up").unwrap();
    assert!(matches!(failed, Err(Error::Sink(..))), "{failed:?}");
    assert_eq!(u32::MAX - sink.broker().outages, 1 + 3);
}

#[tokio::test(start_paused = true)]
async fn without_the_checkpoint_before_the_job_ends() {
    let folder = tempfile::tempdir().unwrap();
    let (sink, folder) = (Brokered::default(), folder.path());
    killed_between_stored_and_committed(&sink, folder, &[10, 20]).await;
    std::fs::remove_file(folder.join("checkpoint-1")).unwrap();
    for _ in 0..2 {
        let ended = Begun::new(job(&sink), resumed(folder)).finished().await;
        assert!(matches!(ended, Err(Error::Aborted(_))), "{ended:?}");
    }
    assert_eq!(sink.committed(), numbers(10));
}

/// Behind the checkpoint before, the other sink would get its records twice.
#[tokio::test(start_paused = true)]
async fn what_another_sink_has_committed_is_not_written_again() {
    let folder = tempfile::tempdir().unwrap();
    let (sink, other) = (Brokered::default(), MemorySink::default());
    let job = || {
        let (gate, source) = gated(&Arc::new(vec![(0..100).collect()]));
        let job = Job::new("numbers");
        let (one, two) = job.source("numbers", source).fork();
        one.sink("kept", sink.clone());
        two.sink("other", other.clone());
        (job, gate)
    };
    let begun = Begun::new(job(), resumed(folder.path()));
    begun.checkpoint_behind(10).await;
    sink.broker().outages = 1;
    begun.checkpoint_behind(20).await;
    assert!(begun.finished().await.is_err());
    let ended = Begun::new(job(), resumed(folder.path()));
    let ended = ended.finished().await;
    assert!(matches!(ended, Err(Error::Aborted(_))), "{ended:?}");
    assert_eq!(other.committed(), numbers(20));
    assert_eq!(sink.committed(), numbers(10));
}
