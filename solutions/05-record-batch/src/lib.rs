//! The part of chapter 05: a batch of records, from the producer to the consumer.
//!
//! - [`assign_offsets`] is all that a broker changes in a batch (task 5.1).
//! - [`Record`] is one record in it (task 5.2).
//! - [`validate`] says whether a batch may be appended (task 5.3).
//! - [`walk`] says whether its records can be read (task 5.4).
//! - [`BatchHeader`] and [`BatchBuilder`] are given.

mod assign;
mod builder;
mod error;
mod header;
mod record;
mod validate;
mod walk;

pub mod layout;

pub use assign::assign_offsets;
pub use builder::{BatchBuilder, RecordToSend};
pub use error::{BatchError, NotFromProducer};
pub use header::{BatchHeader, Codec, TimestampType};
pub use record::{Header, Record, decode_record, decode_records, encode_record};
pub use validate::validate;
pub use walk::{Walked, walk};
