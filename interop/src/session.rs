//! A client that runs: what it is told, and what it says.

use std::io::{BufRead, BufReader, Read, Write};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::mpsc::{self, Receiver, RecvTimeoutError, SyncSender, TryRecvError};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use anyhow::{Context as _, Result, ensure};

/// How long a client may take to say its next line, or to end. A client that
/// has lost its broker backs off for up to 10 s before it dials again.
pub const PATIENCE: Duration = Duration::from_secs(60);

/// How many texts may wait to be read by it.
const INPUTS_WAITING_MAX: usize = 16;

/// A client process. Dropping it kills it.
#[derive(Debug)]
pub struct Session {
    name: String,
    child: Child,
    /// Written to its stdin by a thread of its own: a client may answer before
    /// it has read everything, and must not stop its test by not reading.
    input: Option<SyncSender<Vec<u8>>>,
    lines: Receiver<String>,
    stderr: Option<JoinHandle<String>>,
}

/// Runs a client to its end with `input` on its stdin, and returns what it said on stdout.
///
/// # Errors
/// When it cannot be started, does not end within [`PATIENCE`], or ends with
/// another status than 0; the message holds what it said on stderr.
pub fn run(command: Command, input: &[u8]) -> Result<String> {
    let mut session = Session::start(command)?;
    session.say(input)?;
    Ok(session.finish()?.concat())
}

impl Session {
    /// Starts the client.
    ///
    /// # Errors
    /// When it cannot be started.
    pub fn start(mut command: Command) -> Result<Session> {
        let name = format!("{command:?}");
        let mut child = command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .with_context(|| format!("cannot start {name}"))?;
        let mut stdin = child.stdin.take().context("stdin is a pipe")?;
        let stdout = child.stdout.take().context("stdout is a pipe")?;
        let mut stderr = child.stderr.take().context("stderr is a pipe")?;
        let (input, texts) = mpsc::sync_channel::<Vec<u8>>(INPUTS_WAITING_MAX);
        thread::spawn(move || {
            for text in texts {
                // If it ends early, its status says why, and not the broken pipe.
                if stdin.write_all(&text).and_then(|()| stdin.flush()).is_err() {
                    return;
                }
            }
        });
        let (sender, lines) = mpsc::sync_channel(1024);
        thread::spawn(move || {
            let mut stdout = BufReader::new(stdout);
            let mut line = Vec::new();
            while let Ok(1..) = stdout.read_until(b'\n', &mut line) {
                let text = String::from_utf8_lossy(&line).into_owned();
                line.clear();
                if sender.send(text).is_err() {
                    return;
                }
            }
        });
        let stderr = thread::spawn(move || {
            let mut text = Vec::new();
            let _ = stderr.read_to_end(&mut text);
            String::from_utf8_lossy(&text).into_owned()
        });
        Ok(Session {
            name,
            child,
            input: Some(input),
            lines,
            stderr: Some(stderr),
        })
    }

    /// Has `text` written to its stdin.
    ///
    /// # Errors
    /// When it does not read any more.
    pub fn say(&mut self, text: &[u8]) -> Result<()> {
        let input = self.input.as_ref().context("stdin is open")?;
        input
            .try_send(text.to_vec())
            .with_context(|| format!("{} does not read", self.name))
    }

    /// The next line of its stdout, without the line's end.
    ///
    /// # Errors
    /// When it says nothing for [`PATIENCE`], or has ended.
    pub fn line(&mut self) -> Result<String> {
        match self.lines.recv_timeout(PATIENCE) {
            Ok(line) => Ok(line.trim_end_matches('\n').to_owned()),
            Err(error) => Err(self.fail(&format!("no line on stdout: {error}"))),
        }
    }

    /// Asks it to end, by SIGTERM.
    ///
    /// # Errors
    /// When there is no `kill`.
    pub fn terminate(&self) -> Result<()> {
        let status = Command::new("kill")
            .arg(self.child.id().to_string())
            .status()?;
        ensure!(status.success(), "{} has ended", self.name);
        Ok(())
    }

    /// Drops what it has said so far and was not read. False once it has closed its stdout.
    pub fn still_runs(&mut self) -> bool {
        loop {
            match self.lines.try_recv() {
                Ok(_) => {}
                Err(TryRecvError::Empty) => return true,
                Err(TryRecvError::Disconnected) => return false,
            }
        }
    }

    /// Closes its stdin, waits until it ends, and returns the rest of its stdout.
    ///
    /// # Errors
    /// When it does not end within [`PATIENCE`], or ends with another status than 0.
    pub fn finish(self) -> Result<Vec<String>> {
        let name = self.name.clone();
        let (status, lines, stderr) = self.end()?;
        ensure!(
            status.success(),
            "{name} ended with {status}; it said:\n{}{stderr}",
            lines.concat()
        );
        Ok(lines)
    }

    /// Closes its stdin, waits until it ends, and returns its status, the rest of its stdout,
    /// and its stderr.
    ///
    /// # Errors
    /// When it does not end within [`PATIENCE`].
    pub fn end(mut self) -> Result<(ExitStatus, Vec<String>, String)> {
        drop(self.input.take());
        let mut lines = Vec::new();
        loop {
            match self.lines.recv_timeout(PATIENCE) {
                Ok(line) => lines.push(line),
                Err(RecvTimeoutError::Disconnected) => break,
                Err(RecvTimeoutError::Timeout) => return Err(self.fail("it does not end")),
            }
        }
        // Its stdout is closed: it is about to end.
        let status = self.child.wait().context("cannot wait for it")?;
        Ok((status, lines, self.stderr_at_end()))
    }

    /// Kills it and makes an error with all that it said on stderr.
    fn fail(&mut self, what: &str) -> anyhow::Error {
        let killed = self.child.kill();
        let stderr = self.stderr_at_end();
        let error = anyhow::anyhow!("{}: {what}; it said:\n{stderr}", self.name);
        match killed {
            Ok(()) => error,
            Err(kill) => error.context(kill),
        }
    }

    fn stderr_at_end(&mut self) -> String {
        let reader = self.stderr.take().map(JoinHandle::join);
        reader.and_then(Result::ok).unwrap_or_default()
    }
}

impl Drop for Session {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
