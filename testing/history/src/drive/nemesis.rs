//! What happens to the broker and to the connections.

use std::thread;
use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use mqd_guard::{Mqd, Port};
use rustix::process::{Pid, Signal, WaitId, WaitIdOptions, kill_process, waitid};

use super::proxy::Proxy;
use super::recorder::Recorder;
use super::sabotage::cut_logs;
use super::{Event, Run};

/// The broker and the proxy in front of it, and what has happened to them.
pub(super) struct Nemesis<'a> {
    pub(super) run: &'a Run,
    pub(super) mqd: Mqd,
    pub(super) proxy: Proxy,
    pub(super) recorder: Recorder,
    pub(super) events: Vec<(u64, Event)>,
    pub(super) random: fastrand::Rng,
}

impl Nemesis<'_> {
    /// Makes it happen, and returns when it has passed.
    ///
    /// # Errors
    /// When the broker has ended by itself, or does not start again.
    pub(super) fn act(&mut self, event: Event) -> Result<()> {
        self.events.push((self.recorder.now() / 1_000, event));
        let has_ended = has_ended(self.process()?)?;
        ensure!(
            !has_ended,
            "mqd has ended by itself; it said:\n{}",
            self.mqd.stderr()
        );
        match event {
            Event::Kill(millis) => {
                self.mqd.kill_9()?;
                if self.run.sabotage {
                    cut_logs(self.mqd.data_dir(), &mut self.random)?;
                }
                pause(millis);
                self.mqd.restart(Port::Same)
            }
            Event::Pause(millis) => {
                self.signal(Signal::STOP)?;
                pause(millis);
                self.signal(Signal::CONT)
            }
            Event::Cut { half } => {
                self.proxy.cut(self.spared(half), Duration::ZERO);
                Ok(())
            }
            Event::Swallow { half, millis } => {
                let swallow = Duration::from_millis(millis);
                self.proxy.cut(self.spared(half), swallow);
                Ok(())
            }
        }
    }

    /// Which connections are cut if half of them are spared: now these, now those.
    fn spared(&self, half: bool) -> Option<bool> {
        half.then_some(self.events.len().is_multiple_of(2))
    }

    fn signal(&self, signal: Signal) -> Result<()> {
        kill_process(self.process()?, signal).context("mqd cannot be stopped")
    }

    fn process(&self) -> Result<Pid> {
        let id = i32::try_from(self.mqd.process_id()).context("a process id")?;
        Pid::from_raw(id).context("a process id")
    }
}

/// Whether a child of this process has ended. Its guard can still wait for it.
fn has_ended(child: Pid) -> Result<bool> {
    let look = WaitIdOptions::EXITED | WaitIdOptions::NOWAIT | WaitIdOptions::NOHANG;
    Ok(waitid(WaitId::Pid(child), look)?.is_some())
}

fn pause(millis: u64) {
    thread::sleep(Duration::from_millis(millis));
}

#[cfg(test)]
mod tests {
    use std::process::{Command, Stdio};

    use super::*;

    #[test]
    fn a_child_that_has_ended_is_noticed_and_can_still_be_waited_for() {
        let mut command = Command::new("cat");
        let mut child = command.stdin(Stdio::piped()).spawn().unwrap();
        let process = Pid::from_child(&child);
        assert!(!has_ended(process).unwrap());
        // `cat` ends with its input; this waits for that and leaves it waitable.
        drop(child.stdin.take());
        let until = WaitIdOptions::EXITED | WaitIdOptions::NOWAIT;
        waitid(WaitId::Pid(process), until).unwrap();
        assert!(has_ended(process).unwrap());
        assert!(child.wait().unwrap().success());
    }
}
