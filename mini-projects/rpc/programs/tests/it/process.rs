//! A process, and what it prints.

use std::io::{BufRead as _, BufReader, Lines};
use std::process::{Child, ChildStdout, Command, Output, Stdio};

use rustix::process::{Pid, Signal, kill_process};

/// The programs.
pub(crate) const HELLO: &str = env!("CARGO_BIN_EXE_rpc-hello");
pub(crate) const SALE: &str = env!("CARGO_BIN_EXE_flash-sale");
pub(crate) const CALL: &str = env!("CARGO_BIN_EXE_rpc-call");

/// A program that runs; killed when it is dropped.
pub(crate) struct Process {
    child: Child,
    lines: Lines<BufReader<ChildStdout>>,
}

impl Process {
    pub(crate) fn start(program: &str, arguments: &[&str]) -> Process {
        Process::of(Command::new(program).args(arguments))
    }

    pub(crate) fn of(command: &mut Command) -> Process {
        let mut child = command.stdout(Stdio::piped()).spawn().unwrap();
        let lines = BufReader::new(child.stdout.take().unwrap()).lines();
        Process { child, lines }
    }

    /// Returns what is behind `before` in the next line that has it.
    pub(crate) fn find(&mut self, before: &str) -> String {
        let mut lines = (&mut self.lines).map(Result::unwrap);
        let found = lines.find_map(|line| Some(line.split_once(before)?.1.to_owned()));
        found.unwrap_or_else(|| panic!("it ended without {before:?}"))
    }

    pub(crate) fn send(&self, signal: Signal) {
        kill_process(Pid::from_child(&self.child), signal).unwrap();
    }

    /// Waits for its end as it should be, and returns the lines that are left.
    pub(crate) fn rest(mut self) -> Vec<String> {
        let rest = (&mut self.lines).map(Result::unwrap).collect();
        assert!(self.child.wait().unwrap().success());
        rest
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Runs a program to its end; returns its exit status, and what it printed to both outputs.
pub(crate) fn run(program: &str, arguments: &[&str]) -> (i32, String, String) {
    let Output {
        status,
        stdout,
        stderr,
    } = Command::new(program).args(arguments).output().unwrap();
    let text = |bytes| String::from_utf8(bytes).unwrap().trim_end().to_owned();
    (status.code().unwrap(), text(stdout), text(stderr))
}
