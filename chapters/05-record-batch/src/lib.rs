//! Record batches, message format v2: closed from the producer to the consumer.
//!
//! A batch's bytes are the same on the producer's wire, on disk and on the
//! consumer's wire, but for base offset and leader epoch, which the CRC does
//! not cover. Brokers read [`BatchHeader`]s along [`Batches`], and [`walk`] a new
//! batch once; only producers and consumers make [`Record`]s. The one batch that a broker writes
//! is a [`Marker`].
//!
//! # Invariants
//! - No length, count or offset in a batch is believed before it is checked
//!   against the bytes that are there: nothing here panics on what a peer or a
//!   disk sends, or allocates more than a small constant times its size.
//! - [`decode_records`] needs no [`validate`] before it, and [`validate`] looks at
//!   no record.
//! - A header is parsed once: [`validate`] and [`Batches`] return it,
//!   [`check_from_producer`] and [`walk`] take it.
//!
//! Start reading at [`layout`], then [`Batches`].

mod batches;
mod control;
mod from_producer;
mod mend;
mod opening;
mod part;

pub use batches::Batches;
pub use control::{EndTransaction, Marker, NotMarker};
pub use from_producer::check_from_producer;
pub use mend::mend_max_timestamp;
pub use opening::{OpenBatch, OpenError, Opening};
pub use part::*;
