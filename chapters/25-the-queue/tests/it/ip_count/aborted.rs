//! A job whose transaction the queue has aborted, because it was open for too long.

use std::fs;
use std::path::PathBuf;
use std::sync::mpsc::{Sender, TryRecvError};
use std::thread;
use std::time::Duration;

use client::{OffsetSpec, Target};
use message_model::{Offset, PartitionIndex, TopicName, TopicPartition};
use mqd_guard::Mqd;
use stream_compute::{Error, Settings, Source, Verdict};
use tempfile::TempDir;
use wire_protocol::ErrorCode;
use wire_protocol::message::{DescribeTransactionsRequest, DescribedTransaction, EndTxnRequest};

use super::relay::{Call, Moment, Relay, Stop};
use super::{Running, append, expected_rows, made_log, settings, start, wait_until_acknowledged};
use crate::exactly_once::{all_values, committed, connect};
use crate::support::mqd;

/// EndTxn.
const COMMIT: Call = Call::Key(26);

/// A job that follows a log, and writes rows which the queue aborts.
struct Scene {
    relay: Relay,
    mqd: Mqd,
    settings: Settings,
    _folder: TempDir,
    file: PathBuf,
    log: Vec<u8>,
    /// `None`: it is killed.
    job: Option<Running>,
    /// The job hears nothing of what the queue does before these are dropped.
    held: Vec<Sender<()>>,
}

/// The job takes a checkpoint so often.
const OFTEN: Duration = Duration::from_millis(50);
/// The queue aborts a transaction that is open for so long; and never while a test runs.
const SOON: Duration = Duration::from_secs(1);
const NEVER: Duration = Duration::from_secs(900);

const AFTER_ROWS: Stop = Stop {
    call: Call::Rows,
    moment: Moment::After,
};
/// A checkpoint with rows is stored, and they are not committed.
const BEFORE_COMMIT: Stop = Stop {
    call: COMMIT,
    moment: Moment::Before,
};

impl Scene {
    /// The job is stopped there, if that is anywhere. Else only its next checkpoint tells it.
    /// It has so many subtasks.
    fn begin(
        stops: &[Stop],
        subtasks: usize,
        (timeout, checkpoint_every): (Duration, Duration),
    ) -> Scene {
        let relay = Relay::listen();
        let mqd = mqd()
            .set("advertised.listeners", &relay.address().to_string())
            .set("transaction.state.log.num.partitions", "3")
            .start()
            .unwrap();
        relay.point_to(mqd.address());
        for stop in stops {
            relay.stop_at(*stop);
        }
        let folder = tempfile::tempdir().unwrap();
        let (file, log) = (folder.path().join("log"), made_log(900));
        fs::write(&file, &log).unwrap();
        let source = Source::Follow(file.clone());
        let settings = Settings {
            parallelism: subtasks,
            transaction_timeout: timeout,
            checkpoint_every,
            ..settings(&relay.address().to_string(), source, folder.path())
        };
        let job = Some(start(settings.clone()));
        let mut scene = Scene {
            relay,
            mqd,
            settings,
            _folder: folder,
            file,
            log,
            job,
            held: Vec::new(),
        };
        if stops.is_empty() {
            wait_until_acknowledged(&scene.job().screen, 900);
        }
        scene.wait_for(stops);
        scene
    }

    /// Waits until the job is stopped at all of them.
    fn wait_for(&mut self, stops: &[Stop]) {
        for stop in stops {
            let held = self.relay.stopped();
            let held = held.unwrap_or_else(|| panic!("{stop:?} does not come"));
            self.held.push(held);
        }
    }

    fn job(&self) -> &Running {
        self.job.as_ref().expect("it is not killed")
    }

    /// What it has asked for and was held does not arrive.
    fn kill(&mut self) {
        self.job.take().expect("it runs").kill();
        self.held.clear();
    }

    /// Starts the job that was killed.
    fn start(&mut self, stops: &[Stop]) {
        for stop in stops {
            self.relay.stop_at(*stop);
        }
        self.job = Some(start(self.settings.clone()));
        self.wait_for(stops);
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
            let ended = self.job.as_ref().map(|job| job.ended.try_recv().err());
            let is_running = ended.is_none_or(|ended| ended == Some(TryRecvError::Empty));
            assert!(is_running, "the job has ended");
            thread::yield_now();
        }
    }

    /// Waits until no transaction is open.
    async fn until_aborted(&self) -> Offset {
        self.until(|stable, end| stable == end).await
    }

    /// The log has so many lines from now on.
    fn grow(&mut self, lines: u32) {
        let all = made_log(lines);
        append(&self.file, &all[self.log.len()..]);
        self.log = all;
    }

    /// Goes on with more lines; compares the rows. Returns how many rows were aborted.
    async fn compare(mut self) -> usize {
        self.held.clear();
        self.grow(1_500);
        wait_until_acknowledged(&self.job().screen, 1_500);
        let job = self.job.take().expect("it runs");
        job.stop.send_replace(true);
        let summary = job.outcome().unwrap();
        assert_eq!(summary.verdict, Verdict::Equal, "{summary}");
        let client = connect(&self.mqd).await;
        let topic = TopicName::new("rows").unwrap();
        let mut rows = committed(&client, &topic, 0).await;
        rows.sort();
        assert_eq!(rows, expected_rows(&self.log));
        all_values(&client, &topic).await.len() - rows.len()
    }

    /// Ends the open transaction of a subtask.
    async fn end(&self, subtask: usize, committed: bool) {
        let client = connect(&self.mqd).await;
        for number in 0..3 {
            let id = format!("ip-count.rows.{subtask}.{number}");
            let target = Target::Transactions(id.as_str().into());
            let ask = DescribeTransactionsRequest {
                transactional_ids: vec![id.clone()],
            };
            let asked = client.call(&target, &ask, client.deadline()).await;
            let last: DescribedTransaction = asked.unwrap().transaction_states.remove(0);
            if last.transaction_state == "Ongoing" {
                let end = EndTxnRequest {
                    transactional_id: id,
                    producer_id: last.producer_id,
                    producer_epoch: last.producer_epoch,
                    committed,
                };
                let ended = client.call(&target, &end, client.deadline()).await;
                assert_eq!(ended.unwrap().error_code, ErrorCode::NONE);
                return;
            }
        }
        panic!("subtask {subtask} has no open transaction");
    }
}

#[tokio::test]
async fn a_job_whose_transaction_was_open_for_too_long_goes_on_from_its_checkpoint() {
    let scene = Scene::begin(&[AFTER_ROWS], 1, (SOON, OFTEN));
    scene.until_aborted().await;
    assert!(scene.compare().await > 0);
}

/// All rows were acknowledged, and no more come, so the writer hears of no error. The first
/// checkpoint is long behind the time at which the queue aborts them.
#[tokio::test]
async fn no_checkpoint_names_a_transaction_that_was_open_for_too_long() {
    let scene = Scene::begin(&[], 1, (SOON, Duration::from_secs(4)));
    let aborted = scene.until_aborted().await;
    // The job has begun again, and writes the rows again.
    scene.until(|_, end| end > aborted).await;
    assert!(scene.compare().await > 0);
}

/// A checkpoint has them, and the one before has no rows.
#[tokio::test]
async fn a_job_whose_prepared_transaction_was_open_for_too_long_goes_back() {
    let scene = Scene::begin(&[BEFORE_COMMIT], 1, (SOON, OFTEN));
    scene.until_aborted().await;
    assert!(scene.compare().await > 0);
}

/// Twice in a row. The second time the checkpoint before is that to which the job has gone back.
#[tokio::test]
async fn a_job_that_is_killed_between_stored_and_committed_goes_back_when_it_begins() {
    let mut scene = Scene::begin(&[BEFORE_COMMIT], 1, (SOON, OFTEN));
    let aborted = scene.until_aborted().await;
    scene.kill();
    scene.start(&[BEFORE_COMMIT]);
    scene
        .until(|stable, end| stable == end && end > aborted)
        .await;
    scene.kill();
    scene.start(&[]);
    assert!(scene.compare().await > 0);
}

/// Its transaction is committed, and its rows are not written again.
#[tokio::test]
async fn the_checkpoint_before_may_have_rows() {
    let mut scene = Scene::begin(&[], 1, (NEVER, OFTEN));
    scene.until(|stable, end| stable == end).await;
    scene.relay.stop_at(BEFORE_COMMIT);
    scene.grow(1_200);
    scene.wait_for(&[BEFORE_COMMIT]);
    scene.end(0, false).await;
    assert!(scene.compare().await > 0);
}

/// Two subtasks have prepared rows. What the job does when one of them has lost its own depends on
/// the other's.
fn killed_with_two_transactions() -> Scene {
    let mut scene = Scene::begin(&[BEFORE_COMMIT, BEFORE_COMMIT], 2, (NEVER, OFTEN));
    scene.kill();
    scene
}

#[tokio::test]
async fn a_job_that_goes_back_commits_nothing_of_the_last_checkpoint() {
    for subtask in [0, 1] {
        let mut scene = killed_with_two_transactions();
        scene.end(subtask, false).await;
        scene.start(&[]);
        assert!(scene.compare().await > 0);
    }
}

/// To go back would write the committed ones a second time.
#[tokio::test]
async fn a_job_that_has_lost_a_part_of_its_rows_ends() {
    let mut scene = killed_with_two_transactions();
    scene.end(0, true).await;
    scene.end(1, false).await;
    scene.start(&[]);
    let job = scene.job.take().expect("it runs");
    let lost = job.outcome().unwrap_err();
    assert!(matches!(lost, Error::Lost(_)), "{lost}");
}
