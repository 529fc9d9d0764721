//! Compaction: of the records with one key, a log keeps the newest one.
//!
//! A pass notes the newest offset of each key in the *dirty* section, the closed
//! segments that no pass has seen before. Then it writes the log again from its first
//! segment on, some small segments to one file, without what the rule of chapter 15
//! drops, and each file takes the place of its segments ([`replacement`]).
//!
//! # Invariants
//! - A record keeps its offset, its timestamp, its producer and its place in the order.
//! - Segments are replaced oldest first: a record without a value never goes before
//!   the older records of its key.
//! - A segment ends where the next one begins, also when its last records are gone: then a
//!   batch without records stands for them.
//! - The active segment, what is not on disk, and what is at or above the last stable offset
//!   are never touched. Below, every transaction has ended.
//! - A record of an aborted transaction is the newest of no key, and is dropped.
//! - A marker, and its entry in the index of aborted transactions, stay until a pass finds no
//!   batch of its transaction in the log. The marker then stays for `delete.retention.ms`, as a
//!   record without a value does.
//!
//! Start reading at [`Compaction`].

mod batch_reader;
mod dirty;
mod new_aborted;
mod new_segment;
mod output;
mod pass;
mod producers;
mod raw_record;
pub(crate) mod replacement;
mod rewrite;
mod rule;
mod transactions;

pub use dirty::{Dirty, FindDirty};
pub use pass::{Compaction, Progress};
pub use replacement::{Replacement, Rewritten};
pub use rule::{Candidate, CloseBatch, Compactor, DirtySection};
