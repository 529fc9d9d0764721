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
        let next: Vec<_> = self.piece(after).collect();
        let (last, _) = *next.last()?;
        let mut bytes = VERSION.to_be_bytes().to_vec();
        let count = u32::try_from(next.len()).unwrap_or(u32::MAX);
        bytes.extend(count.to_be_bytes());
        for (producer, entry) in next {
            bytes.extend(producer.0.to_be_bytes());
            bytes.extend(entry.seen.0.to_be_bytes());
            bytes.extend(entry.turn.to_be_bytes());
            entry.window.put(&mut bytes);
            entry.kept.put(&mut bytes);
        }
        Some(Piece { bytes, last })
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
        let mut bytes = Reader::new(piece);
        let version = bytes.i8()?;
        if version != VERSION {
            return Err(Unreadable::Version(version));
        }
        let count = bytes.u32()?;
        let mut all: Vec<(ProducerId, Entry<E>)> = Vec::new();
        // It is announced, not there yet: each turn of the loop needs bytes of its own.
        for _ in 0..count {
            let producer = ProducerId(bytes.i64()?);
            let entry = Entry {
                seen: Timestamp(bytes.i64()?),
                turn: u64::try_from(bytes.i64()?).map_err(|_| Unreadable::Value)?,
                window: Window::take(&mut bytes)?,
                kept: E::take(&mut bytes)?,
            };
            let grows = all.last().is_none_or(|(before, _)| *before < producer);
            if !grows || self.entries.contains_key(&producer) {
                return Err(Unreadable::Value);
            }
            all.push((producer, entry));
        }
        if bytes.remaining() > 0 {
            return Err(Unreadable::Length);
        }
        let mut added = Vec::new();
        for (producer, entry) in all {
            self.turns.go_on_behind(entry.turn);
            let is_held = entry.kept.is_held();
            if !is_held && now.since(entry.seen) >= self.limits.idle_max {
                continue;
            }
            if !is_held {
                self.idle.insert((entry.turn, producer));
            }
            self.entries.insert(producer, entry);
            added.push(producer);
        }
        Ok(added)
        // end
    }
}
