//! A job whose transaction the queue has aborted, because it was open for too long.

use std::fs;
use std::path::PathBuf;
use std::sync::mpsc::Sender;
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

/// About every fourth job has begun its next transaction when it commits.
const TRIES_MAX: usize = 60;
/// EndTxn.
const COMMIT: Call = Call::Key(26);

/// A job that follows a log, and has written rows which the queue has aborted.
struct Scene {
    mqd: Mqd,
    _folder: TempDir,
    file: PathBuf,
    log: Vec<u8>,
    job: Running,
    /// The job hears nothing of it before this is dropped.
    held: Sender<()>,
}

impl Scene {
    async fn begin(call: Call, moment: Moment) -> Scene {
        let relay = Relay::listen();
        let mqd = mqd()
            .set("advertised.listeners", &relay.address().to_string())
            .set("transaction.state.log.num.partitions", "3")
            .start()
            .unwrap();
        relay.point_to(mqd.address());
        relay.stop_at(Stop { call, moment });
        let folder = tempfile::tempdir().unwrap();
        let (file, log) = (folder.path().join("log"), made_log(900));
        fs::write(&file, &log).unwrap();
        let source = Source::Follow(file.clone());
        let job = start(Settings {
            parallelism: 1,
            transaction_timeout: Duration::from_secs(1),
            ..settings(&relay.address().to_string(), source, folder.path())
        });
        let held = relay.stopped().expect("rows are written");
        let client = connect(&mqd).await;
        let rows = TopicPartition {
            topic: TopicName::new("rows").unwrap(),
            partition: PartitionIndex(0),
        };
        // The first rows are those of the first transaction. The other one is aborted, too.
        let offset = |of| client.list_offset(&rows, of);
        loop {
            let stable = offset(OffsetSpec::LastStable).await.unwrap();
            let end = offset(OffsetSpec::Latest).await.unwrap();
            if stable > Some(Offset::ZERO) && stable == end {
                break;
            }
            thread::yield_now();
        }
        Scene {
            mqd,
            _folder: folder,
            file,
            log,
            job,
            held,
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

#[tokio::test]
async fn a_job_whose_transaction_was_open_for_too_long_goes_on_from_its_checkpoint() {
    let scene = Scene::begin(Call::Rows, Moment::After).await;
    assert!(scene.compare().await > 0);
}

/// The rows of the next transaction may be acknowledged when the job waits for the commit, so
/// that its writer hears of no error when they are aborted.
#[tokio::test]
async fn no_checkpoint_names_a_transaction_that_was_open_for_too_long() {
    for _ in 0..TRIES_MAX {
        let scene = Scene::begin(COMMIT, Moment::After).await;
        if scene.compare().await > 0 {
            return;
        }
    }
    panic!("no job had a next transaction");
}

/// A checkpoint has them, so they will not be written again.
#[tokio::test]
async fn a_job_whose_prepared_transaction_was_open_for_too_long_ends() {
    let scene = Scene::begin(COMMIT, Moment::Before).await;
    drop(scene.held);
    let lost = scene.job.outcome().unwrap_err();
    assert!(matches!(lost, Error::Lost(_)), "{lost}");
}
