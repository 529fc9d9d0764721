//! The first case study on `mqd`: killed, resumed, and taken over.

mod aborted;
mod killed;
mod relay;
mod resumed;
mod rotated;
mod windows;

use std::collections::BTreeMap;
use std::fs::{self, OpenOptions};
use std::io::{self, Write};
use std::path::Path;
use std::sync::Arc;
use std::sync::mpsc::{self, Receiver, SyncSender};
use std::thread;
use std::time::Duration;

use message_model::TopicName;
use mqd_guard::Port;
use stream_compute::{
    Cut, Error, Report, Row, RowsShown, Settings, Source, Summary, Utc, Verdict, parse,
};
use tokio::sync::{oneshot, watch};

use crate::support::{PATIENCE, mqd};

const KILLS: usize = 3;

/// The job's screen: each line goes to the test.
struct Screen(SyncSender<String>);

impl Write for Screen {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        // The test may have ended before the job.
        drop(self.0.try_send(String::from_utf8_lossy(bytes).into_owned()));
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Waits until the job says that so many lines are in the queue.
fn wait_until_acknowledged(screen: &Receiver<String>, wanted: usize) {
    let mut shown = String::new();
    loop {
        let piece = screen.recv_timeout(PATIENCE * 2);
        shown += &piece.unwrap_or_else(|_| panic!("{wanted} lines are not acknowledged: {shown}"));
        let acknowledged = shown
            .lines()
            .filter_map(|line| line.strip_prefix("acknowledged ")?.split(' ').next())
            .filter_map(|count| count.parse::<usize>().ok())
            .max();
        if acknowledged >= Some(wanted) {
            return;
        }
    }
}

/// A job whose checkpoints are in this folder, and follow each other closely.
fn settings(broker: &str, source: Source, folder: &Path) -> Settings {
    Settings {
        bootstrap: broker.to_owned(),
        source,
        topic: TopicName::new("lines").unwrap(),
        out: TopicName::new("rows").unwrap(),
        windows: FIVE_SECONDS,
        lateness: Duration::ZERO,
        top: None,
        out_of_order: OUT_OF_ORDER,
        rate: None,
        idle_end: None,
        patience: JOB_PATIENCE,
        partitions: 2,
        idle_after: None,
        parallelism: 2,
        checkpoint_dir: Some(folder.join("checkpoints")),
        must_resume: false,
        checkpoint_every: Duration::from_millis(50),
        transaction_timeout: Duration::from_secs(900),
    }
}

const OUT_OF_ORDER: Duration = Duration::from_secs(60);

const FIVE_SECONDS: Cut = Cut::Tumbling(Duration::from_secs(5));

/// A job in a thread of its own.
struct Running {
    screen: Receiver<String>,
    stop: watch::Sender<bool>,
    kill: oneshot::Sender<()>,
    /// Gets what came of it; `None` if it was killed.
    ended: Receiver<Option<Result<Summary, Error>>>,
}

/// The job itself ends with an error when the queue was away for this long.
const JOB_PATIENCE: Duration = PATIENCE.saturating_mul(2);

fn start(settings: Settings) -> Running {
    let (screen, shown) = mpsc::sync_channel(100_000);
    let (stop, stopped) = watch::channel(false);
    let (kill, killed) = oneshot::channel();
    let (end, ended) = mpsc::channel();
    thread::spawn(move || {
        let report = Report::new(Box::new(Screen(screen)), None, RowsShown::AtMost(0));
        let report = Arc::new(report);
        let runtime = tokio::runtime::Builder::new_current_thread();
        let runtime = { runtime }.enable_all().build().unwrap();
        let outcome = runtime.block_on(async {
            tokio::select! {
                biased;
                Ok(()) = killed => None,
                ended = stream_compute::run(settings, report, stopped) => Some(ended),
            }
        });
        drop(runtime);
        // The test may have ended before the job.
        drop(end.send(outcome));
    });
    Running {
        screen: shown,
        stop,
        kill,
        ended,
    }
}

impl Running {
    /// What came of it in the end.
    fn outcome(self) -> Result<Summary, Error> {
        let ended = end(&self.ended, &self.screen, "has come to its end");
        ended.expect("it was not killed")
    }

    /// Drops all that it is doing.
    fn kill(self) {
        let _ = self.kill.send(());
        end(&self.ended, &self.screen, "is killed");
    }
}

/// Waits for the end of a job with this screen. What is wanted of it is for the message.
fn end<T>(ended: &Receiver<T>, screen: &Receiver<String>, wanted: &str) -> T {
    // Longer than the job itself waits for the queue.
    let ended = ended.recv_timeout(JOB_PATIENCE + PATIENCE);
    ended.unwrap_or_else(|error| {
        let said: String = screen.try_iter().collect();
        panic!("waiting until the job {wanted}: {error}; what it has said since: {said}")
    })
}

fn append(log: &Path, text: &[u8]) {
    let mut file = OpenOptions::new().append(true).open(log).unwrap();
    file.write_all(text).unwrap();
}

/// So many lines of a log, out of order by up to 50 s, with a bad one now and then.
fn made_log(count: u32) -> Vec<u8> {
    let mut random = fastrand::Rng::with_seed(29);
    let mut log = String::new();
    for number in 0..i64::from(count) {
        let seconds = 60 + number / 5 - random.i64(0..50);
        let time = Utc(message_model::Timestamp(seconds * 1000)).to_string();
        let (time, host) = (&time[11..19], random.u8(0..20));
        if number % 97 == 13 {
            log += "a bad line\n";
        } else {
            let request = "\"GET / HTTP/1.1\" 200 5";
            log += &format!("192.0.2.{host} - - [01/Jan/1970:{time} +0000] {request}\n");
        }
    }
    log.into_bytes()
}

/// The rows of a log, sorted.
fn expected_rows(log: &[u8]) -> Vec<String> {
    let mut counts = BTreeMap::new();
    for line in log.split_inclusive(|byte| *byte == b'\n') {
        if let Ok(hit) = parse(line.trim_ascii_end()) {
            for window in FIVE_SECONDS.windows_of(hit.time) {
                *counts.entry((window, hit.ip)).or_insert(0) += 1;
            }
        }
    }
    let row = |((window, ip), count)| Row {
        window,
        ip,
        count,
        revision: 0,
    };
    let rows = counts.into_iter().map(row);
    let mut rows: Vec<String> = rows.map(|row| row.to_string()).collect();
    rows.sort();
    rows
}

#[test]
fn every_row_is_right_although_the_queue_was_killed() {
    let sample = concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/../../mini-projects/stream-compute/sample/access.log"
    );
    // Not all of it is UTF-8: it is what strangers sent to a real server.
    let text = fs::read(sample).unwrap();
    let lines: Vec<&[u8]> = text.split_inclusive(|byte| *byte == b'\n').collect();
    let mut mqd = mqd().stable_port().start().unwrap();
    let folder = tempfile::tempdir().unwrap();
    let log = folder.path().join("log");
    fs::write(&log, "").unwrap();
    let address = mqd.address().to_string();
    let job = start(settings(
        &address,
        Source::Follow(log.clone()),
        folder.path(),
    ));

    // The file grows while the queue dies: the job cannot have ended before.
    let part = lines.len() / (KILLS + 1);
    for (index, part) in lines.chunks(part).enumerate() {
        append(&log, &part.concat());
        if index < KILLS {
            mqd.kill_9().unwrap();
            mqd.restart(Port::Same).unwrap();
            wait_until_acknowledged(&job.screen, index * part.len() + 1);
        }
    }
    wait_until_acknowledged(&job.screen, lines.len());
    job.stop.send_replace(true);
    let summary = job.outcome().unwrap();
    assert_eq!(summary.verdict, Verdict::Equal, "{summary}");
    assert_eq!(summary.lines, u64::try_from(lines.len()).unwrap());
    assert!(summary.rows > 0);
    println!("{KILLS} kills: {summary}");
}
