//! A table as bytes, in pieces.
//!
//! # Layout of a piece
//! version `i8`, 1 | number of producers `u32` | for each producer, by its id: id `i64` | seen
//! `i64` | turn `i64` | its window | what other rules keep; all big-endian.
//!
//! The caller stores the pieces with a checksum, and with the offset up to which the table was
//! told of the log when the first one was made.

use message_model::{ProducerId, Timestamp};
use wire_protocol::Reader;

use crate::table::{Entry, Kept, Table};
use crate::unreadable::Unreadable;
use crate::window::Window;

const VERSION: i8 = 1;

/// Some producers of a table, as bytes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Piece {
    /// For [`Table::restore`].
    pub bytes: Vec<u8>,
    /// The last of the producers: the next piece is behind it.
    pub last: ProducerId,
}

impl<E: Kept> Table<E> {
    /// Returns the [next piece](Table::piece) as bytes; `None` if there is no producer behind
    /// `after`. Tables that were told the same have the same bytes.
    #[must_use]
    pub fn snapshot(&self, after: Option<ProducerId>) -> Option<Piece> {
        // task 19.3: version, count, and each producer of the piece
        todo!("19.3: version, count, and each producer of the piece")
        // end
    }

    /// Adds the producers that [`snapshot`](Table::snapshot) made these bytes of, but without
    /// those that are silent for too long by now, and returns those that were added. The next
    /// turn is above all of theirs. Takes memory for what the bytes hold, whatever they say.
    ///
    /// # Errors
    /// When the bytes are no piece: they are too short or too long, have another version, ids that
    /// do not grow, a negative turn, a producer that is known already, or something that `Window`
    /// or `E` cannot read. Any id and any time are right. Nothing is added then.
    pub fn restore(&mut self, now: Timestamp, piece: &[u8]) -> Result<Vec<ProducerId>, Unreadable> {
        // task 19.3: read all entries first, then add those that are not too old
        todo!("19.3: read all entries first, then add those that are not too old")
        // end
    }
}
