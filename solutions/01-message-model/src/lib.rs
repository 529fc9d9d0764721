//! The part of chapter 01: a queue in memory, and what each group has consumed of it.
//!
//! - [`Topic`] has partitions and groups (task 1.1).
//! - [`TokenBucket`] limits a rate (task 1.2).
//! - [`AckWindow`] finds what may be committed when acks come in any order (task 1.3).
//! - [`Offset`], [`PartitionIndex`] and [`Moment`] are given: the types of the
//!   signatures of these three, and of all later chapters.

mod ack_window;
mod nouns;
mod token_bucket;
mod topic;

pub use ack_window::AckWindow;
pub use nouns::{Moment, Offset, PartitionIndex};
pub use token_bucket::TokenBucket;
pub use topic::{ConsumerId, Delivery, Lag, PublishError, Topic};
