//! Waiting without a thread: the clock that everything reads, and timers.
//!
//! [`Clock`] is the only place in the workspace that reads the machine's two
//! clocks. [`Timers`] is pure: deadlines in, due keys out; whoever owns it
//! sleeps until [`Timers::next_deadline`]. [`transfer`] and [`Executor`] are
//! for study: what callbacks and futures are, and what is behind `await`.
//!
//! Start reading at [`Timers`].

mod clock;
mod part;

pub use clock::Clock;
pub use part::*;
