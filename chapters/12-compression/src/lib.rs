//! The codecs of record batches: gzip, snappy, lz4 and zstd.
//!
//! A producer compresses the records of a batch and leaves its header readable.
//! [`close_batch`] does that, [`open_batch`] undoes it, and
//! [`decompress`] stops at a limit: a few kilobytes can claim to be gigabytes.
//! The algorithms are libraries; what is here is which bytes they get.
//!
//! Start reading at [`open_batch`].

mod batch;
mod codec;
mod limited;
mod lz4;
mod snappy;

pub use batch::{close_batch, open_batch};
pub use codec::{compress, decompress};
