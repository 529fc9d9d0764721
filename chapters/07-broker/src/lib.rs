//! Partitions with their five ends, those who wait for them, and the handlers.
//!
//! A [`Partition`] is the writer of a log, a view that readers share, and the
//! notes of those who wait for one of its ends. [`Topics`] are the partitions by
//! name, created and deleted atomically. The handlers in [`api`] take the
//! [`Broker`], act, and answer with a message. [`serve_connection`] puts them
//! behind a connection.
//!
//! # Invariants
//! - log start ≤ last stable offset ≤ high watermark ≤ log end, and log start ≤
//!   durable ≤ log end ([`Ends::check`]).
//! - No thread waits for the disk but those of the [`Lanes`], and no lock is held
//!   meanwhile that a reader or another partition needs.
//! - Every wait has a deadline. A waiting task looks once more after it has left
//!   its note, so no wake-up is lost.
//! - Nothing that a peer sends makes us allocate more than a small multiple of
//!   what arrived, or answer with more than a fixed limit.
//!
//! Start reading at [`serve_connection`], then [`api::produce`], then [`Partition::append`].

mod broker;
mod connection;
mod ends;
mod error;
mod internal_topics;
mod part;
mod partition;
mod producer_ids;
mod producers;
mod read_file;
mod request;
mod services;
mod serving;
mod topic_settings;
mod topics;
mod unwritten;

pub mod api;

pub use broker::Broker;
pub use connection::{ConnectionLimits, serve_connection};
pub use ends::{End, Ends};
pub use error::{Error, Unfit, error_code};
pub use internal_topics::InternalTopics;
pub use part::*;
pub use partition::{Appended, Fetched, Partition, Produced, Reader, Room, validate_produced};
pub use producer_ids::ProducerIds;
pub use producers::{
    ActiveProducer, Check, Ended, PRODUCERS_PER_PIECE, Piece, ProducerRules, Producers, Unreadable,
};
pub use request::{Reply, Request, Sender};
pub use services::{LaneWidths, Lanes, Services};
pub use serving::serving;
pub use topic_settings::{
    SettingError, TopicSettings, parse_cleanup_policy, set_topic_setting, topic_settings,
};
pub use topics::{
    CompactedAll, Failed, Opened, SyncedAll, Topic, TopicConfig, Topics, TopicsConfig,
};
