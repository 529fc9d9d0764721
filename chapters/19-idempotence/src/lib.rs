//! What comes twice has its effect once.
//!
//! A lost answer makes a producer send again, and a lost commit makes a broker deliver again.
//! Neither can be told from a message that is new, unless the receiver remembers.
//!
//! - The broker remembers the last five batches of each producer in a [`Window`], and those of
//!   all producers of a partition in a [`Table`], which survives restarts. Chapter 20 puts
//!   it under the partition's lock.
//! - A consumer remembers in its own database, with an [`Inbox`] or by other means: the
//!   experiment `19-three-ways` has three on SQLite.
//!
//! All of it is in the part; the chapter hands it on.
//!
//! # Invariants
//! - What is remembered of a batch is what the log has of it: a table that is told the log
//!   again is the same table.
//! - What is remembered of a message is written by the transaction that has its effect.
//!
//! Start reading at [`Window::find`], then [`Table::note`], then [`Inbox::process`].

mod part;

pub use part::{
    ATTEMPTS_MAX, BATCHES_MAX, Database, Entry, Inbox, Kept, Key, Limits, MessageId, Notes,
    Outcome, Piece, Remembered, Table, Turns, Unreadable, Window,
};
