//! The part of chapter 17: what becomes of half messages, without a topic, a database or a
//! clock.
//!
//! - [`Schedule`] says when a half message is asked about, and when no more (task 17.1).
//! - [`rule()`] says what a producer's word does to a half message (task 17.2).
//! - [`Replay`] finds out, after a crash, which half messages are open (task 17.3).
//! - [`HalfMessages`] is the machine that uses all three (task 17.4).

mod half_messages;
mod replay;
mod rule;
mod schedule;
mod words;

pub use half_messages::HalfMessages;
pub use replay::Replay;
pub use rule::rule;
pub use schedule::{Due, Schedule, Step};
pub use words::{Decision, Effect, End, Event, Op, Open, Ruling, Standing};
