//! A job that is killed at its calls, and whose broker is.

use std::process::{Child, Command, Stdio};
use std::{env, fs};

use message_model::TopicName;
use mqd_guard::{Mqd, Port};
use stream_compute::{Report, RowsShown, Source};
use tempfile::TempDir;
use tokio::sync::watch;

use super::relay::{Call, Moment, Relay, Stop};
use super::{append, expected_rows, made_log, settings};
use crate::exactly_once::{committed, connect};
use crate::support::mqd;

/// Where the job finds the broker and its log, and where it writes what came of it. Without
/// the last one it follows the log, and does not end.
const BROKER: &str = "MQD_TEST_BROKER";
const LOG: &str = "MQD_TEST_LOG";
const SUMMARY: &str = "MQD_TEST_SUMMARY";
/// The path of the job below, among the tests of this binary.
const JOB: &str = "ip_count::killed::job";
/// How many lines the log grows by between two kills. Windows close with each of these parts.
const PART: usize = 300;

/// The calls of a job that begins: Fetch, ListOffsets, Metadata, OffsetFetch, FindCoordinator,
/// CreateTopics, InitProducerId.
const BEGINNING: [Call; 7] = [
    Call::Key(1),
    Call::Key(2),
    Call::Key(3),
    Call::Key(9),
    Call::Key(10),
    Call::Key(19),
    Call::Key(22),
];
/// The calls of a job that counts: those of the feeder, and those of a transaction in their
/// order, with AddPartitionsToTxn, AddOffsetsToTxn, TxnOffsetCommit and EndTxn.
const COUNTING: [Call; 7] = [
    Call::Lines,
    Call::Key(1),
    Call::Key(24),
    Call::Rows,
    Call::Key(25),
    Call::Key(28),
    Call::Key(26),
];

/// A process that counts.
#[test]
#[ignore = "the process that the tests below kill"]
fn job() {
    let (broker, log) = (env::var(BROKER).unwrap(), env::var(LOG).unwrap());
    let summary_file = env::var(SUMMARY).ok();
    let source = match summary_file {
        Some(_) => Source::File(log.into()),
        None => Source::Follow(log.into()),
    };
    let report = Report::new(Box::new(std::io::stdout()), None, RowsShown::AtMost(0));
    let runtime = tokio::runtime::Builder::new_current_thread();
    let runtime = { runtime }.enable_all().build().unwrap();
    let (_stop, stopped) = watch::channel(false);
    let running = stream_compute::run(settings(&broker, source), &report, stopped);
    let summary = runtime.block_on(running).unwrap();
    fs::write(summary_file.unwrap(), summary.to_string()).unwrap();
}

/// A job, its broker, and the relay between them. The job ends with the test.
struct Scene {
    relay: Relay,
    mqd: Mqd,
    job: Child,
    folder: TempDir,
}

impl Drop for Scene {
    fn drop(&mut self) {
        drop(self.job.kill());
        drop(self.job.wait());
    }
}

impl Scene {
    fn begin(first: Stop) -> Scene {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("log"), "").unwrap();
        let relay = Relay::listen();
        let mqd = mqd()
            .stable_port()
            .set("advertised.listeners", &relay.address().to_string())
            .set("transaction.state.log.num.partitions", "3")
            .set("offsets.topic.num.partitions", "3")
            .start()
            .unwrap();
        relay.point_to(mqd.address());
        relay.stop_at(first);
        let job = spawn(&relay, &folder, false);
        Scene {
            relay,
            mqd,
            job,
            folder,
        }
    }

    fn grow(&self, lines: &[&[u8]]) {
        append(&self.folder.path().join("log"), &lines.concat());
    }

    /// What the jobs have said.
    fn said(&self) -> String {
        fs::read_to_string(self.folder.path().join("said")).unwrap()
    }

    /// Kills at the request at which the relay stops, and begins again what was killed.
    fn kill(&mut self, victims: Victims, next: Option<Stop>) {
        let Some(_held) = self.relay.stopped() else {
            panic!("no such request: {}", self.said());
        };
        if victims != Victims::Mqd {
            self.job.kill().unwrap();
            self.job.wait().unwrap();
        }
        if victims != Victims::Job {
            self.mqd.kill_9().unwrap();
            self.mqd.restart(Port::Same).unwrap();
        }
        if let Some(next) = next {
            self.relay.stop_at(next);
        }
        if victims != Victims::Mqd {
            self.job = spawn(&self.relay, &self.folder, next.is_none());
        }
    }
}

fn spawn(relay: &Relay, folder: &TempDir, to_the_end: bool) -> Child {
    let mut command = Command::new(env::current_exe().unwrap());
    command.args([JOB, "--exact", "--ignored", "--nocapture"]);
    command
        .env(BROKER, relay.address().to_string())
        .env(LOG, folder.path().join("log"));
    if to_the_end {
        command.env(SUMMARY, folder.path().join("summary"));
    }
    let mut said = fs::File::options();
    let said = said.create(true).append(true);
    let said = said.open(folder.path().join("said")).unwrap();
    command.stdout(said.try_clone().unwrap()).stderr(said);
    command.stdin(Stdio::null()).spawn().unwrap()
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Victims {
    Job,
    Mqd,
    Both,
}

/// Counts a log that grows between these kills, and compares what is committed.
async fn killed_at(kills: &[(Stop, Victims)]) {
    let log = made_log(u32::try_from((kills.len() + 1) * PART).unwrap());
    let lines: Vec<&[u8]> = log.split_inclusive(|byte| *byte == b'\n').collect();
    let mut parts = lines.chunks(PART);
    let mut scene = Scene::begin(kills[0].0);
    let nexts = kills.iter().skip(1).map(|(stop, _)| Some(*stop));
    for ((stop, victims), next) in kills.iter().zip(nexts.chain([None])) {
        println!("{stop:?}: {victims:?}");
        scene.grow(parts.next().unwrap());
        if next.is_none() {
            // The last one reads to the end.
            scene.grow(parts.next().unwrap());
        }
        scene.kill(*victims, next);
    }
    let ended = scene.job.wait().unwrap();
    assert!(ended.success(), "{}", scene.said());
    let summary = fs::read_to_string(scene.folder.path().join("summary")).unwrap();
    println!("{} kills: {summary}", kills.len());
    let expected = expected_rows(&log);
    let (rows, count) = (expected.len(), lines.len());
    let bad = lines
        .iter()
        .filter(|line| line.starts_with(b"a bad"))
        .count();
    let right = format!(
        "verdict: OK, all {rows} committed rows equal the batch recount of {count} lines; \
         side output: {bad}; "
    );
    assert!(summary.starts_with(&right), "{summary}, and not {right}");
    let client = connect(&scene.mqd).await;
    let committed = committed(&client, &TopicName::new("rows").unwrap(), 0).await;
    let first = committed.iter().zip(&expected).position(|(a, b)| a != b);
    assert!(
        committed == expected,
        "first at {first:?}, of {}",
        committed.len()
    );
}

/// Also between any two steps of a transaction, and of a beginning.
#[tokio::test]
async fn a_job_that_is_killed_at_any_of_its_calls_is_resumed() {
    let calls = COUNTING.iter().chain(&BEGINNING);
    let kills = calls.flat_map(|call| {
        let moments = [Moment::Before, Moment::During, Moment::After];
        moments.map(|moment| {
            (
                Stop {
                    call: *call,
                    moment,
                },
                Victims::Job,
            )
        })
    });
    killed_at(&kills.collect::<Vec<_>>()).await;
}

/// So many kills that follow from a seed.
fn random_kills(count: usize, seed: u64) -> Vec<(Stop, Victims)> {
    println!("the seed of the kills: {seed}");
    let mut random = fastrand::Rng::with_seed(seed);
    let mut kills: Vec<(Stop, Victims)> = Vec::new();
    while kills.len() < count {
        // A job that goes on does not begin.
        let begins = kills.last().is_none_or(|(_, last)| *last != Victims::Mqd);
        let choice = random.usize(0..COUNTING.len() + BEGINNING.len());
        let call = match choice.checked_sub(COUNTING.len()) {
            None => COUNTING[choice],
            Some(choice) if begins => BEGINNING[choice],
            Some(_) => continue,
        };
        let moments = [Moment::Before, Moment::During, Moment::After];
        let moment = moments[random.usize(0..3)];
        let is_last = kills.len() + 1 == count;
        let victims = match random.u8(0..3) {
            // The last job reads to the end, so it has to begin.
            0 if !is_last => Victims::Mqd,
            1 => Victims::Job,
            _ => Victims::Both,
        };
        kills.push((Stop { call, moment }, victims));
    }
    kills
}

#[tokio::test]
async fn whatever_is_killed_each_row_is_committed_once() {
    killed_at(&random_kills(20, fastrand::u64(..))).await;
}

/// `cargo test --release -p mqd --test it -- --ignored five_hundred_kills`
#[tokio::test]
#[ignore = "takes minutes"]
async fn whatever_is_killed_in_five_hundred_kills_each_row_is_committed_once() {
    for _ in 0..25 {
        killed_at(&random_kills(20, fastrand::u64(..))).await;
    }
}
