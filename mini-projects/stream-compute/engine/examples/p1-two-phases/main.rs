//! Writes the trace of the page's moving figure of a sink's two phases: the reader lets a job
//! work step by step, lets it crash between any two steps, and resumes it.
//!
//! The job is run by the engine, with checkpoints in a directory. Its source and its sink wait
//! before each step until the reader makes it. The sink writes to a topic in transactions, as a
//! producer does; or it commits too early, in its first phase.

mod topic;

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use async_model::Clock;
use figure_trace::{States, Story};
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use stream_engine::{Checkpoint, CheckpointDir, Error, Handle, Job, Settings, Summary};
use tempfile::TempDir;
use tokio::runtime::{Builder, Runtime};
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio::time::sleep;

use topic::{Commits, Done, Gates, Numbers, Standing, Topic, TopicSink};

/// The source has the records 1 to 4, of which so many go into a transaction.
const TOGETHER: u64 = 2;
const RECORDS: u64 = 4;
/// Longer than the job waits for anything but the reader.
const PATIENCE: Duration = Duration::from_secs(10);
const CRASHES: usize = 1;
const SOURCE: &str = "numbers";
const SINK: &str = "topic";

/// The job from its start to its crash.
struct Life {
    runtime: Runtime,
    job: JoinHandle<Result<Summary, Error>>,
    handle: Handle,
    gates: Gates,
    dir: CheckpointDir,
    /// Whether it has begun with a checkpoint.
    resumed: bool,
}

impl Life {
    /// Begins where the newest checkpoint says.
    fn new(folder: &Path, topic: &Topic, commits: Commits) -> Life {
        let mut builder = Builder::new_current_thread();
        let runtime = builder.enable_time().start_paused(true).build();
        let runtime = runtime.expect("a runtime");
        let dir = CheckpointDir::open(folder).expect("no other job has it");
        let resume = dir.newest().expect("a whole checkpoint");
        let resumed = resume.is_some();
        let gates = Gates {
            readable: watch::Sender::new(resume.as_ref().map_or(0, read_so_far)),
            go: Arc::default(),
            done: watch::Sender::new(Done::Nothing),
        };
        let job = Job::new("copy");
        let numbers = job.source(SOURCE, Numbers(gates.clone()));
        let sink = TopicSink {
            topic: topic.clone(),
            commits,
            gates: gates.clone(),
        };
        numbers.sink(SINK, sink);
        let (handle, requests) = Handle::new();
        let store = Some(dir.clone());
        let job = runtime.spawn(async move {
            let settings = Settings {
                store,
                resume,
                ..Settings::new(Clock::start())
            };
            job.run(settings, requests).await
        });
        Life {
            runtime,
            job,
            handle,
            gates,
            dir,
            resumed,
        }
    }

    /// Lets the job work until it has done this.
    fn until(&mut self, wanted: Done) {
        let mut done = self.gates.done.subscribe();
        let job = &mut self.job;
        self.runtime.block_on(async {
            tokio::select! {
                _ = done.wait_for(|done| *done == wanted) => {}
                ended = job => unreachable!("the job has ended: {ended:?}"),
                // The clock goes on only when nothing else can.
                () = sleep(PATIENCE) => unreachable!("the job has not come to {wanted:?}"),
            }
        });
    }
}

/// The only state of an operator, decoded.
fn state<T: DeserializeOwned>(checkpoint: &Checkpoint, operator: &str) -> T {
    let state = &checkpoint.operators[&operator.into()];
    postcard::from_bytes(&state.items[0]).expect("what the operator has encoded")
}

/// How many records the source has read.
fn read_so_far(checkpoint: &Checkpoint) -> u64 {
    let (_, position): (u32, u64) = state(checkpoint, SOURCE);
    position
}

/// Where a crash comes, and what follows on it.
struct History {
    folder: TempDir,
    topic: Topic,
    commits: Commits,
    /// `None` while the job is crashed.
    life: Option<Life>,
    crashes: usize,
    last: &'static str,
    /// What comes next, if the job does not crash.
    next: &'static str,
}

impl History {
    fn new(commits: Commits) -> History {
        let folder = tempfile::tempdir().expect("a temporary directory");
        let topic = Topic::default();
        History {
            life: Some(Life::new(folder.path(), &topic, commits)),
            folder,
            topic,
            commits,
            crashes: 0,
            last: "begins",
            next: "write",
        }
    }

    fn newest(&self) -> Option<Checkpoint> {
        let newest = match &self.life {
            Some(life) => life.dir.newest(),
            None => CheckpointDir::open(self.folder.path()).and_then(|dir| dir.newest()),
        };
        newest.expect("a whole checkpoint")
    }

    /// The next step is made.
    fn go_on(&mut self) {
        let begin = || Life::new(self.folder.path(), &self.topic, self.commits);
        let life = self.life.get_or_insert_with(begin);
        let committed = self.topic.committed();
        let aborted = self.topic.count(Standing::Aborted);
        (self.last, self.next) = match self.next {
            "resume" if life.resumed => {
                life.until(Done::Stored);
                ("resumed", "commit")
            }
            "resume" => ("resumed at the start", "write"),
            "write" => {
                life.gates.readable.send_modify(|count| *count += TOGETHER);
                life.until(Done::Written);
                let has_aborted = self.topic.count(Standing::Aborted) > aborted;
                let last = if has_aborted {
                    "aborted, written"
                } else {
                    "written"
                };
                (last, "prepare")
            }
            "prepare" => {
                let handle = life.handle.clone();
                let asked = async move { handle.checkpoint().await };
                life.runtime.spawn(asked);
                life.until(Done::Prepared);
                let is_early = self.commits == Commits::Early;
                (if is_early { "early" } else { "prepared" }, "store")
            }
            "store" => {
                life.gates.go.notify_one();
                life.until(Done::Stored);
                ("stored", "commit")
            }
            _ => {
                life.gates.go.notify_one();
                life.until(Done::Committed);
                let is_new = self.topic.committed() != committed;
                let is_end = *life.gates.readable.borrow() == RECORDS;
                let last = if is_new { "committed" } else { "already" };
                (last, if is_end { "" } else { "write" })
            }
        };
    }

    /// At the end: how often a reader of committed records has got each.
    fn end(&self) -> &'static str {
        let committed = self.topic.committed();
        match self.next {
            "" if committed.iter().copied().eq(1..=RECORDS) => "once",
            "" => "twice",
            _ => "",
        }
    }

    fn crash(&mut self) {
        self.life = None;
        self.crashes += 1;
        (self.last, self.next) = ("crashed", "resume");
    }
}

impl Story for History {
    type Step = &'static str;

    fn moves(&self) -> Vec<&'static str> {
        let mut moves = Vec::new();
        if !self.next.is_empty() {
            moves.push("next");
        }
        let has_worked = !self.topic.uncommitted().is_empty();
        if self.life.is_some() && has_worked && self.crashes < CRASHES {
            moves.push("crash");
        }
        moves
    }

    fn make(&mut self, step: &str) {
        match step {
            "next" => self.go_on(),
            _ => self.crash(),
        }
    }

    fn is(&self) -> Value {
        let topic = &self.topic;
        let newest = self.newest();
        let newest = newest.as_ref();
        let has = newest.map(|newest| format!("T{}", state::<usize>(newest, SINK) + 1));
        json!({
            "log": topic.shown(), "dirty": topic.uncommitted(), "clean": topic.committed(),
            "checkpoint": newest.map_or(0, |newest| newest.id),
            "from": newest.map_or(1, |newest| read_so_far(newest) + 1),
            "has": has.unwrap_or_default(),
            "last": self.last, "next": self.next, "end": self.end(),
        })
    }
}

/// Returns the trace: all that can follow on a job that begins, for both sinks.
pub(crate) fn trace() -> Value {
    let mut states = States::default();
    let in_time = states.of(|| History::new(Commits::InTime));
    let early = states.of(|| History::new(Commits::Early));
    json!({"starts": {"in-time": in_time, "early": early}, "states": states.by_name()})
}

#[expect(clippy::print_stdout, reason = "an example prints")]
fn main() {
    println!("{}", trace());
}
