//! The part of chapter 01: a queue in memory, and who has consumed what of it.
//!
//! - [`Topic`] has partitions and groups (task 1.1).
//! - [`TokenBucket`] limits a rate (task 1.2).
//! - [`AckWindow`] says what may be committed when acks come in any order (task 1.3).
//! - [`Offset`], [`PartitionIndex`] and [`Moment`] are given: the nouns that these
//!   three speak in. The chapter hands them on to all later chapters.

mod ack_window;
mod nouns;
mod token_bucket;
mod topic;

pub use ack_window::AckWindow;
pub use nouns::{Moment, Offset, PartitionIndex};
pub use token_bucket::TokenBucket;
pub use topic::{ConsumerId, Delivery, Lag, PublishError, Topic};
