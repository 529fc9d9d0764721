//! Kafka Connect on `mqd`: its file connectors copy the lines of a file through a topic
//! into another file.

#![allow(
    clippy::unwrap_used,
    reason = "a helper of a test may fail as the test itself does"
)]

mod distributed;
mod standalone;

use std::fs::{self, OpenOptions};
use std::io::Write as _;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::Command;

use interop::connect::{Connector, Worker};
use interop::{Session, kcat, run};
use tempfile::TempDir;

const TOPIC: &str = "lines";

/// A file that is copied while it grows.
struct Copy {
    folder: TempDir,
    /// What the file holds so far.
    lines: Vec<String>,
    /// Shows each line of the copy when it is written.
    tail: Session,
}

impl Copy {
    fn new() -> Copy {
        let folder = tempfile::Builder::new()
            .prefix("connect-")
            .tempdir()
            .unwrap();
        fs::write(folder.path().join("from"), "").unwrap();
        fs::write(folder.path().join("to"), "").unwrap();
        let mut command = Command::new("tail");
        command
            .args(["-n", "+1", "-f"])
            .arg(folder.path().join("to"));
        Copy {
            tail: Session::start(command).unwrap(),
            lines: Vec::new(),
            folder,
        }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn source(&self) -> Connector {
        Connector::file_source("from-file", &self.path("from"), TOPIC)
    }

    fn sink(&self) -> Connector {
        Connector::file_sink("to-file", &self.path("to"), TOPIC)
    }

    /// Appends `count` lines to the file.
    fn append(&mut self, count: usize) {
        let first = self.lines.len();
        self.lines.extend((first..first + count).map(line));
        let text: String = self.lines[first..]
            .iter()
            .map(|line| format!("{line}\n"))
            .collect();
        let mut file = OpenOptions::new()
            .append(true)
            .open(self.path("from"))
            .unwrap();
        file.write_all(text.as_bytes()).unwrap();
    }

    /// Waits until the copy has line `number`.
    fn wait_for(&mut self, number: usize) {
        while self.tail.line().unwrap() != self.lines[number] {}
    }

    fn wait_for_all(&mut self) {
        self.wait_for(self.lines.len() - 1);
    }

    /// Ends both connectors in order.
    fn stop(&self, worker: &Worker) {
        for connector in [self.source(), self.sink()] {
            worker.stop(&connector).unwrap();
        }
    }

    fn copied(&self) -> Vec<String> {
        file_lines(&self.path("to"))
    }
}

/// A line like no other, with what text formats escape. Only ASCII: after a restart, the
/// source skips as many bytes as it has read characters.
fn line(number: usize) -> String {
    let filler = [
        "",
        "\"quoted\" ",
        "back\\slash ",
        "\ttab ",
        "{\"a\":[1, null]} ",
    ];
    let filler = filler[number % filler.len()].repeat(number % 7);
    format!("{filler}line {number}")
}

fn file_lines(path: &Path) -> Vec<String> {
    let text = fs::read_to_string(path).unwrap();
    assert!(text.is_empty() || text.ends_with('\n'), "a line is torn");
    text.lines().map(str::to_owned).collect()
}

/// What the topic holds, a value per line.
fn topic_lines(broker: SocketAddr, topic: &str) -> Vec<String> {
    let mut command = kcat(broker);
    command.args(["-C", "-q", "-e", "-o", "beginning", "-t", topic]);
    let text = run(command, b"").unwrap();
    text.lines().map(str::to_owned).collect()
}
