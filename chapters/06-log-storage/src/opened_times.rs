//! When the records of a compressed batch happened: the batch is read, opened and
//! walked, all in bounded steps.

use std::mem;

use message_model::Timestamp;
use record_batch::{BatchHeader, Opening, layout};

use crate::error::{At, Error};
use crate::record_times::{Found, read_head};
use crate::segment_view::SegmentView;
use crate::window::read_up_to;

/// How much a step reads, in bytes.
const READ_PER_STEP: usize = 1024 * 1024;
/// How many records a step passes.
const RECORDS_PER_STEP: usize = 64 * 1024;

/// The job of finding the first record of a compressed batch that is as new as a target.
#[derive(Debug)]
pub(crate) struct OpenedTimes {
    segment: SegmentView,
    /// Where the batch begins, in bytes of the segment.
    position: u64,
    header: BatchHeader,
    target: Timestamp,
    opening: Opening,
    state: State,
}

#[derive(Debug)]
enum State {
    /// So much of the batch has been read.
    Reading(Vec<u8>),
    /// The batch, open; where its next record begins; how many are left.
    Open(Vec<u8>, usize, i32),
}

impl OpenedTimes {
    pub(crate) fn new(
        (segment, position): (SegmentView, u32),
        header: BatchHeader,
        target: Timestamp,
        opening: Opening,
    ) -> OpenedTimes {
        OpenedTimes {
            segment,
            position: position.into(),
            header,
            target,
            opening,
            state: State::Reading(Vec::new()),
        }
    }

    pub(crate) fn header(&self) -> &BatchHeader {
        &self.header
    }

    /// Does one step; `None`: there is more to do.
    ///
    /// # Errors
    /// As the disk says.
    pub(crate) fn step(&mut self) -> Result<Option<Found>, Error> {
        let state = mem::replace(&mut self.state, State::Reading(Vec::new()));
        let (state, found) = match state {
            State::Reading(batch) => self.read(batch)?,
            State::Open(batch, position, left) => self.walk(batch, position, left),
        };
        self.state = state;
        Ok(found)
    }

    fn read(&self, mut batch: Vec<u8>) -> Result<(State, Option<Found>), Error> {
        let size = self.header.size();
        let start = batch.len();
        batch.resize(size.min(start + READ_PER_STEP), 0);
        let position = self.position + start as u64;
        let count = read_up_to(&*self.segment.reads, &mut batch[start..], position)
            .at(&self.segment.path)?;
        if start + count < batch.len() {
            return Ok((State::Reading(batch), Some(Found::Unreadable)));
        }
        if batch.len() < size {
            return Ok((State::Reading(batch), None));
        }
        match self.opening.open(&self.header, &batch) {
            Ok(open) => {
                let state = State::Open(open, layout::RECORDS, self.header.record_count);
                Ok((state, None))
            }
            Err(_) => Ok((State::Reading(batch), Some(Found::Unreadable))),
        }
    }

    fn walk(&self, batch: Vec<u8>, mut position: usize, mut left: i32) -> (State, Option<Found>) {
        for _ in 0..RECORDS_PER_STEP {
            if left <= 0 {
                return (State::Open(batch, position, left), Some(Found::Nothing));
            }
            let head = batch.get(position..).unwrap_or_default();
            let Some((timestamp, offset, size)) = read_head(&self.header, head) else {
                return (State::Open(batch, position, left), Some(Found::Unreadable));
            };
            if timestamp >= self.target {
                let found = Found::Record(timestamp, offset);
                return (State::Open(batch, position, left), Some(found));
            }
            position = position.saturating_add(usize::try_from(size).unwrap_or(usize::MAX));
            left -= 1;
        }
        (State::Open(batch, position, left), None)
    }
}
