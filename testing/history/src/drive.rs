//! Clients under a broker that is killed, paused and cut off: the recording of a history.
//!
//! A run has a broker, a proxy in front of it, writers and readers. What happens to the
//! broker and to the connections follows from the seed. When the time is over, the
//! broker is killed and started once more, and a reader reads everything.
//!
//! The seed decides what is done, and not how fast the machine does it, so the same seed gives
//! similar histories and no equal ones.
//!
//! Writers and readers use the workbook's own clients. With [`Promise::Transactional`] the
//! writers are those of `transactor.rs`, and readers read committed records.
//!
//! Start reading at [`record`].

mod last_read;
mod nemesis;
mod plan;
mod proxy;
mod reader;
mod recorder;
mod run;
mod sabotage;
mod setup;
mod suite;
mod transactor;
mod writer;

use std::ffi::OsString;
use std::path::PathBuf;
use std::time::Duration;

use crate::operation::Operation;
use crate::promise::Promise;

pub use run::record;
pub use suite::{Suite, Verdict};

/// What is recorded.
#[derive(Debug, Clone)]
pub struct Run {
    /// The broker's binary.
    pub mqd: PathBuf,
    /// More arguments of the broker's command line.
    pub arguments: Vec<OsString>,
    /// What the clients rely on: it decides how they send.
    pub promise: Promise,
    /// What happens follows from it.
    pub seed: u64,
    /// For how long things happen. The read of everything comes after that.
    pub time: Duration,
    /// Whether the ends of the logs are cut off after each kill, as if what was acknowledged
    /// had not been written. The check must find that.
    pub sabotage: bool,
}

/// What was recorded.
#[derive(Debug)]
pub struct Recorded {
    /// The history.
    pub operations: Vec<Operation>,
    /// What happened to the broker and the connections, with the time in milliseconds.
    pub events: Vec<(u64, Event)>,
}

/// Something that happens to the broker, or to the connections.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Event {
    /// SIGKILL, and a start after so many milliseconds.
    Kill(u64),
    /// SIGSTOP, and SIGCONT after so many milliseconds.
    Pause(u64),
    /// Connections end: every one, or every second one.
    Cut {
        /// Whether every second one is spared.
        half: bool,
    },
    /// The same, but requests still reach the broker for so many milliseconds, while its
    /// answers are thrown away.
    Swallow {
        /// Whether every second one is spared.
        half: bool,
        /// For how long.
        millis: u64,
    },
}
