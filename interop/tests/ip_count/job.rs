//! The job: a process of `ip-count`, and how far the jobs have come.

use std::fs;
use std::io::{BufRead, BufReader};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{self, Receiver};
use std::sync::{Arc, Condvar, Mutex, MutexGuard};
use std::thread;

use interop::{PATIENCE, ip_count_binary};

use crate::{LINES, ROWS, nginx};

/// What the job says on stderr, in its folder.
const SAID: &str = "said";

/// How many lines of the log are in the queue, as the jobs say.
#[derive(Debug, Default)]
pub(crate) struct Progress {
    acknowledged: Mutex<usize>,
    changed: Condvar,
}

impl Progress {
    /// Waits until so many lines are in the queue.
    pub(crate) fn wait_for(&self, lines: usize) {
        let acknowledged = self.acknowledged.lock().unwrap();
        self.wait(acknowledged, lines);
    }

    /// Waits until so many more lines are in the queue.
    pub(crate) fn wait_for_more(&self, lines: usize) {
        let acknowledged = self.acknowledged.lock().unwrap();
        let lines = *acknowledged + lines;
        self.wait(acknowledged, lines);
    }

    fn wait(&self, acknowledged: MutexGuard<'_, usize>, lines: usize) {
        let fewer = |count: &mut usize| *count < lines;
        let waiting = self
            .changed
            .wait_timeout_while(acknowledged, PATIENCE, fewer);
        let (count, waited) = waiting.unwrap();
        assert!(!waited.timed_out(), "{} of {lines} lines are fed", *count);
    }

    fn note(&self, line: &str) {
        let Some(rest) = line.strip_prefix("acknowledged ") else {
            return;
        };
        let count: usize = rest.split(' ').next().unwrap().parse().unwrap();
        let mut acknowledged = self.acknowledged.lock().unwrap();
        // A job that is resumed may say of fewer lines.
        *acknowledged = count.max(*acknowledged);
        self.changed.notify_all();
    }
}

/// A job that follows the log. Dropping it kills it.
#[derive(Debug)]
pub(crate) struct Job {
    child: Child,
    /// The last line of its stdout, when that is closed.
    last: Receiver<String>,
    said: PathBuf,
}

impl Job {
    /// Starts it, or goes on with its checkpoints in `folder`.
    pub(crate) fn start(queue: SocketAddr, folder: &Path, progress: &Arc<Progress>) -> Job {
        let said = folder.join(SAID);
        let stderr = fs::File::options().create(true).append(true).open(&said);
        let mut child = Command::new(ip_count_binary())
            .args(["--bootstrap", &queue.to_string(), "--follow"])
            .arg(folder.join(nginx::LOG))
            .arg("--checkpoint-dir")
            .arg(folder.join("checkpoints"))
            .args(["--topic", LINES, "--out", ROWS])
            .args(["--window", "2s", "--out-of-order", "1s"])
            .args(["--parallelism", "2", "--partitions", "2", "--rows", "0"])
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(stderr.unwrap())
            .spawn()
            .unwrap();
        let stdout = BufReader::new(child.stdout.take().unwrap());
        let (end, last) = mpsc::channel();
        let progress = Arc::clone(progress);
        thread::spawn(move || {
            let mut last = String::new();
            for line in stdout.lines().map_while(Result::ok) {
                progress.note(&line);
                last = line;
            }
            drop(end.send(last));
        });
        Job { child, last, said }
    }

    pub(crate) fn kill_9(&mut self) {
        if let Some(status) = self.child.try_wait().unwrap() {
            panic!("the job has ended with {status}: {}", self.stderr());
        }
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    /// Ends its input as Ctrl-C does. Returns its last line, which is the verdict.
    pub(crate) fn interrupt(&mut self) -> String {
        let mut kill = Command::new("kill");
        kill.args(["-INT", &self.child.id().to_string()]);
        assert!(kill.status().unwrap().success(), "{}", self.stderr());
        let last = self.last.recv_timeout(PATIENCE).unwrap();
        let status = self.child.wait().unwrap();
        assert!(status.success(), "{last}: {}", self.stderr());
        last
    }

    fn stderr(&self) -> String {
        fs::read_to_string(&self.said).unwrap()
    }
}

impl Drop for Job {
    fn drop(&mut self) {
        drop(self.child.kill());
        drop(self.child.wait());
    }
}
