//! A job that is killed at its calls, and whose broker is.

use std::collections::BTreeSet;
use std::io::{Read, pipe};
use std::path::Path;
use std::process::{Child, Command, ExitStatus};
use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::{env, fs, thread};

use exactly_once_client::TransactionalProducer;
use message_model::TopicName;
use mqd_guard::{Mqd, Port};
use stream_compute::{Report, RowsShown, Settings, Source};
use tempfile::TempDir;
use tokio::sync::watch;

use super::relay::{Call, Moment, Relay, Stop};
use super::{JOB_PATIENCE, append, expected_rows, made_log, settings};
use crate::exactly_once::{all_values, committed, connect};
use crate::support::{PATIENCE, mqd};

/// Where the job finds the broker and the folder with its log and its checkpoints, and how many
/// subtasks it has.
const BROKER: &str = "MQD_TEST_BROKER";
const FOLDER: &str = "MQD_TEST_FOLDER";
const PARALLELISM: &str = "MQD_TEST_PARALLELISM";
/// The file of the folder in which the job writes what came of it, if it is to come to an end.
/// Else it follows the log.
const SUMMARY: &str = "MQD_TEST_SUMMARY";
/// The path of the job below, among the tests of this binary.
const JOB: &str = "ip_count::killed::job";
/// How many lines the log grows by between two kills. Windows close with each of these parts.
const PART: usize = 300;

/// How many subtasks the jobs have, one after the other, and again from the first on.
const PARALLELISMS: &[usize] = &[2, 4, 1, 3];

/// The calls of a job that begins: Fetch, ListOffsets, Metadata, FindCoordinator, CreateTopics,
/// InitProducerId of the feeder and of a transactional id.
const BEGINNING: [Call; 7] = [
    Call::Key(1),
    Call::Key(2),
    Call::Key(3),
    Call::Key(10),
    Call::Key(19),
    Call::Key(22),
    Call::TakeId,
];
/// The calls of a job that counts: those of the feeder, and those of a transaction in their
/// order, with AddPartitionsToTxn and EndTxn. The checkpoint is stored before EndTxn.
const COUNTING: [Call; 5] = [
    Call::Lines,
    Call::Key(1),
    Call::Key(24),
    Call::Rows,
    Call::Key(26),
];

/// A process that counts.
#[test]
#[ignore = "the process that the tests below kill"]
fn job() {
    let (broker, folder) = (env::var(BROKER).unwrap(), env::var(FOLDER).unwrap());
    let folder = Path::new(&folder);
    let to_the_end = env::var(SUMMARY).is_ok();
    let log = folder.join("log");
    let source = match to_the_end {
        true => Source::Files(vec![log]),
        false => Source::Follow(log),
    };
    let report = Report::new(Box::new(std::io::stdout()), None, RowsShown::AtMost(0));
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let (_stop, stopped) = watch::channel(false);
    let settings = Settings {
        parallelism: env::var(PARALLELISM).unwrap().parse().unwrap(),
        ..settings(&broker, source, folder)
    };
    let running = stream_compute::run(settings, Arc::new(report), stopped);
    let summary = runtime.block_on(running).unwrap();
    fs::write(folder.join("summary"), summary.to_string()).unwrap();
}

/// A job, its broker, and the relay between them. All end with the test.
struct Scene {
    relay: Relay,
    mqd: Mqd,
    job: Job,
    folder: TempDir,
    /// How many jobs there were.
    jobs: usize,
    parallelisms: &'static [usize],
}

/// A process that counts.
struct Job {
    process: Child,
    /// Is disconnected when the process has ended.
    running: Receiver<()>,
}

impl Job {
    fn kill(&mut self) {
        // An error: it has ended.
        drop(self.process.kill());
        drop(self.process.wait());
    }

    /// Waits until it has ended by itself; `None` if that takes longer than the job waits for the
    /// queue.
    fn end(&mut self) -> Option<ExitStatus> {
        let ended = self.running.recv_timeout(JOB_PATIENCE + PATIENCE);
        let has_ended = ended == Err(RecvTimeoutError::Disconnected);
        has_ended.then(|| self.process.wait().unwrap())
    }
}

impl Drop for Job {
    fn drop(&mut self) {
        self.kill();
    }
}

impl Scene {
    fn begin(first: Stop, parallelisms: &'static [usize]) -> Scene {
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
        let job = spawn(&relay, &folder, (parallelisms[0], false));
        Scene {
            relay,
            mqd,
            job,
            folder,
            jobs: 1,
            parallelisms,
        }
    }

    fn grow(&self, lines: &[&[u8]]) {
        append(&self.folder.path().join("log"), &lines.concat());
    }

    /// What the jobs have said.
    fn said(&self) -> String {
        fs::read_to_string(self.folder.path().join("said")).unwrap()
    }

    /// Waits for the end of the last job.
    fn end(&mut self) -> ExitStatus {
        let ended = self.job.end();
        ended
            .unwrap_or_else(|| panic!("the last job has not ended; all have said: {}", self.said()))
    }

    /// Kills at the request at which the relay stops, and begins again what was killed.
    fn kill(&mut self, victims: Victims, next: Option<Stop>) {
        let Some(_held) = self.relay.stopped() else {
            panic!("no such request: {}", self.said());
        };
        if victims != Victims::Mqd {
            self.job.kill();
        }
        if victims != Victims::Job {
            self.mqd.kill_9().unwrap();
            self.mqd.restart(Port::Same).unwrap();
        }
        if let Some(next) = next {
            self.relay.stop_at(next);
        }
        if victims != Victims::Mqd {
            let parallelism = self.parallelisms[self.jobs % self.parallelisms.len()];
            let how = (parallelism, next.is_none());
            self.job = spawn(&self.relay, &self.folder, how);
            self.jobs += 1;
        }
    }

    /// Waits for the end of the last job, and compares what is committed. Returns how many more
    /// rows there are.
    async fn check(&mut self, log: &[u8]) -> usize {
        assert!(self.end().success(), "{}", self.said());
        let summary = fs::read_to_string(self.folder.path().join("summary")).unwrap();
        println!("{} jobs: {summary}", self.jobs);
        let expected = expected_rows(log);
        let lines = log.split_inclusive(|byte| *byte == b'\n');
        let (rows, count) = (expected.len(), lines.clone().count());
        let bad = lines.filter(|line| line.starts_with(b"a bad")).count();
        let right = format!(
            "verdict: OK, all {rows} committed rows equal the batch recount of {count} lines; \
             side output: {bad}; "
        );
        assert!(summary.starts_with(&right), "{summary}, and not {right}");
        let client = connect(&self.mqd).await;
        let rows = TopicName::new("rows").unwrap();
        let mut committed = committed(&client, &rows, 0).await;
        committed.sort();
        let first = committed.iter().zip(&expected).position(|(a, b)| a != b);
        assert!(
            committed == expected,
            "first at {first:?}, of {}",
            committed.len()
        );
        let all = all_values(&client, &rows).await;
        let known: BTreeSet<&String> = expected.iter().collect();
        assert!(all.iter().all(|row| known.contains(row)));
        all.len() - committed.len()
    }
}

fn spawn(relay: &Relay, folder: &TempDir, (parallelism, to_the_end): (usize, bool)) -> Job {
    let mut command = Command::new(env::current_exe().unwrap());
    command.args([JOB, "--exact", "--ignored", "--nocapture"]);
    command
        .env(BROKER, relay.address().to_string())
        .env(FOLDER, folder.path())
        .env(PARALLELISM, parallelism.to_string());
    if to_the_end {
        command.env(SUMMARY, "");
    }
    let mut said = fs::File::options();
    let said = said.create(true).append(true);
    let said = said.open(folder.path().join("said")).unwrap();
    command.stdout(said.try_clone().unwrap()).stderr(said);
    // It reads nothing. Only this process has the end to write into, and it ends with it.
    let (mut of_job, into) = pipe().unwrap();
    command.stdin(into);
    let process = command.spawn().unwrap();
    // It has the end of the pipe too.
    drop(command);
    let (end, running) = channel::<()>();
    thread::spawn(move || {
        drop(of_job.read(&mut [0]));
        drop(end);
    });
    Job { process, running }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Victims {
    Job,
    Mqd,
    Both,
}

/// Counts a log that grows between these kills, and compares what is committed. Returns how many
/// more rows there are than those that are committed.
async fn killed_at(kills: &[(Stop, Victims)], parallelisms: &'static [usize]) -> usize {
    let log = made_log(u32::try_from((kills.len() + 1) * PART).unwrap());
    let lines: Vec<&[u8]> = log.split_inclusive(|byte| *byte == b'\n').collect();
    let mut parts = lines.chunks(PART);
    let mut scene = Scene::begin(kills[0].0, parallelisms);
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
    scene.check(&log).await
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
    let more = killed_at(&kills.collect::<Vec<_>>(), PARALLELISMS).await;
    // So there was something to abort.
    assert!(more > 0);
}

/// EndTxn.
const COMMIT: Call = Call::Key(26);
/// DescribeTransactions.
const ASK: Call = Call::Key(65);

fn at(call: Call, moment: Moment) -> (Stop, Victims) {
    (Stop { call, moment }, Victims::Job)
}

/// The first of three new jobs is killed when it asks what has become of what the checkpoint names.
/// The second one commits that, and is killed when it takes the transactional ids. The checkpoint is still the newest one, so the third one does it
/// again.
#[tokio::test]
async fn what_is_committed_after_a_kill_can_be_committed_again() {
    let mut kills = Vec::new();
    for moment in [Moment::Before, Moment::During, Moment::After] {
        kills.extend([
            at(COMMIT, moment),
            at(ASK, moment),
            at(Call::TakeId, Moment::After),
            at(Call::TakeId, Moment::After),
        ]);
    }
    // Of the one subtask it is sure that the id is among the first that it takes.
    killed_at(&kills, &[1]).await;
}

/// The checkpoint that a job is resumed from names a transaction that is committed. The rows
/// behind it are not to be committed with it.
#[tokio::test]
async fn rows_behind_a_commit_are_in_another_transaction() {
    let log = made_log(u32::try_from(2 * PART).unwrap());
    let lines: Vec<&[u8]> = log.split_inclusive(|byte| *byte == b'\n').collect();
    let (commit, _) = at(COMMIT, Moment::After);
    let mut scene = Scene::begin(commit, PARALLELISMS);
    scene.grow(&lines[..PART]);
    let committed = scene.relay.stopped().expect("rows are committed");
    scene.relay.stop_at(Stop {
        call: Call::Rows,
        moment: Moment::After,
    });
    drop(committed);
    scene.grow(&lines[PART..]);
    scene.kill(Victims::Job, None);
    scene.check(&log).await;
}

/// Another producer has taken the ids since: so the broker does not know any more what became of
/// the rows.
#[tokio::test]
async fn a_job_does_not_go_on_if_it_is_not_known_whether_its_rows_are_committed() {
    let (commit, _) = at(COMMIT, Moment::Before);
    let mut scene = Scene::begin(commit, PARALLELISMS);
    let log = made_log(u32::try_from(PART).unwrap());
    scene.grow(&[log.as_slice()]);
    let held = scene.relay.stopped().expect("rows are committed");
    scene.job.kill();
    drop(held);
    let client = connect(&scene.mqd).await;
    for (subtask, number) in [(0, 0), (0, 1), (0, 2), (1, 0), (1, 1), (1, 2)] {
        let id = format!("ip-count.rows.{subtask}.{number}");
        let settings = exactly_once_client::Settings::new(&id);
        let taken = TransactionalProducer::init(Arc::clone(&client), settings);
        taken.await.unwrap();
    }
    scene.job = spawn(&scene.relay, &scene.folder, (1, true));
    assert!(!scene.end().success());
    let said = scene.said();
    assert!(said.contains("Lost(\"rows\")"), "{said}");
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
    let more = killed_at(&random_kills(20, fastrand::u64(..)), PARALLELISMS).await;
    println!("{more} rows are not committed");
}

/// `cargo test --release -p mqd --test it -- --ignored five_hundred_kills`
#[tokio::test]
#[ignore = "takes minutes"]
async fn whatever_is_killed_in_five_hundred_kills_each_row_is_committed_once() {
    for _ in 0..25 {
        killed_at(&random_kills(20, fastrand::u64(..)), PARALLELISMS).await;
    }
}
