//! Waiting without a thread: the clock that everything reads, timers, one sleeper
//! for many deadlines, and a lane for work that blocks.
//!
//! [`Clock`] is the only place in the workspace that reads the machine's two
//! clocks. [`Timers`] is pure: deadlines in, due keys out. A [`Driver`] sleeps
//! until [`Timers::next_deadline`] for what owns them. A [`Lane`] runs what must
//! block, on a bounded number of threads. [`transfer`] and [`Executor`] are
//! for study: what callbacks and futures are, and what is behind `await`.
//!
//! Start reading at [`Timers`].

mod clock;
mod driver;
mod fair_queue;
mod lane;
mod part;

pub use clock::Clock;
pub use driver::Driver;
pub use lane::{Lane, Pool};
pub use part::*;
