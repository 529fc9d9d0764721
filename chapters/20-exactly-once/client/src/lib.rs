//! The client's side of transactions.
//!
//! A [`TransactionalProducer`] writes records to several partitions, and a group's offsets,
//! all of them or none. [`Transform`] is built on it: it reads records, calls a function with
//! each, and writes what the function returns, exactly once.
//!
//! # Invariants
//! - Nothing is sent to a partition before the coordinator has it in the transaction.
//! - After a record that was not delivered a transaction can be aborted, and not committed.
//! - What an aborted transaction may still have on its way has an older epoch than the next one.
//! - One instance of a transactional id writes: an older one is fenced, and ends.
//!
//! Start reading at [`TransactionalProducer::init`].

mod calls;
mod enlisting;
mod error;
mod news;
mod progress;
mod settings;
mod transactional_producer;
mod transform;

pub use error::Error;
pub use settings::{Settings, TransformSettings};
pub use transactional_producer::TransactionalProducer;
pub use transform::{Output, Transform};
