//! Third-party clients against `mqd`: nothing here knows how the broker works inside.
//!
//! The clients are processes ([`kcat`], [`python`], [`java`], and those of [`families`]); a [`Session`] feeds
//! one and reads what it says. What they stored is read back from the broker's
//! files ([`stored_batches`]), because only there it can be seen which codec
//! really arrived.
//!
//! # Invariants
//! - Every wait has a deadline ([`PATIENCE`]); none of them sleeps and looks again.
//! - A client that is not installed is a failure that says how to install it.
//! - No process is left behind: dropping a [`Session`] kills it.
//!
//! Start reading at `tests/clients/kcat.rs`.

mod broker;
mod clients;
mod connection;
pub mod families;
pub mod kafka;
pub mod parity;
pub mod requests;
mod session;
mod stored;

pub use broker::mqd_binary;
pub use clients::{KAFKA_PYTHON, java, kcat, python};
pub use connection::Connection;
pub use session::{PATIENCE, Session, run};
pub use stored::{StoredBatch, stored_batches};
