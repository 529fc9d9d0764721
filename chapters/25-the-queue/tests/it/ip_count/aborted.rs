//! A job whose transaction the queue has aborted, because it was open for too long.

use std::fs;
use std::path::PathBuf;
use std::sync::mpsc::{Sender, TryRecvError};
use std::thread;
use std::time::Duration;

use client::OffsetSpec;
use message_model::{Offset, PartitionIndex, TopicName, TopicPartition};
use mqd_guard::Mqd;
use stream_compute::{Error, Settings, Source, Verdict};
use tempfile::TempDir;

use super::relay::{Call, Moment, Relay, Stop};
use super::{Running, append, expected_rows, made_log, settings, start, wait_until_acknowledged};
use crate::exactly_once::{all_values, committed, connect};
use crate::support::mqd;

/// EndTxn.
const COMMIT: Call = Call::Key(26);

/// A job that follows a log, and has written rows which the queue has aborted.
struct Scene {
    mqd: Mqd,
    _folder: TempDir,
    file: PathBuf,
    log: Vec<u8>,
    job: Running,
    /// The job hears nothing of it before this is dropped, if it would without.
    held: Option<Sender<()>>,
}

impl Scene {
    /// The job is stopped at its `stop`, if there is one. Else only its next checkpoint tells it.
    async fn begin(stop: Option<Stop>, checkpoint_every: Duration) -> Scene {
        let relay = Relay::listen();
        let mqd = mqd()
            .set("advertised.listeners", &relay.address().to_string())
            .set("transaction.state.log.num.partitions", "3")
            .start()
            .unwrap();
        relay.point_to(mqd.address());
        if let Some(stop) = stop {
            relay.stop_at(stop);
        }
        let folder = tempfile::tempdir().unwrap();
        let (file, log) = (folder.path().join("log"), made_log(900));
        fs::write(&file, &log).unwrap();
        let source = Source::Follow(file.clone());
        let job = start(Settings {
            parallelism: 1,
            transaction_timeout: Duration::from_secs(1),
            checkpoint_every,
            ..settings(&relay.address().to_string(), source, folder.path())
        });
        let held = match stop {
            Some(_) => Some(relay.stopped().expect("rows are written")),
            None => {
                wait_until_acknowledged(&job.screen, 900);
                None
            }
        };
        let scene = Scene {
            mqd,
            _folder: folder,
            file,
            log,
            job,
            held,
        };
        scene.until(|stable, end| stable == end).await;
        scene
    }

    /// Waits until this is so of the topic of rows, of which some are stable: of its last stable
    /// offset, and of its end. Returns the end.
    async fn until(&self, is_so: impl Fn(Offset, Offset) -> bool) -> Offset {
        let client = connect(&self.mqd).await;
        let rows = TopicPartition {
            topic: TopicName::new("rows").unwrap(),
            partition: PartitionIndex(0),
        };
        let offset = |of| client.list_offset(&rows, of);
        loop {
            let stable = offset(OffsetSpec::LastStable).await.unwrap();
            let end = offset(OffsetSpec::Latest).await.unwrap();
            if let (Some(stable), Some(end)) = (stable, end)
                && stable > Offset::ZERO
                && is_so(stable, end)
            {
                return end;
            }
            let ended = self.job.ended.try_recv().err();
            assert_eq!(ended, Some(TryRecvError::Empty), "the job has ended");
            thread::yield_now();
        }
    }
}

impl Scene {
    /// Goes on with more lines; compares the rows. Returns how many rows were aborted.
    async fn compare(self) -> usize {
        drop(self.held);
        let more: Vec<u8> = made_log(1_500)[self.log.len()..].to_vec();
        append(&self.file, &more);
        wait_until_acknowledged(&self.job.screen, 1_500);
        self.job.stop.send_replace(true);
        let summary = self.job.outcome().unwrap();
        assert_eq!(summary.verdict, Verdict::Equal, "{summary}");
        let client = connect(&self.mqd).await;
        let topic = TopicName::new("rows").unwrap();
        let mut rows = committed(&client, &topic, 0).await;
        rows.sort();
        assert_eq!(rows, expected_rows(&[self.log, more].concat()));
        all_values(&client, &topic).await.len() - rows.len()
    }
}

/// The job takes a checkpoint so often.
const OFTEN: Duration = Duration::from_millis(50);

fn stop(call: Call, moment: Moment) -> Option<Stop> {
    Some(Stop { call, moment })
}

#[tokio::test]
async fn a_job_whose_transaction_was_open_for_too_long_goes_on_from_its_checkpoint() {
    let scene = Scene::begin(stop(Call::Rows, Moment::After), OFTEN).await;
    assert!(scene.compare().await > 0);
}

/// All rows were acknowledged, and no more come, so the writer hears of no error. The first
/// checkpoint is long behind the time at which the queue aborts them.
#[tokio::test]
async fn no_checkpoint_names_a_transaction_that_was_open_for_too_long() {
    let scene = Scene::begin(None, Duration::from_secs(4)).await;
    let aborted = scene.until(|_, _| true).await;
    // The job has begun again, and writes the rows again.
    scene.until(|_, end| end > aborted).await;
    assert!(scene.compare().await > 0);
}

/// A checkpoint has them, so they will not be written again.
#[tokio::test]
async fn a_job_whose_prepared_transaction_was_open_for_too_long_ends() {
    let scene = Scene::begin(stop(COMMIT, Moment::Before), OFTEN).await;
    drop(scene.held);
    let lost = scene.job.outcome().unwrap_err();
    assert!(matches!(lost, Error::Lost(_)), "{lost}");
}
