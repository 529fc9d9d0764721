//! The part of chapter 07: which records a fetch returns, and how it waits for them.
//!
//! - [`whole_batches`] decides how much a fetch returns (task 7.1).
//! - [`Notes`] are what waits at one partition, and for which offset (task 7.2).
//! - [`Waits`] and [`Board`] are the waiting itself: leave notes, look again, sleep,
//!   be woken, run out of time, leave nothing behind (task 7.3).

mod notes;
mod waiting;
mod whole_batches;

pub use notes::{NoteId, Notes};
pub use waiting::{Board, Condition, Waits, Woken};
pub use whole_batches::{Selection, Want, whole_batches};
