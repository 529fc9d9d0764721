//! Partitions with their four ends, those who wait for them, and the request loop.
//!
//! A [`Partition`] is a log under a lock. [`Topics`] are the partitions by name,
//! created and deleted atomically. The handlers in [`api`] take the pieces that
//! they use, act, and answer with a message. [`serve_connection`] reads requests
//! from one connection and writes the answers, one at a time, in order, as Kafka does.
//!
//! # Invariants
//! - log start ≤ last stable offset ≤ high watermark ≤ log end ([`Ends::check`]).
//! - One lock at a time, and no await under a lock. The two exceptions to the
//!   former say so and why: `topics.rs` and [`Partition::sync`].
//! - Every wait has a deadline. Whoever waits looks once more after it has
//!   registered, so no wake-up is lost.
//! - Nothing that a peer sends makes us allocate more than a small multiple of
//!   what arrived, or answer with more than a fixed limit.
//!
//! Start reading at [`serve_connection`], then [`api::produce`], then [`Partition::append`].

mod closing;
mod durability;
mod ends;
mod error;
mod frame_budget;
mod opening;
mod part;
mod partition;
mod partition_state;
mod producer_ids;
mod producers;
mod registry;
mod replace_file;
mod request_loop;
mod serving;
mod topic_settings;
mod topics;
mod waits;

pub mod api;

pub use durability::sync_on_blocking_pool;
pub use ends::{End, Ends};
pub use error::{Error, error_code};
pub use frame_budget::FrameBudget;
pub use opening::Opened;
pub use part::*;
pub use partition::{Appended, Fetched, Partition, Reader};
pub use producer_ids::ProducerIds;
pub use producers::{AbortedTransaction, Admission, AdmitAll, Entry, Producers};
pub use request_loop::{Answer, ConnectionLimits, Request, serve_connection};
pub use serving::serving;
pub use topic_settings::{SettingError, set_topic_setting, topic_settings};
pub use topics::{Topic, TopicConfig, Topics, TopicsConfig};
pub use waits::Waits;
