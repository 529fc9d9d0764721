//! Order: of the batches of a producer, and of the records of a key.
//!
//! [`fence`] and [`sequence`] are the rules by which a broker keeps a producer's batches in
//! order; chapter 20 asks them under the partition's lock. [`process_in_order`] consumes
//! with several workers for each partition, and keeps the records of a key in order.
//!
//! # Invariants
//! - A record is processed only when every record of its key before it, in its partition,
//!   was processed, or was given up and kept somewhere else.
//! - What is committed was processed or given up, and so was everything before it.
//! - What is in memory of a partition is bounded, however slow a record is.
//!
//! Start reading at [`process_in_order`].

mod error;
mod key;
mod listener;
pub mod part;
mod processor;
mod run;
mod settings;
mod shared;
mod stay;
mod worker;

pub use error::Error;
pub use key::key_of;
pub use part::{Numbered, Refusal, Standing, fence, note, sequence};
pub use processor::{Failed, Processor};
pub use run::process_in_order;
pub use settings::Settings;
