//! The part of chapter 07: waiting for records, and which ones to return.
//!
//! - [`Purgatory`] keeps those who wait for an end to pass an offset (task 7.1).
//! - [`whole_batches`] decides how much a fetch returns (task 7.2).

mod purgatory;
mod whole_batches;

pub use purgatory::{Purgatory, WaitId};
pub use whole_batches::{Selection, Want, whole_batches};
