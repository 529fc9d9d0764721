//! Operators with their own state and timers.

mod clock;
mod event;
