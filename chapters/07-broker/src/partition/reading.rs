//! The job of reading a run of batches, with what a reader of committed data must leave out.

use std::mem;

use log_storage::{AbortedList, FindAborted, Locate, LogView, Scan};
use message_model::{Offset, OffsetRange};
use networking::FileRange;

use crate::error::Error;
use crate::part::{Want, whole_batches};

/// How many batches of one partition a fetch returns at most: a bound on the
/// headers that are read in one go, whatever a client asks for.
const BATCHES_MAX: usize = 4_096;

/// What was read.
#[derive(Debug)]
pub(super) struct Batches {
    /// Whole batches, unread.
    pub(super) slice: FileRange,
    /// Their offsets.
    pub(super) range: OffsetRange,
    /// The aborted transactions that overlap the range, if they were asked for.
    pub(super) aborted: Option<AbortedList>,
}

/// A job in bounded pieces.
pub(super) struct Reading {
    view: LogView,
    want: Want,
    lists_aborted: bool,
    state: State,
}

enum State {
    /// Looks for the batches, with the list if it is known.
    Locating(Locate, Option<AbortedList>),
    /// Looks for the list that belongs to the batches.
    Listing(Batches, FindAborted),
    Done,
}

impl Reading {
    pub(super) fn new(view: LogView, want: Want, lists_aborted: bool) -> Reading {
        Reading {
            state: State::Locating(view.scan(want.from), None),
            view,
            want,
            lists_aborted,
        }
    }

    /// The batches, if there are any; `None` while there is more to do.
    ///
    /// # Panics
    /// When the job has ended.
    pub(super) fn step(&mut self) -> Result<Option<Option<Batches>>, Error> {
        loop {
            self.state = match mem::replace(&mut self.state, State::Done) {
                State::Locating(mut locate, list) => {
                    let Some(mut scan) = locate.step()? else {
                        self.state = State::Locating(locate, list);
                        return Ok(None);
                    };
                    let is_complete = list.is_some() || !self.lists_aborted;
                    match self.select(&mut scan, list)? {
                        Some(batches) if !is_complete => {
                            let find = self.view.aborted(batches.range);
                            State::Listing(batches, find)
                        }
                        selected => return Ok(Some(selected)),
                    }
                }
                State::Listing(batches, mut find) => match find.step()? {
                    None => {
                        self.state = State::Listing(batches, find);
                        return Ok(None);
                    }
                    Some(list) if list.end < batches.range.end => {
                        // So many transactions that fewer batches are returned.
                        State::Locating(self.view.scan(self.want.from), Some(list))
                    }
                    Some(list) => {
                        let aborted = Some(list);
                        return Ok(Some(Some(Batches { aborted, ..batches })));
                    }
                },
                State::Done => unreachable!("a job that has ended is not continued"),
            }
        }
    }

    /// The first batches of `scan` that are wanted, and for which the list is complete.
    fn select(&self, scan: &mut Scan, list: Option<AbortedList>) -> Result<Option<Batches>, Error> {
        let end = list.as_ref().map_or(Offset(i64::MAX), |list| list.end);
        let batches = scan.by_ref().take(BATCHES_MAX);
        let listed = batches.take_while(|batch| match batch {
            Ok((_, header)) => header.base_offset < end,
            Err(_) => true,
        });
        let selection = whole_batches(listed, self.want)?;
        Ok(selection.map(|selection| Batches {
            slice: scan.file_range(selection.position, selection.length),
            range: selection.range,
            aborted: list,
        }))
    }
}
