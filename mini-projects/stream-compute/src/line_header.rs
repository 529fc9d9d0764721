//! What a record says about its line.
//!
//! # In the topic
//! The header `line` has words of decimal digits: the line's number, counted from 1; then, if the
//! line is in a file, the file's inode, the byte at which the line begins, and how many of the lines
//! before it were too long for the queue.

use std::fmt;

use client::ConsumedRecord;

use crate::input::Place;

/// The key of the header in each record of the topic of lines.
pub(crate) const LINE_HEADER: &str = "line";

/// Says which line a record is, and where the line is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct LineHeader {
    /// The line's number in the input, counted from 1.
    pub(crate) number: u64,
    pub(crate) origin: Option<Origin>,
}

/// What is needed to go on with a line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Origin {
    pub(crate) place: Place,
    /// How many lines before it were too long.
    pub(crate) too_long: u64,
}

impl LineHeader {
    /// Reads the header of a record; `None` if it is no line.
    pub(crate) fn of(record: &ConsumedRecord) -> Option<LineHeader> {
        LineHeader::read(text(record)?)
    }

    fn read(text: &[u8]) -> Option<LineHeader> {
        let mut words = std::str::from_utf8(text).ok()?.split(' ');
        let number = words.next()?.parse().ok()?;
        let mut word = || words.next()?.parse().ok();
        let origin = match (word(), word(), word()) {
            (Some(file), Some(at), Some(too_long)) => Some(Origin {
                place: Place { file, at },
                too_long,
            }),
            _ => None,
        };
        Some(LineHeader { number, origin })
    }
}

/// The number of the line that a record is. The job needs no more of each line.
pub(crate) fn line_number(record: &ConsumedRecord) -> Option<u64> {
    let number = text(record)?.split(|byte| *byte == b' ').next()?;
    std::str::from_utf8(number).ok()?.parse().ok()
}

fn text(record: &ConsumedRecord) -> Option<&[u8]> {
    let mut headers = record.headers.iter();
    let (_, text) = headers.find(|(name, _)| name == LINE_HEADER)?;
    text.as_deref()
}

impl fmt::Display for LineHeader {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.number)?;
        if let Some(Origin { place, too_long }) = self.origin {
            write!(f, " {} {} {too_long}", place.file, place.at)?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_header_is_read_as_it_was_written() {
        let origin = Origin {
            place: Place {
                file: 77,
                at: 1_234,
            },
            too_long: 2,
        };
        for (origin, text) in [(None, "5"), (Some(origin), "5 77 1234 2")] {
            let header = LineHeader { number: 5, origin };
            assert_eq!(header.to_string(), text);
            assert_eq!(LineHeader::read(text.as_bytes()), Some(header));
        }
        assert_eq!(LineHeader::read(b""), None);
        assert_eq!(LineHeader::read(b"x 1 2 3"), None);
    }
}
