//! A client of the queue, and of Apache Kafka: finds the right broker, and asks it.
//!
//! [`Client::call`] sends one request to a [`Target`] and returns the answer as it
//! came. [`Client::retry`] repeats what may be repeated, under one deadline. Calls for
//! one partition, such as [`Client::produce`], are built on the two. [`records`] reads
//! what a fetch brought.
//!
//! Start reading at [`Client::call`].

mod address;
mod answer;
mod broker;
mod brokers;
mod client;
mod cluster;
mod error;
mod leader_calls;
mod link;
mod look_ups;
mod part;
mod records;
mod settings;
mod target;
mod throttle;
mod topic_metadata;
mod topics;
mod versions;

pub use address::{BrokerAddress, InvalidAddress};
pub use client::Client;
pub use error::Error;
pub use leader_calls::{Acks, FetchLimits, Fetched, OffsetSpec};
pub use part::{Attempts, Backoff, Route, RouteCache, Session, Staleness, Want, keep_connected};
pub use records::{ConsumedRecord, Flaw, ReadError, Records, records};
pub use settings::Settings;
pub use target::Target;
pub use topic_metadata::{PartitionMetadata, TopicMetadata};
