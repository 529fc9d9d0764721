//! The part of chapter 16: how a group shares partitions, and how a member reads its own.
//!
//! - [`range`] and [`round_robin`] share partitions as the Java client does (task 16.1).
//! - [`sticky`] and [`cooperative_sticky`] move as few as they must (task 16.2).
//! - [`OffsetTracker`] finds what may be committed (task 16.3).
//! - [`fetch_loop`] fetches ahead of the application, into a [`FetchBuffer`] (task 16.4).
//! - [`Membership`] joins, answers rebalances, and leaves (task 16.5).

mod assignors;
mod fetch_buffer;
mod fetch_loop;
mod membership;
mod membership_words;
mod offset_tracker;
mod sticky;
mod subscription;

pub use assignors::{range, round_robin};
pub use fetch_buffer::{Chunk, FetchBuffer, Fetched, Want};
pub use fetch_loop::fetch_loop;
pub use membership::Membership;
pub use membership_words::{Effect, Event, Joined, MemberSettings, Problem, Ticket};
pub use offset_tracker::{OffsetTracker, Work};
pub use sticky::{cooperative_sticky, sticky};
pub use subscription::{Assignments, Subscriber, Topics};
