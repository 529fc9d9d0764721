//! A table as bytes.
//!
//! # Layout
//! version `i8` | number of producers `u32` | for each producer, the one that is silent for
//! the longest time first: id `i64` | seen `i64` | its window | what other rules keep.
//!
//! The caller stores the bytes with a checksum, and with the offset up to which the table was
//! told of the log.

use message_model::{ProducerId, Timestamp};
use wire_protocol::Reader;

use crate::table::{Entry, Kept, Limits, Table};
use crate::unreadable::Unreadable;
use crate::window::Window;

const VERSION: i8 = 0;

impl<E: Kept> Table<E> {
    /// Returns the table as bytes, for [`restore`](Table::restore). Tables that were told the
    /// same have the same bytes.
    #[must_use]
    pub fn snapshot(&self) -> Vec<u8> {
        // task 19.3: version, count, and each producer in the order of its last note
        todo!("19.3: version, count, and each producer in the order of its last note")
        // end
    }

    /// Returns the table that [`snapshot`](Table::snapshot) made these bytes of, but without
    /// the producers that are to be forgotten by now, and no more of them than the limits of today
    /// allow. Takes memory for what the bytes hold, whatever they say.
    ///
    /// # Errors
    /// When the bytes are no snapshot: they are too short or too long, have another version, a
    /// producer twice, or a wrong entry.
    pub fn restore(limits: Limits, now: Timestamp, bytes: &[u8]) -> Result<Self, Unreadable> {
        // task 19.3: read all entries, then forget what is too much and too old
        todo!("19.3: read all entries, then forget what is too much and too old")
        // end
    }
}
