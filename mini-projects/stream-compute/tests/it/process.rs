//! `ip-count` as a process: with a terminal, or without.

use std::fs::File;
use std::io::{Read, Write};
use std::os::fd::OwnedFd;
use std::process::{Child, ChildStdin, Command, Output, Stdio};
use std::sync::mpsc::{Receiver, TryRecvError, channel};
use std::thread;
use std::time::Duration;

use async_model::Clock;
use message_model::Moment;
use rustix::process::{Pid, Signal, kill_process};
use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};
use rustix::termios::{Winsize, tcsetwinsize};

use crate::queue::Queue;

/// Longer than anything that a test waits for takes.
pub(crate) const PATIENCE: Duration = Duration::from_secs(60);

/// `ip-count -`, whose standard input the test has.
pub(crate) fn ip_count(queue: &Queue) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_ip-count"));
    command
        .args(["-", "--bootstrap", &queue.address])
        .env("TERM", "xterm")
        .env_remove("NO_COLOR")
        .stdin(Stdio::piped());
    command
}

/// Waits for the end of a process with pipes. Returns what it has written.
pub(crate) fn output(process: Child) -> Output {
    let id = Pid::from_child(&process);
    let (end, ended) = channel();
    thread::spawn(move || end.send(process.wait_with_output()));
    let output = ended.recv_timeout(PATIENCE);
    output.map(Result::unwrap).unwrap_or_else(|_| {
        // It has not ended, so the id is still its own.
        kill_process(id, Signal::KILL).unwrap();
        let said = ended.recv();
        panic!("ip-count has not ended in {PATIENCE:?}: {said:?}")
    })
}

/// What comes behind each view that is drawn.
const VIEW_END: &str = "\x1b[J";

/// The lines of a view, of the bytes that draw it.
fn lines_of_view(bytes: &str) -> Vec<String> {
    let mut pieces = bytes.split('\x1b');
    let mut text = pieces.next().unwrap_or_default().to_owned();
    for piece in pieces {
        let end = piece.find(|character: char| character.is_ascii_alphabetic());
        text += &piece[end.expect("a letter ends a sequence") + 1..];
    }
    text.lines().map(|line| line.replace('\r', "")).collect()
}

/// The end of a pseudo-terminal at which a person sits, and the process at the other.
pub(crate) struct Seat {
    keyboard: File,
    screen: Receiver<Vec<u8>>,
    /// All that came on the screen.
    pub(crate) shown: String,
    process: Child,
}

impl Seat {
    /// Starts a process whose standard output is a terminal with so many columns and rows.
    pub(crate) fn take(mut command: Command, size: (u16, u16)) -> (Seat, ChildStdin) {
        let flags = OpenptFlags::RDWR | OpenptFlags::NOCTTY | OpenptFlags::CLOEXEC;
        let near = openpt(flags).unwrap();
        grantpt(&near).unwrap();
        unlockpt(&near).unwrap();
        let name = ptsname(&near, Vec::new()).unwrap();
        let far = rustix::fs::open(
            name.as_c_str(),
            rustix::fs::OFlags::RDWR | rustix::fs::OFlags::NOCTTY | rustix::fs::OFlags::CLOEXEC,
            rustix::fs::Mode::empty(),
        );
        let far: OwnedFd = far.unwrap();
        let keyboard = File::from(near);
        resize(&keyboard, size);
        let mut process = command.stdout(far).spawn().unwrap();
        let input = process.stdin.take().unwrap();
        // It holds the far end too.
        drop(command);
        let (shown, screen) = channel();
        let mut near = keyboard.try_clone().unwrap();
        thread::spawn(move || {
            let mut bytes = vec![0; 4096];
            // An error: the far end is closed.
            while let Ok(length @ 1..) = near.read(&mut bytes) {
                let _ = shown.send(bytes[..length].to_vec());
            }
        });
        let seat = Seat {
            keyboard,
            screen,
            shown: String::new(),
            process,
        };
        (seat, input)
    }

    pub(crate) fn resize(&self, size: (u16, u16)) {
        resize(&self.keyboard, size);
    }

    /// Does what Ctrl-C does, also if the terminal does not belong to the process.
    pub(crate) fn interrupt(&self) {
        kill_process(Pid::from_child(&self.process), Signal::INT).unwrap();
    }

    pub(crate) fn press(&mut self, key: u8) {
        self.keyboard.write_all(&[key]).unwrap();
    }

    /// Waits until this was shown behind what was shown before this call.
    pub(crate) fn wait_for(&mut self, wanted: &str) {
        let (before, clock) = (self.shown.len(), Clock::start());
        while !self.shown[before..].contains(wanted) {
            assert!(self.see(&clock), "no {wanted:?} in {}", self.shown);
        }
    }

    /// Waits until a view is shown that is as wanted, behind what was shown before this call.
    /// Returns its lines.
    pub(crate) fn wait_for_view(
        &mut self,
        wanted: &str,
        is_wanted: impl Fn(&[String]) -> bool,
    ) -> Vec<String> {
        let (mut from, clock) = (self.shown.len(), Clock::start());
        loop {
            // What was being drawn at the time of this call is no whole view.
            while let Some(length) = self.shown[from..].find(VIEW_END) {
                let view = lines_of_view(&self.shown[from..from + length]);
                from += length + VIEW_END.len();
                if view.first().is_some_and(|title| title == "ip-count") && is_wanted(&view) {
                    return view;
                }
            }
            assert!(self.see(&clock), "no view with {wanted} in {}", self.shown);
        }
    }

    /// Waits for the end of the process. Returns its exit status.
    pub(crate) fn end(&mut self) -> Option<i32> {
        let clock = Clock::start();
        while self.see(&clock) {}
        let is_open = self.screen.try_recv() != Err(TryRecvError::Disconnected);
        assert!(!is_open, "it does not end: {}", self.shown);
        self.process.wait().unwrap().code()
    }

    /// Sees what is shown next; `false` if the far end is closed, or if this clock is at the end of
    /// the patience.
    fn see(&mut self, clock: &Clock) -> bool {
        let waited = clock.now().since(Moment::START);
        let bytes = self
            .screen
            .recv_timeout(PATIENCE.saturating_sub(waited))
            .unwrap_or_default();
        // Only ASCII is shown.
        self.shown += std::str::from_utf8(&bytes).unwrap();
        !bytes.is_empty()
    }
}

impl Drop for Seat {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

fn resize(terminal: &File, (columns, rows): (u16, u16)) {
    let size = Winsize {
        ws_col: columns,
        ws_row: rows,
        ws_xpixel: 0,
        ws_ypixel: 0,
    };
    tcsetwinsize(terminal, size).unwrap();
}
