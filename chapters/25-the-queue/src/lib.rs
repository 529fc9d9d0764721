//! The queue, assembled: `mqd`.
//!
//! A process that takes a data directory and a port, and serves the Kafka
//! protocol until it is asked to stop. It owns what is global to a process:
//! the command line, the settings, the lock on the data directory, signals, the
//! log on stderr, the background work, and the last words of a panic. What an
//! API does is not here: [`answer`] says for each which handler of which
//! chapter does it.
//!
//! # Invariants
//! - On stdout there is exactly one line, when it serves; all else is on stderr.
//! - Two processes never serve the same data directory.
//! - A panic ends the process: no client waits for an answer that never comes.
//!
//! Start reading at [`answer`], then [`serve`].

mod cleaner;
mod command_line;
mod data_dir;
mod dispatch;
mod last_words;
mod process_limits;
mod queue;
mod serve;
mod stop;
mod tools;

pub mod settings;

pub use cleaner::compactor;
pub use command_line::{Command, USAGE, parse};
pub use dispatch::answer;
pub use last_words::end_on_panic;
pub use queue::Queue;
pub use serve::{Serve, serve};
pub use tools::{Tool, run_tool};
