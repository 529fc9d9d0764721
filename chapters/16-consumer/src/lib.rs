//! A consumer of the queue, and of Apache Kafka: alone, or as a member of a group.
//!
//! [`Consumer::subscribe`] joins a group in which members of any client may be: the
//! bytes in `protocol.rs` are those of the Java client and of librdkafka.
//! [`Consumer::poll`] returns records that loops in the background have fetched.
//! [`Consumer::commit_sync`] stores how far the application is, [`Acks`] says so record by
//! record.
//!
//! # Invariants
//! - A partition is read by one member of a group at a time, as far as the coordinator
//!   knows its members.
//! - Nothing is committed that is not done.
//! - What waits to be polled is bounded.
//!
//! Start reading at [`Consumer::poll`].

mod acks;
mod assignor;
mod commit;
mod consumer;
mod error;
mod fetcher;
mod group_calls;
mod group_lag;
mod group_member;
mod group_metadata;
mod listener;
mod part;
mod pattern;
mod poll;
mod protocol;
mod redelivery;
mod seek;
mod settings;

pub use acks::Acks;
pub use assignor::Assignor;
pub use commit::CommitOutcome;
pub use consumer::Consumer;
pub use error::Error;
pub use group_calls::Committed;
pub use group_lag::{GroupLag, group_lag, group_offsets};
pub use group_metadata::GroupMetadata;
pub use listener::{Draining, RebalanceListener};
pub use part::{Problem, Work};
pub use pattern::{InvalidPattern, Pattern, Topics};
pub use poll::Polled;
pub use protocol::{Subscription, read_assignment, write_assignment};
pub use redelivery::{Redelivery, Sent};
pub use seek::{Lag, SeekTo};
pub use settings::{Done, OffsetReset, Settings};
