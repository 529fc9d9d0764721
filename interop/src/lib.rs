//! Third-party clients against `mqd`: nothing here knows how the broker works inside.
//!
//! The clients are processes ([`kcat`], [`python`], [`java`], those of [`families`], and the
//! workers of [`connect`]); a [`Session`] feeds one and reads what it says. What they stored
//! is read back from the broker's files ([`stored_batches`]), because only there it can be
//! seen which codec really arrived.
//!
//! # Invariants
//! - Every wait has a deadline ([`PATIENCE`]). A test waits for a line; only the state of a
//!   node or of a worker is looked at again and again.
//! - A client that is not installed is a failure that says how to install it.
//! - No process is left behind: dropping a [`Session`] kills it.
//!
//! Start reading at `tests/clients/kcat.rs`.

mod binaries;
pub mod chain;
mod clients;
pub mod connect;
mod connection;
pub mod families;
pub mod group_requests;
pub mod kafka;
mod latencies;
mod log_ends;
pub mod parity;
mod replays;
pub mod requests;
pub mod scale;
mod session;
mod stored;
pub mod transaction_requests;
pub mod transactions_command;

pub use binaries::{ip_count_binary, mqd_binary};
pub use clients::{KAFKA_PYTHON, java, kcat, python};
pub use connection::Connection;
pub use latencies::Latencies;
pub use replays::{Replay, replays};
pub use session::{PATIENCE, Session, run};
pub use stored::{StoredBatch, stored_batches};
