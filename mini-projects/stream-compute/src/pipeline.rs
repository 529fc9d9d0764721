//! What happens to a line between the topic and the rows.

use std::fmt;
use std::time::Duration;

use message_model::Offset;

use crate::access_log::{Unparsable, parse};
use crate::count::{Late, WindowCounts};
use crate::resume_point::{Place, ResumePoint};
use crate::row::Row;
use crate::watermark::Watermark;
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
    /// It is in the topic more than once, and its first copy was taken before.
    Repeated,
    /// It belongs into the side output.
    Rejected(Rejected),
    /// It was taken before the job was resumed. If its window is open, it was counted again.
    Known,
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
/// that comes again. Producers send in order, each from a line on before which all
/// are in the topic; so when a line arrives, all lines before it have
/// arrived, and a number that is not above the last one has been here.
#[derive(Debug)]
pub struct Pipeline {
    counts: WindowCounts,
    last_line: u64,
    /// What is below has been taken, by this pipeline or by one before it.
    taken: Offset,
    tally: Tally,
}

impl Pipeline {
    /// Goes on at a point that was returned by a pipeline of the same windows and bound. The
    /// lines to take are those from [`from`](ResumePoint::from) on.
    #[must_use]
    pub fn resume(point: &ResumePoint, windows: Tumbling, out_of_order: Duration) -> Pipeline {
        let mut watermark = Watermark::behind_by(out_of_order);
        point
            .latest
            .iter()
            .for_each(|time| watermark.observe(*time));
        Pipeline {
            counts: WindowCounts::new(windows, watermark),
            last_line: point.from.line,
            taken: point.taken,
            tally: point.tally,
        }
    }

    // ANCHOR: take
    /// Takes the line with this number (from 1 on), which is at this offset.
    pub fn take(&mut self, offset: Offset, number: u64, text: &[u8]) -> Outcome {
        let is_known = offset < self.taken;
        self.taken = self.taken.max(offset.plus(1));
        let outcome = self.count(offset, number, text);
        if is_known {
            return Outcome::Known;
        }
        let tally = &mut self.tally;
        *match outcome {
            Outcome::Rejected(Rejected::Unparsable(_)) => &mut tally.unparsable,
            Outcome::Rejected(Rejected::Late(_)) => &mut tally.late,
            Outcome::Repeated => &mut tally.repeated,
            Outcome::Counted | Outcome::Known => &mut tally.counted,
        } += 1;
        outcome
    }

    fn count(&mut self, offset: Offset, number: u64, text: &[u8]) -> Outcome {
        let line = self.last_line;
        if number <= line {
            return Outcome::Repeated;
        }
        self.last_line = number;
        let counted = parse(text).map_err(Rejected::Unparsable).and_then(|hit| {
            let from = Place { offset, line };
            self.counts.add(from, hit).map_err(Rejected::Late)
        });
        counted.map_or_else(Outcome::Rejected, |()| Outcome::Counted)
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

    // ANCHOR: resume_point
    /// Where another pipeline can go on when all rows that were returned are stored, and
    /// no complete window is left.
    #[must_use]
    pub fn resume_point(&self) -> ResumePoint {
        let behind = Place {
            offset: self.taken,
            line: self.last_line,
        };
        ResumePoint {
            from: self.counts.open_from().unwrap_or(behind),
            taken: self.taken,
            latest: self.counts.latest(),
            tally: self.tally,
        }
    }
    // ANCHOR_END: resume_point

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
