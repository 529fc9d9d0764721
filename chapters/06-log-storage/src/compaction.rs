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
//! - The active segment, and what is not on disk, are never touched.
//!
//! Start reading at [`Compaction`].

mod batch_reader;
mod dirty;
mod new_segment;
mod pass;
mod producers;
mod raw_record;
pub(crate) mod replacement;
mod rewrite;
mod rule;

pub use dirty::{Dirty, FindDirty};
pub use pass::{Compaction, Progress};
pub use replacement::{Replacement, Rewritten};
pub use rule::{Candidate, CloseBatch, Compactor, DirtySection};
