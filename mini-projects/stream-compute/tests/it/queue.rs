//! A queue that is a process of its own: this test binary in the part of `mqd`.

use std::env::{current_exe, var};
use std::ffi::OsString;
use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::channel;
use std::thread;

use rustix::process::{Pid, Signal, kill_process};
use tempfile::TempDir;

use crate::process::PATIENCE;

/// The data directory; set for the process that is the queue.
const DATA: &str = "IP_COUNT_QUEUE";

/// `mqd` with an empty data directory. It ends when this is dropped.
pub(crate) struct Queue {
    pub(crate) address: String,
    process: Child,
    _dir: TempDir,
}

impl Queue {
    pub(crate) fn start() -> Queue {
        let dir = TempDir::new().unwrap();
        let mut process = Command::new(current_exe().unwrap())
            .args(["--exact", "queue::part", "--ignored", "--nocapture"])
            .env(DATA, dir.path())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let lines = BufReader::new(process.stdout.take().unwrap()).lines();
        // It ends with this also when it does not start.
        let mut queue = Queue {
            address: String::new(),
            process,
            _dir: dir,
        };
        let (said, ready) = channel();
        thread::spawn(move || {
            let mut lines = lines.map_while(Result::ok);
            let address = |line: String| Some(line.split_once("mqd ready on ")?.1.to_owned());
            lines.find_map(address).map(|address| said.send(address))
        });
        let address = ready.recv_timeout(PATIENCE);
        queue.address = address.expect("the queue says that it is ready");
        queue
    }

    /// From now on it answers nothing, as if it were away.
    pub(crate) fn stop(&self) {
        kill_process(Pid::from_child(&self.process), Signal::STOP).unwrap();
    }

    /// It answers again, also what was asked in the meantime.
    pub(crate) fn go_on(&self) {
        kill_process(Pid::from_child(&self.process), Signal::CONT).unwrap();
    }
}

impl Drop for Queue {
    fn drop(&mut self) {
        self.process.kill().unwrap();
        self.process.wait().unwrap();
    }
}

#[test]
#[ignore = "other tests start it as a process of its own"]
fn part() {
    let Ok(data) = var(DATA) else { return };
    let words = [
        "--listen",
        "127.0.0.1:0",
        "--data-dir",
        &data,
        "--set",
        "transaction.state.log.num.partitions=3",
    ];
    match mqd::parse(words.map(OsString::from)).unwrap() {
        mqd::Command::Serve(options) => mqd::serve(*options).unwrap(),
        _ => panic!("no broker"),
    }
}
