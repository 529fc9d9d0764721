//! Programs that end, or are ended.

use std::io::{self, Read};
use std::process::{Command, Stdio};
use std::sync::mpsc;
use std::thread::{self, JoinHandle};
use std::time::Duration;

/// What a program that ended in time said.
#[derive(Debug)]
pub struct Ended {
    /// Whether its exit code was 0.
    pub success: bool,
    /// Its standard output.
    pub stdout: String,
    /// Its standard error.
    pub stderr: String,
}

/// Runs a program to its end; `None` if it was still running after `limit`, and was killed.
///
/// # Errors
/// When it cannot be started.
pub fn run(command: &mut Command, limit: Duration) -> io::Result<Option<Ended>> {
    let mut child = command
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()?;
    let outputs = (child.stdout.take(), child.stderr.take());
    let (send, receive) = mpsc::channel();
    thread::spawn(move || {
        let readers = (outputs.0.map(read_all), outputs.1.map(read_all));
        let text = |reader: Option<JoinHandle<String>>| {
            reader
                .and_then(|reader| reader.join().ok())
                .unwrap_or_default()
        };
        // Nobody waits any more when it came too late.
        let _ = send.send((text(readers.0), text(readers.1)));
    });
    let Ok((stdout, stderr)) = receive.recv_timeout(limit) else {
        child.kill()?;
        child.wait()?;
        return Ok(None);
    };
    Ok(Some(Ended {
        success: child.wait()?.success(),
        stdout,
        stderr,
    }))
}

fn read_all(mut pipe: impl Read + Send + 'static) -> JoinHandle<String> {
    thread::spawn(move || {
        let mut bytes = Vec::new();
        let _ = pipe.read_to_end(&mut bytes);
        String::from_utf8_lossy(&bytes).into_owned()
    })
}
