//! What happens to a line between the topic and the rows.

use std::fmt;
use std::time::Duration;

use crate::access_log::{Unparsable, parse};
use crate::count::{Late, WindowCounts};
use crate::row::Row;
use crate::window::Tumbling;

/// Why a line is in no row.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Rejected {
    /// It is not a line of an access log.
    Unparsable(Unparsable),
    /// Its window was closed.
    Late(Late),
}

/// What became of a line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// It will be in a row.
    Counted,
    /// It has been here before: it was sent again.
    Repeated,
    /// It belongs into the side output.
    Rejected(Rejected),
}

/// How many lines became what.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Tally {
    /// In rows.
    pub counted: u64,
    /// Skipped: their first copy is in one of the other numbers.
    pub repeated: u64,
    /// In the side output, as no lines of an access log.
    pub unparsable: u64,
    /// In the side output, as too late.
    pub late: u64,
}

/// Parses, windows and counts lines, each line once.
///
/// The number of the last line is all that must be remembered to know a line
/// that comes again. Its producer sends in order, and nothing before what it
/// sent last is acknowledged; so when a line arrives, all lines before it have
/// arrived, and a number that is not above the last one has been here.
#[derive(Debug)]
pub struct Pipeline {
    counts: WindowCounts,
    last_line: u64,
    tally: Tally,
}

impl Pipeline {
    /// Nothing has come.
    #[must_use]
    pub fn new(windows: Tumbling, out_of_order: Duration) -> Pipeline {
        Pipeline {
            counts: WindowCounts::new(windows, out_of_order),
            last_line: 0,
            tally: Tally::default(),
        }
    }

    // ANCHOR: take
    /// Takes the line with this number (from 1 on).
    pub fn take(&mut self, number: u64, text: &[u8]) -> Outcome {
        if number <= self.last_line {
            self.tally.repeated += 1;
            return Outcome::Repeated;
        }
        self.last_line = number;
        let counted = parse(text)
            .map_err(Rejected::Unparsable)
            .and_then(|hit| self.counts.add(hit).map_err(Rejected::Late));
        match counted {
            Ok(()) => {
                self.tally.counted += 1;
                Outcome::Counted
            }
            Err(rejected) => {
                match rejected {
                    Rejected::Unparsable(_) => self.tally.unparsable += 1,
                    Rejected::Late(_) => self.tally.late += 1,
                }
                Outcome::Rejected(rejected)
            }
        }
    }
    // ANCHOR_END: take

    /// The rows of the windows that are complete; each row comes once.
    pub fn close_complete(&mut self) -> Vec<Row> {
        self.counts.close_complete()
    }

    /// The rows of all windows, at the end of the input.
    pub fn close_all(&mut self) -> Vec<Row> {
        self.counts.close_all()
    }

    /// How many lines became what, so far.
    #[must_use]
    pub fn tally(&self) -> Tally {
        self.tally
    }
}

impl fmt::Display for Rejected {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Rejected::Unparsable(reason) => reason.fmt(f),
            Rejected::Late(late) => late.fmt(f),
        }
    }
}
