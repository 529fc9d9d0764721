//! The processes of the members, and what they say.

use std::io::{BufRead as _, BufReader};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread;

use anyhow::{Context as _, Result, ensure};

use super::plan::SLOTS;
use super::{Chain, GROUPS, Said, TOPICS};

/// A line of a member of a group.
#[derive(Debug)]
pub(crate) struct Line {
    pub(crate) group: usize,
    pub(crate) member: String,
    pub(crate) said: Said,
}

/// A process that was killed, and when, in milliseconds of the wall clock.
#[derive(Debug, Clone)]
pub(crate) struct Killed {
    pub(crate) group: usize,
    pub(crate) member: String,
    pub(crate) at: i64,
}

/// The members that run. Dropping it kills them.
pub(crate) struct Running {
    chain: Chain,
    bootstrap: String,
    slots: [[Option<Process>; SLOTS]; 2],
    started: usize,
    lines: Sender<Line>,
    pub(crate) said: Receiver<Line>,
}

struct Process {
    name: String,
    child: Child,
    /// Closed to ask it to leave.
    stdin: Option<ChildStdin>,
}

impl Running {
    pub(crate) fn new(chain: &Chain, bootstrap: String) -> Running {
        let (lines, said) = channel();
        Running {
            chain: chain.clone(),
            bootstrap,
            slots: Default::default(),
            started: 0,
            lines,
            said,
        }
    }

    pub(crate) fn join(&mut self, group: usize, slot: usize) -> Result<()> {
        let name = format!("{}{slot}.{}", ["a", "b"][group], self.started);
        self.started += 1;
        let (program, arguments) = self.chain.member.split_first().context("a program")?;
        let mut child = Command::new(program)
            .args(arguments)
            .args(["--bootstrap", &self.bootstrap, "--group", GROUPS[group]])
            .args(["--from", TOPICS[group], "--to", TOPICS[group + 1]])
            .args(["--name", &name, "--assignor", &self.chain.assignor])
            .args(["--mode", self.chain.mode.word()])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .with_context(|| format!("cannot start {}", program.display()))?;
        let stdout = child.stdout.take().context("stdout is a pipe")?;
        let (lines, member) = (self.lines.clone(), name.clone());
        thread::spawn(move || {
            for line in BufReader::new(stdout).lines().map_while(Result::ok) {
                // The last line of a killed process may be cut.
                let Ok(said) = line.parse() else { continue };
                let member = member.clone();
                let line = Line {
                    group,
                    member,
                    said,
                };
                if lines.send(line).is_err() {
                    return;
                }
            }
        });
        let stdin = child.stdin.take();
        self.slots[group][slot] = Some(Process { name, child, stdin });
        Ok(())
    }

    /// Kills a member; its name.
    pub(crate) fn kill(&mut self, group: usize, slot: usize) -> Result<Option<String>> {
        let Some(mut process) = self.slots[group][slot].take() else {
            return Ok(None);
        };
        process.is_alive()?;
        process.child.kill()?;
        process.child.wait()?;
        Ok(Some(process.name.clone()))
    }

    /// Asks a member to leave, and does not wait until it has.
    pub(crate) fn leave(&mut self, group: usize, slot: usize) {
        if let Some(mut process) = self.slots[group][slot].take() {
            drop(process.stdin.take());
            thread::spawn(move || {
                let _ = process.child.wait();
            });
        }
    }

    /// # Errors
    /// When a member has ended by itself.
    pub(crate) fn check(&mut self) -> Result<()> {
        let all = self.slots.iter_mut().flatten().flatten();
        for process in all {
            process.is_alive()?;
        }
        Ok(())
    }
}

impl Process {
    fn is_alive(&mut self) -> Result<()> {
        let ended = self.child.try_wait()?;
        ensure!(
            ended.is_none(),
            "the member {} ended by itself: {ended:?}",
            self.name
        );
        Ok(())
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        for process in self.slots.iter_mut().flatten().flatten() {
            let _ = process.child.kill();
            let _ = process.child.wait();
        }
    }
}
