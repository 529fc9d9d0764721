//! A small client of the queue, and of Apache Kafka: topics, produce, fetch, offsets.
//!
//! [`Client`] asks the metadata where a partition's leader is and talks to that
//! broker. It repeats nothing by itself: a call ends within its time, with an
//! answer or an [`Error`] that says whether asking again makes sense.
//!
//! Batches are bytes here; the crate `record-batch` makes and opens them.
//!
//! Start reading at [`Client::produce`].

mod address;
mod broker;
mod client;
mod error;
mod topics;

pub use address::{BrokerAddress, InvalidAddress};
pub use client::{Acks, Client, FetchLimits, Fetched, OffsetSpec, Settings};
pub use error::Error;
