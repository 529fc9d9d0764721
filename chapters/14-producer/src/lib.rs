//! A producer: records become batches, and each record gets one outcome.
//!
//! [`Producer::send`] copies a record once, to its place in a batch. Two machines decide,
//! which are the part of this chapter: the [`Accumulator`](part::Accumulator) says which batch a record goes
//! into, when a batch is sent, and which call waits for room; the [`Sender`](part::Sender) sends batches,
//! and again if need be, until each has its outcome. What they decide about, the bytes and
//! the futures, is behind one lock, which is held for memory work only. One task per
//! producer compresses batches and speaks to the brokers.
//!
//! # Invariants
//! - Every record has one outcome, within the time that began when the user called.
//! - A record's bytes are copied once by the producer. Nothing is allocated per record.
//! - The lock is not held over an await, a compression or a checksum.
//!
//! Start reading at [`Producer::send`].

mod answers;
mod batch_buffer;
mod core;
mod delivery;
mod error;
mod held;
mod io;
pub mod part;
mod producer;
mod record;
mod sequence;
mod settings;
mod shared;
mod topics;
mod transaction;

pub use batch_buffer::ExtraHeaders;
pub use delivery::{Delivered, Delivery};
pub use error::Error;
pub use part::{Detector, Identity, Order, Seen, murmur2, partition_of_key};
pub use producer::Producer;
pub use record::Record;
pub use sequence::{Interceptor, SEQUENCE_HEADER, Watch};
pub use settings::{Acks, Settings};
pub use transaction::{Enlisting, Transaction};
