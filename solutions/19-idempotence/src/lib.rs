//! The part of chapter 19: something that comes twice has its effect once.
//!
//! In the broker, for what a producer sends again:
//!
//! - [`Window`] has the last five batches of a producer, and finds the one that comes again (task 19.1).
//! - [`Table`] has the windows of all producers of a partition, and survives a restart (task 19.3).
//!
//! In a consumer, for what the broker delivers again:
//!
//! - [`Inbox`] notes a message in the same transaction of the database that has its effect (task 19.2).
//!
//! Nothing here decides whether a batch is in order, or whether its producer is fenced:
//! chapter 18 does, and chapter 20 puts the rules together.

mod inbox;
mod snapshot;
mod table;
mod turns;
mod unreadable;
mod window;
mod window_bytes;

pub use inbox::{ATTEMPTS_MAX, Database, Inbox, Key, MessageId, Notes, Outcome};
pub use snapshot::Piece;
pub use table::{Entry, Kept, Limits, Table};
pub use turns::Turns;
pub use unreadable::Unreadable;
pub use window::{BATCHES_MAX, Remembered, Window};
