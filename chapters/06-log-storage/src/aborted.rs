//! Which transactions of a log were aborted.
//!
//! A consumer that reads committed data gets the records of an aborted transaction too, and
//! skips them: the broker tells it which ones. Each segment has an index of the transactions
//! whose abort marker is in it.
//!
//! # On disk
//! `00000000000000000000.txnindex`, as Kafka writes it. Entries of 34 bytes, in the order of their markers, no
//! header, no checksum: version `i16` 0 | producer id `i64` | first offset `i64` | last offset
//! (the marker's) `i64` | last stable offset behind the marker `i64`. A segment without
//! aborted transactions has no file.
//!
//! # Invariants
//! - The file is replaced as a whole, and is on disk before it has its name: a crash leaves
//!   the old entries or the new ones.
//! - It is no cache. What was appended since [`LogView::save_aborted`] is in memory alone; a
//!   start makes it again by a replay of the log, see [`Log::keep_aborted_below`].
//! - An entry that cannot be right is an error of whatever needs the index: without it, aborted records
//!   would be taken for committed ones.
//!
//! Start reading at [`FindAborted`].
//!
//! [`Log::keep_aborted_below`]: crate::Log::keep_aborted_below
//! [`LogView::save_aborted`]: crate::LogView::save_aborted

mod entry;
mod file;
mod find;
mod index;

pub use entry::{ABORTED_INDEX_FIELDS, AbortedTransaction};
pub(crate) use file::Extent;
pub use find::{AbortedList, FindAborted};
pub(crate) use index::{AbortedIndex, UNBOUNDED};
