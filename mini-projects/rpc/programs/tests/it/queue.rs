//! A queue that is a process of its own: this test binary in the part of `mqd`.

use std::env::{current_exe, var};
use std::ffi::OsString;
use std::process::Command;

use tempfile::TempDir;

use crate::process::Process;

/// The data directory; set for the process that is the queue.
const DATA: &str = "RPC_PROGRAMS_QUEUE";

/// `mqd` with an empty data directory.
pub(crate) struct Queue {
    pub(crate) address: String,
    _process: Process,
    _dir: TempDir,
}

impl Queue {
    pub(crate) fn start() -> Queue {
        let dir = TempDir::new().unwrap();
        let mut command = Command::new(current_exe().unwrap());
        command.args(["--exact", "queue::part", "--ignored", "--nocapture"]);
        let mut process = Process::of(command.env(DATA, dir.path()));
        Queue {
            address: process.find("mqd ready on "),
            _process: process,
            _dir: dir,
        }
    }
}

#[test]
#[ignore = "other tests start it as a process of its own"]
fn part() {
    let Ok(data) = var(DATA) else { return };
    let words = ["--listen", "127.0.0.1:0", "--data-dir", &data];
    match mqd::parse(words.map(OsString::from)).unwrap() {
        mqd::Command::Serve(options) => mqd::serve(*options).unwrap(),
        _ => panic!("no broker"),
    }
}
