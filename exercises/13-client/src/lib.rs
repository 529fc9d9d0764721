//! The part of chapter 13: how a client finds the broker that a call is for, and reaches it.
//!
//! - [`RouteCache`] keeps what was learnt about leaders, and for how long (task 13.1).
//! - [`Attempts`] says when a call may be tried again (task 13.2).
//! - [`keep_connected`] makes a connection when one is wanted, and again when it is lost
//!   (task 13.3).
//! - [`Finder`] looks routes up for many calls at a time (task 13.4).

mod attempts;
mod connection;
mod finder;
mod route_cache;

pub use attempts::{Attempts, Backoff};
pub use connection::{Session, Want, keep_connected};
pub use finder::{Effect, Ended, Event, Finder, WantId};
pub use route_cache::{Route, RouteCache, Staleness};
