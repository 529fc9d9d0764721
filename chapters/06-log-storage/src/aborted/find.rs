//! Finding the aborted transactions of a range of offsets.

use std::mem;

use message_model::{Offset, OffsetRange};

use super::entry::AbortedTransaction;
use super::file::{Check, ENTRIES_PER_PIECE, EntryFile};
use super::index::{AbortedIndex, Piece, UNBOUNDED};
use crate::error::{At, Error};
use crate::log_view::LogView;
use crate::segment_view::would_wait;

/// A list has at most so many transactions, or as many as are open at the first offset.
const TRANSACTIONS_MAX: usize = 10_000;
/// A step passes at most so many segments.
const SEGMENTS_PER_STEP: usize = 1024;

/// The aborted transactions of a range of offsets, in the order of their markers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AbortedList {
    /// Those of which a record or the marker may be in the range.
    pub transactions: Vec<AbortedTransaction>,
    /// The list is complete for batches that begin below it. This is the end of the range
    /// unless the range has too many transactions, and always above its start.
    pub end: Offset,
}

/// The job of finding aborted transactions; see [`LogView::aborted`].
#[derive(Debug)]
pub struct FindAborted {
    view: LogView,
    /// Its end comes down when there are too many transactions.
    range: OffsetRange,
    found: Vec<AbortedTransaction>,
    /// When there are so many, the range is made shorter.
    full_at: usize,
    /// The number of the segment that the job is at; behind the last sealed one the active one.
    number: usize,
    /// Entries with a marker below it were looked at.
    next: Offset,
    state: State,
}

#[derive(Debug)]
enum State {
    /// What the segment has is not known.
    Enter,
    Check(Check),
    /// In its file, of which so many entries count.
    File(EntryFile, u64),
    Done,
}

impl FindAborted {
    pub(crate) fn new(view: LogView, range: OffsetRange) -> FindAborted {
        let start = range.start.max(view.log_start);
        let number = view.sealed.partition_point(|one| one.end_offset() <= start);
        let state = match start < range.end {
            true => State::Enter,
            false => State::Done,
        };
        FindAborted {
            view,
            range: OffsetRange { start, ..range },
            found: Vec::new(),
            full_at: 2 * TRANSACTIONS_MAX,
            number,
            next: start,
            state,
        }
    }

    /// Does the next step, which reads at most about 0.5 MiB. Returns the transactions;
    /// `None` if there is more to do.
    ///
    /// # Errors
    /// [`Error::Damaged`] when an index cannot be right: which records are committed
    /// is not known then. Else as the disk says.
    ///
    /// # Panics
    /// When the log has an index on disk of which no start has said up to where it holds
    /// ([`Log::keep_aborted_below`](crate::Log::keep_aborted_below)).
    pub fn step(&mut self) -> Result<Option<AbortedList>, Error> {
        match mem::replace(&mut self.state, State::Done) {
            State::Enter => self.enter(),
            State::Check(mut check) => {
                self.state = match check.step()? {
                    None => State::Check(check),
                    Some(extent) => {
                        let (index, _) = self.index().expect("its file was just checked");
                        index.checked(extent);
                        State::Enter
                    }
                };
                Ok(None)
            }
            State::File(file, count) => {
                let first = file.first_from(count, self.next)?;
                let entries = file.read(first, count - first)?;
                let is_over = self.take(&entries);
                Ok(self.go_on(is_over))
            }
            State::Done => Ok(Some(self.list())),
        }
    }

    /// Goes along the segments as far as what they have is in memory.
    fn enter(&mut self) -> Result<Option<AbortedList>, Error> {
        for _ in 0..SEGMENTS_PER_STEP {
            let Some((index, end)) = self.index() else {
                return Ok(Some(self.list()));
            };
            match index.piece(self.next, ENTRIES_PER_PIECE) {
                Piece::Unsaved(entries) if entries.is_empty() => self.number += 1,
                Piece::Unsaved(entries) => {
                    let is_over = self.take(&entries);
                    return Ok(self.go_on(is_over));
                }
                Piece::Unread => {
                    let file = self.open(index, end)?;
                    self.state = State::Check(Check::new(file)?);
                    return Ok(None);
                }
                Piece::Saved(count) => {
                    let file = self.open(index, end)?;
                    self.state = State::File(file, count);
                    return Ok(None);
                }
            }
        }
        self.state = State::Enter;
        Ok(None)
    }

    /// The index of the segment that the job is at, and above which offset it has no marker.
    fn index(&self) -> Option<(&AbortedIndex, Offset)> {
        let sealed = &self.view.sealed;
        match sealed.get(self.number) {
            Some(sealed) => Some((&sealed.aborted, sealed.end_offset())),
            None if self.number == sealed.len() => Some((&self.view.active.aborted, UNBOUNDED)),
            None => None,
        }
    }

    fn open(&self, index: &AbortedIndex, end: Offset) -> Result<EntryFile, Error> {
        if self.view.is_cached {
            return Err(would_wait()).at(&self.view.dir.path);
        }
        index.open(&self.view.dir, end)
    }

    /// Takes what overlaps of the next entries. Returns whether no later one can.
    fn take(&mut self, entries: &[AbortedTransaction]) -> bool {
        for entry in entries {
            self.next = Offset(entry.last.0.saturating_add(1));
            if entry.overlaps(self.range) {
                self.found.push(*entry);
            }
            if entry.last_stable >= self.range.end {
                return true;
            }
            if self.found.len() >= self.full_at {
                self.shorten();
                self.full_at = self.found.len().max(TRANSACTIONS_MAX) * 2;
            }
        }
        false
    }

    fn go_on(&mut self, is_over: bool) -> Option<AbortedList> {
        if is_over {
            return Some(self.list());
        }
        self.state = State::Enter;
        None
    }

    /// Ends the range where the first transaction begins that is too many.
    fn shorten(&mut self) {
        self.found.sort_unstable_by_key(|one| one.first);
        let open = self
            .found
            .partition_point(|one| one.first <= self.range.start);
        let too_many = self.found.get(open.max(TRANSACTIONS_MAX));
        if let Some(end) = too_many.map(|next| next.first) {
            self.range.end = end;
            self.found.retain(|one| one.first < end);
        }
    }

    fn list(&mut self) -> AbortedList {
        if self.found.len() > TRANSACTIONS_MAX {
            self.shorten();
            self.found.sort_unstable_by_key(|one| one.last);
        }
        AbortedList {
            transactions: mem::take(&mut self.found),
            end: self.range.end,
        }
    }
}
