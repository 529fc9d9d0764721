//! The part of chapter 03: from a stream of bytes to calls that all end.
//!
//! - [`FrameDecoder`] cuts a stream into frames (task 3.1).
//! - [`InFlight`] pairs replies with calls, and ends every call (task 3.2).
//! - [`write_coalesced`] sends what has queued up in one write (task 3.3).
//! - [`serve_requests`] serves one connection: ordered, bounded, pending answers (task 3.4).

mod coalesce;
mod frame;
mod gathered;
mod in_flight;
mod request_loop;
mod requests;

pub use coalesce::write_coalesced;
pub use frame::{FrameDecoder, FrameError, PREFIX_SIZE, frame};
pub use gathered::Gathered;
pub use in_flight::{CallId, Effect, Ended, Event, InFlight};
pub use request_loop::serve_requests;
pub use requests::{Answer, Answers, Closing, Later, Order, Requests, Terms};
