//! `ip-count` at a real web server: it follows the access log that nginx writes under load, on
//! `mqd` and on Apache Kafka, while it and its queue are killed and the log is rotated. What its
//! committed rows must be is counted from the log by code of its own.

#![allow(
    clippy::unwrap_used,
    reason = "a helper of a test may fail as the test itself does"
)]

mod job;
mod load;
mod nginx;
mod recount;

use std::collections::HashSet;
use std::net::SocketAddr;
use std::process::Command;
use std::sync::Arc;

use interop::kafka::Kafka;
use interop::{Session, kcat, mqd_binary, run};
use mqd_guard::{Mqd, Port};
use tempfile::TempDir;

use job::{Job, Progress};
use load::Load;
use nginx::Nginx;
use recount::{recount, rows};

const LINES: &str = "lines";
const ROWS: &str = "rows";
/// How often the job and the queue are killed at least, and at most.
const KILLS_MIN: usize = 4;
const KILLS_MAX: usize = 20;
/// Every other kill comes up to so many lines after the rows: perhaps they are committed then.
const LINES_AFTER_MAX: usize = 20_000;

/// What is killed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Victim {
    Job,
    Queue,
    Both,
}

/// When the log is rotated.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Rotation {
    Before,
    /// The job is dead if it is killed.
    Between,
    After,
}

const ROTATIONS: [Rotation; 3] = [Rotation::Between, Rotation::Before, Rotation::After];

const VICTIMS: [Victim; 4] = [Victim::Job, Victim::Job, Victim::Queue, Victim::Both];

/// The queue that the job uses.
enum Queue {
    Mqd(Mqd),
    Kafka(Kafka),
}

impl Queue {
    fn address(&self) -> SocketAddr {
        match self {
            Queue::Mqd(mqd) => mqd.address(),
            Queue::Kafka(kafka) => kafka.address(),
        }
    }

    fn kill_and_restart(&mut self) {
        match self {
            Queue::Mqd(mqd) => {
                mqd.kill_9().unwrap();
                mqd.restart(Port::Same).unwrap();
            }
            Queue::Kafka(kafka) => kafka.kill_and_restart().unwrap(),
        }
    }
}

/// A web server under load, and the job that counts its log.
struct Scene {
    queue: Queue,
    nginx: Nginx,
    load: Load,
    progress: Arc<Progress>,
    job: Job,
    folder: TempDir,
}

impl Scene {
    fn begin(queue: Queue) -> Scene {
        let folder = tempfile::Builder::new().prefix("ip-count-").tempdir();
        let folder = folder.unwrap();
        let nginx = Nginx::start(folder.path());
        let progress = Arc::new(Progress::default());
        let load = Load::start(nginx.address(), &progress);
        let job = Job::start(queue.address(), folder.path(), &progress);
        progress.wait_for(1);
        Scene {
            queue,
            nginx,
            load,
            progress,
            job,
            folder,
        }
    }

    fn kill(&mut self, victim: Victim, rotation: Rotation) {
        if rotation == Rotation::Before {
            self.nginx.rotate();
        }
        if victim != Victim::Queue {
            self.job.kill_9();
        }
        if rotation == Rotation::Between {
            self.nginx.rotate();
        }
        if victim != Victim::Job {
            self.queue.kill_and_restart();
        }
        if victim != Victim::Queue {
            self.job = Job::start(self.queue.address(), self.folder.path(), &self.progress);
        }
        if rotation == Rotation::After {
            self.nginx.rotate();
        }
    }

    /// Kills until a row has come twice. Then a kill has fallen into an open transaction: its
    /// rows are aborted, and the next job has written them again.
    fn kill_in_transactions(&mut self) {
        let mut observer = Observer::start(&self.queue);
        let mut random = fastrand::Rng::with_seed(7);
        let mut kills = 0;
        while kills < KILLS_MIN || !observer.is_repeated {
            assert!(kills < KILLS_MAX, "no kill falls into a transaction");
            observer.wait_for_rows(random.usize(1..load::ADDRESSES));
            if kills % 2 == 1 {
                self.progress.wait_for_more(random.usize(..LINES_AFTER_MAX));
            }
            let victim = VICTIMS[kills % VICTIMS.len()];
            let rotation = ROTATIONS[kills % ROTATIONS.len()];
            let seen = observer.seen.len();
            println!("{seen} rows, {victim:?} is killed, the log is rotated {rotation:?}");
            self.kill(victim, rotation);
            kills += 1;
        }
    }

    /// Ends nginx, and then the job when it has all lines; compares what is committed.
    fn compare(self) {
        let Scene {
            queue,
            nginx,
            load,
            progress,
            mut job,
            folder: _folder,
        } = self;
        let requests = load.stop();
        let log = nginx.terminate();
        assert_eq!(log.lines().count(), requests, "each request is in the log");
        progress.wait_for(requests);
        let said = job.interrupt();
        let expected = recount(&log);
        let right = format!(
            "verdict: OK, all {} committed rows equal the batch recount of {requests} lines; ",
            expected.len()
        );
        assert!(said.starts_with(&right), "{said}, and not {right}");
        println!("{said}");

        let committed = read(&queue, "read_committed");
        let found = rows(&committed);
        assert_eq!(committed.len(), found.len(), "a row is there twice");
        let other = found.iter().zip(&expected).find(|(a, b)| a != b);
        assert!(found == expected, "the first other row is {other:?}");
        let addresses: HashSet<_> = found.keys().map(|(_, address)| address).collect();
        assert_eq!(addresses.len(), load::ADDRESSES + 1, "{addresses:?}");

        let all = read(&queue, "read_uncommitted");
        assert!(all.len() > committed.len(), "no row was aborted");
        let more = all.len() - committed.len();
        println!("{} rows are committed, {more} aborted", committed.len());
        let committed: HashSet<&String> = committed.iter().collect();
        assert!(all.iter().all(|row| committed.contains(row)));
    }
}

/// Sees all rows as they are written, committed or not.
struct Observer {
    session: Session,
    seen: HashSet<String>,
    /// Whether a row has come twice.
    is_repeated: bool,
}

impl Observer {
    fn start(queue: &Queue) -> Observer {
        let mut command = reader(queue, "read_uncommitted");
        // It is soon back when the queue is.
        command.args(["-E", "-X", "reconnect.backoff.max.ms=100"]);
        Observer {
            session: Session::start(command).unwrap(),
            seen: HashSet::new(),
            is_repeated: false,
        }
    }

    /// Reads until so many rows have come of windows of which none was there before.
    fn wait_for_rows(&mut self, count: usize) {
        let start = |row: &String| row.split(' ').next().unwrap().to_owned();
        let latest = self.seen.iter().map(start).max();
        let mut fresh = 0;
        while fresh < count {
            let row = self.session.line().unwrap();
            fresh += usize::from(Some(start(&row)) > latest);
            self.is_repeated |= !self.seen.insert(row);
        }
    }
}

/// Prints the rows, one a line.
fn reader(queue: &Queue, level: &str) -> Command {
    let mut command = kcat(queue.address());
    command.args(["-C", "-q", "-u", "-t", ROWS, "-p", "0", "-o", "beginning"]);
    command.args(["-X", &format!("isolation.level={level}")]);
    command
}

/// The rows that a reader of this level finds now.
fn read(queue: &Queue, level: &str) -> Vec<String> {
    let mut command = reader(queue, level);
    command.arg("-e");
    let text = run(command, b"").unwrap();
    text.lines().map(str::to_owned).collect()
}

fn counts_exactly_once(queue: Queue) {
    let mut scene = Scene::begin(queue);
    scene.kill_in_transactions();
    scene.compare();
}

#[test]
fn an_access_log_of_nginx_is_counted_exactly_once_under_kills() {
    let mqd = Mqd::options(mqd_binary()).stable_port();
    counts_exactly_once(Queue::Mqd(mqd.start().unwrap()));
}

#[test]
fn it_is_counted_exactly_once_on_apache_kafka_too() {
    // A node that was killed is let in again when its session has ended.
    let settings = [
        ("broker.session.timeout.ms", "3000"),
        ("broker.heartbeat.interval.ms", "500"),
        ("transaction.state.log.num.partitions", "3"),
    ];
    counts_exactly_once(Queue::Kafka(Kafka::start(&settings).unwrap()));
}
