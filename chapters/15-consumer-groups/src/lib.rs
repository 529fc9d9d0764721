//! The group coordinator, and the offsets that groups commit.
//!
//! A group is pure: [`Group`] of this chapter's part says what becomes of a call. Around it
//! a [`Coordinator`] keeps all groups of the broker, stores them and their offsets in the
//! topic `__consumer_offsets`, wakes at their deadlines, and answers the requests in
//! [`api`]. Each partition of the topic is a shard, with a lock and a turn of its own.
//!
//! # Invariants
//! - What is in memory is what a replay of the topic gives, beside members that are on
//!   their way: a change is appended first, and applied by the function that replays.
//! - Nothing is answered before what it says is on disk.
//! - A shard's lock is held for memory work only. What waits holds the shard's turn.
//! - Whatever clients make grow has a bound: groups, members, the bytes of both.
//!
//! Start reading at [`Coordinator`], then [`api::join_group`], then [`api::offset_commit`].

mod common;
mod coordinator;
mod deadlines;
mod entry;
mod expiry;
mod load;
mod member_ids;
mod offsets;
mod parked;
mod part;
mod partition_of;
mod records;
mod refusal;
mod replay;
mod room;
mod shard;
mod state;
mod subscription;
mod topics;
mod transactions;
mod turn;

pub mod api;

pub use coordinator::{Coordinator, GroupSettings};
pub use deadlines::{Alarm, Deadlines};
pub use part::*;
pub use partition_of::partition_of;
pub use records::{GroupValue, OffsetValue, Stored, Unreadable};
pub use room::{Counted, Room};
