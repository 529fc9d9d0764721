//! The part of chapter 02: waiting without a thread for each wait.
//!
//! - [`Timers`] is a timer wheel (task 2.1): every wait of the queue is in one.
//! - [`transfer`] moves money by two calls that may fail, in three styles:
//!   with threads, with callbacks (task 2.2) and with futures.
//! - [`Executor`] polls futures that have been woken, and no others (task 2.3).

mod executor;
mod slot;
mod timers;
pub mod transfer;

pub use executor::Executor;
pub use timers::{TimerId, Timers};
