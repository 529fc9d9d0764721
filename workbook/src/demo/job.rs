//! `ip-count` as a process.

use std::env;
use std::io::{BufRead, BufReader};
use std::net::SocketAddr;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{self, Receiver, RecvTimeoutError};
use std::thread;
use std::time::Duration;

use anyhow::{Context, Result, bail};

/// A log that is fed has news at least so often, also while mqd is away.
const SILENCE_MAX: Duration = Duration::from_secs(60);
/// Set in the process that Ctrl-C does not end.
const MARK: &str = "WORKBOOK_SURVIVES_CTRL_C";
/// The topics of lines and of rows: a job that is started again goes on in them.
const TOPICS: [&str; 2] = ["access-log", "ip-count"];

/// What is fed.
#[derive(Debug, Clone)]
pub(super) enum Feed {
    /// A file, from its start to its end.
    Log {
        /// Where it is.
        path: PathBuf,
        /// How many lines it has.
        lines: u64,
        /// Lines a second, at most.
        rate: u64,
    },
    /// A file that grows, until Ctrl-C.
    Follow {
        /// Where it is.
        path: PathBuf,
        /// How many lines it has now.
        lines: u64,
    },
}

impl Feed {
    /// How many lines it has, or had at first.
    pub(super) fn lines(&self) -> u64 {
        match self {
            Feed::Log { lines, .. } | Feed::Follow { lines, .. } => *lines,
        }
    }

    /// Whether the job will miss a queue that was killed. Its producer does, with its next
    /// batch; of a file that is followed there may be none for a long time.
    pub(super) fn is_missed(&self) -> bool {
        matches!(self, Feed::Log { .. })
    }

    /// Whether nothing comes behind so many lines.
    pub(super) fn is_whole(&self, acknowledged: u64) -> bool {
        matches!(self, Feed::Log { lines, .. } if acknowledged >= *lines)
    }
}

/// The running process. Dropping it kills it.
#[derive(Debug)]
pub(super) struct Job {
    child: Child,
    lines: Receiver<String>,
    patience: Option<Duration>,
}

impl Job {
    /// Starts it on the queue at `address`. It goes on from the newest checkpoint.
    pub(super) fn start(
        (program, checkpoints): (&Path, &Path),
        address: SocketAddr,
        feed: &Feed,
    ) -> Result<Job> {
        let mut command = Command::new(program);
        command
            .arg("--bootstrap")
            .arg(address.to_string())
            .args(["--rows", "2", "--topic", TOPICS[0], "--out", TOPICS[1]])
            .arg("--checkpoint-dir")
            .arg(checkpoints);
        match feed {
            Feed::Log { path, rate, .. } => {
                command.arg("--log").arg(path);
                command.arg("--rate").arg(rate.to_string());
            }
            Feed::Follow { path, .. } => {
                command.arg("--follow").arg(path);
            }
        }
        let mut child = command
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .spawn()
            .with_context(|| format!("starting {}", program.display()))?;
        let output = child.stdout.take().context("stdout is a pipe")?;
        let (send, lines) = mpsc::sync_channel(1000);
        thread::spawn(move || {
            for line in BufReader::new(output).lines().map_while(Result::ok) {
                if send.send(line).is_err() {
                    break;
                }
            }
        });
        let patience = matches!(feed, Feed::Log { .. }).then_some(SILENCE_MAX);
        Ok(Job {
            child,
            lines,
            patience,
        })
    }

    /// The next line of its output; `None` at the end.
    pub(super) fn next_line(&mut self) -> Result<Option<String>> {
        let Some(patience) = self.patience else {
            // Somebody else decides when the next line comes.
            return Ok(self.lines.recv().ok());
        };
        match self.lines.recv_timeout(patience) {
            Ok(line) => Ok(Some(line)),
            Err(RecvTimeoutError::Disconnected) => Ok(None),
            Err(RecvTimeoutError::Timeout) => {
                bail!("ip-count has said nothing for {patience:?}")
            }
        }
    }

    /// Ends it with SIGKILL.
    pub(super) fn kill_9(&mut self) -> Result<()> {
        self.child.kill().context("killing ip-count")?;
        self.child.wait()?;
        Ok(())
    }

    /// Waits for its end, which its last line has announced.
    pub(super) fn end(&mut self) -> Result<()> {
        while self.next_line()?.is_some() {}
        self.child.wait()?;
        Ok(())
    }
}

impl Drop for Job {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Ctrl-C is for `ip-count`, which then counts to the end. It reaches us too,
/// and must not end us before. A signal that is ignored stays so in the program
/// that replaces a shell; those that ask for it, as `ip-count` does, still get it.
pub(super) fn hears_ctrl_c() -> bool {
    env::var_os(MARK).is_none()
}

/// Becomes the same program, deaf to Ctrl-C.
pub(super) fn again_without_ctrl_c() -> Result<()> {
    let program = env::current_exe().context("finding this program")?;
    let error = Command::new("/bin/sh")
        .args(["-c", "trap '' INT; exec \"$@\"", "sh"])
        .arg(program)
        .args(env::args_os().skip(1))
        .env(MARK, "1")
        .exec();
    Err(error).context("running /bin/sh")
}
