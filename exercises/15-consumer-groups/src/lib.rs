//! The part of chapter 15: one consumer group, as its coordinator sees it.
//!
//! - [`select_protocol`] finds the assignment protocol that the members agree on (task 15.1).
//! - [`Standing`] decides what a heartbeat, a sync and a commit are answered (task 15.2).
//! - [`Group`] is the group itself: members join, sync, leave and expire (task 15.3).
//! - [`survives`] and [`delete_horizon`] decide which records of a compacted topic survive a pass (task 15.4).
//! - [`DirtySection`] notes the newest offset of each key in bounded memory (task 15.5).
//!
//! A group has no clock, no socket and no random numbers. Its methods are told the time
//! and return [`Effect`]s: which parked call is answered with what, and what is stored.

mod call;
mod compaction;
mod group;
mod joining;
mod leaving;
mod member;
mod nouns;
mod phase;
mod protocols;
mod roster;
mod standing;
mod syncing;
mod view;

pub use call::{Effect, Join, Joined, JoinedMember, Sync, Synced};
pub use compaction::{Candidate, DirtySection, delete_horizon, survives};
pub use group::{Group, Settings};
pub use nouns::{CallId, Client, Identity, InstanceId, MemberId, Protocol, Refusal, StoreId};
pub use protocols::select_protocol;
pub use standing::{Commit, Standing, State};
pub use view::{Description, MemberDescription, StoredGroup, StoredMember};
