//! Reading by time.

use std::mem;

use message_model::{Offset, Timestamp};
use record_batch::{BatchHeader, Codec, Opening, TimestampType};

use crate::error::Error;
use crate::indexes::newest_of;
use crate::load::{HEADERS_PER_STEP, Load};
use crate::locate::scan_from;
use crate::log_view::LogView;
use crate::newest::{Newest, is_as_indexed};
use crate::opened_times::OpenedTimes;
use crate::record_times::{Found, RecordTimes};
use crate::scan::Scan;
use crate::segment_cache::Loaded;

/// The job of finding a record by its time; see [`LogView::find_timestamp`].
///
/// The largest timestamp that a header claims only says which batches to look
/// into: one whose records can be read and are all older is passed.
#[derive(Debug)]
pub struct FindTimestamp {
    view: LogView,
    target: Timestamp,
    opening: Option<Opening>,
    /// The number of the segment that the job is at; behind the last sealed one the active one.
    number: usize,
    state: State,
}

#[derive(Debug)]
enum State {
    /// Nothing is known of the segment.
    Enter,
    Newest(Newest),
    Load(Load),
    /// To the batch of a time index's entry, which has to be as the entry says.
    Check(Scan, Timestamp, Offset),
    Walk(Scan),
    /// In a batch, and behind it.
    Records(RecordTimes, Scan),
    /// In a compressed batch, and behind it.
    Opened(OpenedTimes, Scan),
    Done,
}

/// A record's timestamp and offset, if there is one.
type Answer = Option<(Timestamp, Offset)>;

impl FindTimestamp {
    pub(crate) fn new(view: LogView, target: Timestamp, opening: Option<Opening>) -> FindTimestamp {
        FindTimestamp {
            view,
            target,
            opening,
            number: 0,
            state: State::Enter,
        }
    }

    /// Does the next step, which reads at most about 1 MiB or 256 headers.
    /// Returns the timestamp and the offset of the record, or that there is none;
    /// `None` if there is more to do.
    ///
    /// Exact to the record. Without an opening, or when a batch cannot be opened, only the
    /// header of a compressed batch is known: its largest timestamp, and its first offset.
    ///
    /// # Errors
    /// As [`Locate::step`](crate::Locate::step).
    ///
    /// # Panics
    /// When the job has ended.
    pub fn step(&mut self) -> Result<Option<Answer>, Error> {
        self.state = match mem::replace(&mut self.state, State::Done) {
            State::Enter => match self.enter()? {
                Some(state) => state,
                None => return Ok(Some(None)),
            },
            State::Newest(mut newest) => match newest.step()? {
                None => State::Newest(newest),
                Some(Some(newest)) if newest >= self.target => {
                    State::Load(Load::new(&self.view, &self.view.sealed[self.number]))
                }
                Some(_) => self.next_segment(),
            },
            State::Load(mut load) => match load.step()? {
                None => State::Load(load),
                Some(loaded) => self.seek(&loaded)?,
            },
            State::Check(scan, timestamp, offset) => self.check(scan, timestamp, offset)?,
            State::Walk(scan) => match self.walk(scan)? {
                Ok(state) => state,
                Err(answer) => return Ok(Some(answer)),
            },
            State::Records(mut records, scan) => match records.step()? {
                None => State::Records(records, scan),
                Some(found) => match self.after(found, records.header(), scan) {
                    Ok(state) => state,
                    Err(answer) => return Ok(Some(answer)),
                },
            },
            State::Opened(mut records, scan) => match records.step()? {
                None => State::Opened(records, scan),
                Some(found) => match self.after(found, records.header(), scan) {
                    Ok(state) => state,
                    Err(answer) => return Ok(Some(answer)),
                },
            },
            State::Done => unreachable!("a job that has ended is not continued"),
        };
        Ok(None)
    }

    fn enter(&mut self) -> Result<Option<State>, Error> {
        let view = &self.view;
        if let Some(sealed) = view.sealed.get(self.number) {
            return Ok(Some(State::Newest(Newest::new(view, sealed))));
        }
        if self.number > view.sealed.len() || view.active.newest() < Some(self.target) {
            return Ok(None);
        }
        // The indexes of the active segment have never left memory.
        let older = view.active.older_than(self.target);
        let position = older.map_or(0, |(_, offset)| view.active.position_of(offset));
        Ok(Some(State::Walk(Scan::new(view.active_view(), position))))
    }

    fn next_segment(&mut self) -> State {
        self.number += 1;
        State::Enter
    }

    /// The walk in a sealed segment from a batch before which no record is as new as the target.
    fn seek(&self, loaded: &Loaded) -> Result<State, Error> {
        let Some((timestamp, offset)) = loaded.indexes.times.below(self.target) else {
            let segment = self.view.as_read(loaded.view.clone());
            return Ok(State::Walk(Scan::new(segment, 0)));
        };
        match scan_from(&self.view, loaded, offset)? {
            Some(scan) if loaded.indexes.is_made_here() => Ok(State::Walk(scan)),
            Some(scan) => Ok(State::Check(scan, timestamp, offset)),
            None => self.rebuild(),
        }
    }

    fn check(&self, mut scan: Scan, timestamp: Timestamp, offset: Offset) -> Result<State, Error> {
        match is_as_indexed(&mut scan, timestamp, offset)? {
            None => Ok(State::Check(scan, timestamp, offset)),
            Some(true) => Ok(State::Walk(scan)),
            Some(false) => self.rebuild(),
        }
    }

    fn rebuild(&self) -> Result<State, Error> {
        let sealed = &self.view.sealed[self.number];
        Ok(State::Load(Load::rebuild(&self.view, sealed)?))
    }

    /// How to go on, or the answer.
    fn walk(&mut self, mut scan: Scan) -> Result<Result<State, Answer>, Error> {
        for _ in 0..HEADERS_PER_STEP {
            let Some(batch) = scan.next() else {
                return Ok(Ok(self.next_segment()));
            };
            let (position, header) = batch?;
            if newest_of(&header) < self.target || header.range().end <= self.view.log_start {
                continue;
            }
            return Ok(self.look_into(scan, position, header));
        }
        Ok(Ok(State::Walk(scan)))
    }

    /// How to look into a batch, or the answer when only its header is known.
    fn look_into(&self, scan: Scan, position: u32, header: BatchHeader) -> Result<State, Answer> {
        let segment = scan.view().clone();
        if header.timestamp_type() == TimestampType::LogAppendTime {
            return Err(Some(self.first_of(&header)));
        }
        match (header.codec(), self.opening) {
            (Ok(Codec::None), _) => {
                let records = RecordTimes::new(segment, position, header, self.target);
                Ok(State::Records(records, scan))
            }
            (Ok(_), Some(opening)) => {
                let at = (segment, position);
                let records = OpenedTimes::new(at, header, self.target, opening);
                Ok(State::Opened(records, scan))
            }
            _ => Err(Some(self.first_of(&header))),
        }
    }

    /// How to go on behind a batch that was looked into, or the answer.
    fn after(&self, found: Found, header: &BatchHeader, scan: Scan) -> Result<State, Answer> {
        match found {
            Found::Record(timestamp, offset) if offset >= self.view.log_start => {
                Err(Some((timestamp, offset)))
            }
            Found::Record(..) | Found::Nothing => Ok(State::Walk(scan)),
            Found::Unreadable => Err(Some(self.first_of(header))),
        }
    }

    /// The batch as a whole: as new as its newest record, found at its first one.
    fn first_of(&self, header: &BatchHeader) -> (Timestamp, Offset) {
        (
            newest_of(header),
            header.base_offset.max(self.view.log_start),
        )
    }
}
