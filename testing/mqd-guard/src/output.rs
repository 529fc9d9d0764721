//! What a process says, read all the time and kept within bounds.

use std::collections::VecDeque;
use std::io::{BufRead, BufReader, Read};
use std::sync::mpsc::{self, Receiver, RecvTimeoutError};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::Duration;

/// How much of stderr is kept, in bytes: its end.
const KEPT_MAX: usize = 256 * 1024;

/// The longest line that is taken for one, in bytes.
const LINE_MAX: u64 = 4 * 1024;

/// Something that stdout told.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Stdout {
    /// Its next line.
    Line(String),
    /// It was closed: the process has ended.
    Closed,
}

/// The lines of stdout as they come.
#[derive(Debug)]
pub(crate) struct Lines {
    events: Receiver<Stdout>,
}

impl Lines {
    /// Reads `pipe` on a thread of its own.
    pub(crate) fn of(pipe: impl Read + Send + 'static) -> Lines {
        // Bounded: a process that writes without end is stopped by its pipe.
        let (sender, events) = mpsc::sync_channel(1024);
        thread::spawn(move || {
            let mut reader = BufReader::new(pipe);
            loop {
                let mut line = Vec::new();
                let read = reader.by_ref().take(LINE_MAX).read_until(b'\n', &mut line);
                let event = match read {
                    Ok(0) | Err(_) => Stdout::Closed,
                    Ok(_) => Stdout::Line(String::from_utf8_lossy(&line).trim_end().to_owned()),
                };
                let last = event == Stdout::Closed;
                if sender.send(event).is_err() || last {
                    return;
                }
            }
        });
        Lines { events }
    }

    /// The next thing that stdout tells; `None` when `patience` is over.
    pub(crate) fn next(&self, patience: Duration) -> Option<Stdout> {
        match self.events.recv_timeout(patience) {
            Ok(event) => Some(event),
            Err(RecvTimeoutError::Timeout) => None,
            Err(RecvTimeoutError::Disconnected) => Some(Stdout::Closed),
        }
    }
}

/// The end of what stderr told.
#[derive(Debug, Clone, Default)]
pub(crate) struct Tail {
    shared: Arc<(Mutex<Kept>, Condvar)>,
}

#[derive(Debug, Default)]
struct Kept {
    bytes: VecDeque<u8>,
    closed: bool,
}

impl Tail {
    /// Reads `pipe` on a thread of its own, behind what is kept already.
    pub(crate) fn read(&self, mut pipe: impl Read + Send + 'static) {
        let tail = self.clone();
        tail.lock().closed = false;
        thread::spawn(move || {
            let mut piece = [0; 4096];
            loop {
                let count = pipe.read(&mut piece).unwrap_or(0);
                let mut kept = tail.lock();
                kept.bytes.extend(&piece[..count]);
                let surplus = kept.bytes.len().saturating_sub(KEPT_MAX);
                kept.bytes.drain(..surplus);
                kept.closed = count == 0;
                tail.shared.1.notify_all();
                if count == 0 {
                    return;
                }
            }
        });
    }

    /// What is kept, as text.
    pub(crate) fn text(&self) -> String {
        self.lock().text()
    }

    /// What is kept once the process has closed its stderr, or `patience` is over.
    pub(crate) fn text_at_end(&self, patience: Duration) -> String {
        self.wait(patience, |kept| kept.closed).text()
    }

    /// Waits until `wanted` was said; whether it was.
    pub(crate) fn wait_for(&self, wanted: &str, patience: Duration) -> bool {
        let said = |kept: &Kept| kept.text().contains(wanted);
        said(&self.wait(patience, |kept| kept.closed || said(kept)))
    }

    fn wait(&self, patience: Duration, enough: impl Fn(&Kept) -> bool) -> MutexGuard<'_, Kept> {
        let (_, changed) = &*self.shared;
        changed
            .wait_timeout_while(self.lock(), patience, |kept| !enough(kept))
            .unwrap_or_else(PoisonError::into_inner)
            .0
    }

    fn lock(&self) -> MutexGuard<'_, Kept> {
        self.shared.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Kept {
    fn text(&self) -> String {
        let (front, back) = self.bytes.as_slices();
        String::from_utf8_lossy(&[front, back].concat()).into_owned()
    }
}
