//! The part of chapter 14: what a producer decides, without a socket or a clock.
//!
//! - [`murmur2`], [`partition_of_key`], [`choose`] and [`Sticky`] say to which partition a
//!   record goes (task 14.1).
//! - [`Detector`] finds out what was lost, repeated or overtaken (task 14.2).
//! - [`Accumulator`] gathers records into batches, within a bounded memory (task 14.3).
//! - [`Sender`] sends batches until each has its outcome, and keeps their order
//!   (task 14.4).

pub mod accumulator;
mod batch;
mod event;
mod line;
mod loss;
mod number;
mod outcome;
mod partitioner;
mod rules;
pub mod sender;

pub use accumulator::{Accumulator, Append, Limits, Refusal, Ticket};
pub use batch::{Batch, BatchId, Slot};
pub use loss::{Detector, Seen};
pub use number::{Identity, Number};
pub use outcome::{Answer, Failure, Outcome};
pub use partitioner::{Load, Sticky, choose, murmur2, partition_of_key};
pub use rules::{Order, Rules};
pub use sender::Sender;
