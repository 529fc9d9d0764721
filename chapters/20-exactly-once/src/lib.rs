//! Transactions over several partitions, and readers that see only what is committed.
//!
//! The transactions of one transactional id are pure: [`Transactions`] of this chapter's part
//! says what becomes of a call. Around them a [`Coordinator`] keeps all transactional ids of
//! the broker, stores them in the topic `__transaction_state`, wakes at their deadlines, tells
//! partitions how transactions end, and answers the requests in [`api`].
//!
//! In each partition [`AllProducers`] puts the rules of chapters 18, 19 and 20 together,
//! over one entry for each producer.
//!
//! # Invariants
//! - What is decided is on disk before a partition hears of it, and before it is answered.
//! - A transaction has all its markers on disk before its end is answered, if that does not
//!   take too long, and always before the next one of its producer begins.
//! - A shard's lock is held for memory work only.
//! - Whatever clients make grow has a bound: transactional ids, partitions of a transaction,
//!   the bytes of both, producers of partitions.
//!
//! Start reading at [`Coordinator`], then [`api::end_txn`], then [`AllProducers`].

mod common;
mod coordinator;
mod entry;
mod load;
mod parked;
mod part;
mod producers;
mod records;
mod refusal;
mod shard;
mod state;
mod storing;
mod telling;

pub mod api;

pub use coordinator::{Coordinator, CoordinatorSettings};
pub use part::*;
pub use producers::{AllProducers, ProducerSettings, Rule, Rules, UnknownRule};
pub use records::{Stored, Unreadable};
