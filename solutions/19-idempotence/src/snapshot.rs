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
        let mut entries: Vec<_> = self.iter().collect();
        entries.sort_unstable_by_key(|(_, entry)| entry.turn);
        let mut bytes = VERSION.to_be_bytes().to_vec();
        let count = u32::try_from(entries.len()).unwrap_or(u32::MAX);
        bytes.extend(count.to_be_bytes());
        for (producer, entry) in entries {
            bytes.extend(producer.0.to_be_bytes());
            bytes.extend(entry.seen.0.to_be_bytes());
            entry.window.put(&mut bytes);
            entry.kept.put(&mut bytes);
        }
        bytes
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
        let mut bytes = Reader::new(bytes);
        let version = bytes.i8()?;
        if version != VERSION {
            return Err(Unreadable::Version(version));
        }
        let count = u64::from(bytes.u32()?);
        // It is announced, not there yet: each turn of the loop needs bytes of its own.
        let mut table = Table::new(limits);
        for turn in 0..count {
            let producer = ProducerId(bytes.i64()?);
            let entry = Entry {
                seen: Timestamp(bytes.i64()?),
                window: Window::take(&mut bytes)?,
                kept: E::take(&mut bytes)?,
                turn,
            };
            if !entry.kept.is_held() {
                table.idle.insert(turn, producer);
            }
            if table.entries.insert(producer, entry).is_some() {
                return Err(Unreadable::Value);
            }
        }
        if bytes.remaining() > 0 {
            return Err(Unreadable::Length);
        }
        table.turns = count;
        while table.len() > limits.producers_max && table.forget_idlest().is_some() {}
        table.expire(now);
        Ok(table)
        // end
    }
}
