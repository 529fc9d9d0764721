//! Waiting without a thread: the clock that everything reads, and timers.
//!
//! [`Clock`] is the only place in the workspace that reads the machine's two
//! clocks. [`Timers`] is pure: deadlines in, due keys out; whoever owns it
//! sleeps until [`Timers::next_deadline`].
//!
//! Start reading at [`Timers`].

mod clock;
mod timers;

pub use clock::Clock;
pub use timers::{TimerId, Timers};
