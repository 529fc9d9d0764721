//! The part of chapter 18: what keeps records in order.
//!
//! - [`fence`] refuses the batch of an instance that has a successor (task 18.1).
//! - [`sequence`] refuses a batch that is not the next one (task 18.2).
//! - [`Scheduler`] lets several workers share a partition, and keeps the records of a key
//!   in order (task 18.3).
//! - [`hundred_yuan`] loses money in three ways, and cures each (task 18.4).

pub mod hundred_yuan;
mod ledger;
mod rules;
pub mod schedule;
mod scheduler;
mod standing;

pub use ledger::{Cures, Faults, missing};
pub use rules::{Refusal, fence, note, sequence};
pub use schedule::{Key, Limits};
pub use scheduler::Scheduler;
pub use standing::{Numbered, Standing};
