//! One pass over a log.

use std::mem;
use std::ops::Range;
use std::sync::Arc;

use message_model::{Offset, Timestamp};
use record_batch::BatchHeader;

use super::batch_reader::BatchReader;
use super::dirty::Dirty;
use super::output::Output;
use super::producers::Producers;
use super::replacement::Rewritten;
use super::rewrite::{Left, Times, Unreadable, marker, open, records, rewrite};
use super::rule::{Compactor, DirtySection};
use super::transactions::Transactions;
use crate::error::Error;
use crate::log_view::LogView;
use crate::part::SEGMENT_SIZE_MAX;
use crate::saved_offset;

/// A step reads, opens and writes at most about so many bytes, or one batch.
const BYTES_PER_STEP: usize = 1024 * 1024;
/// A step looks at so many batches at most.
const BATCHES_PER_STEP: u32 = 1024;
/// So many segments become one at most: each has a file open until no reader is in it.
const SEGMENTS_PER_GROUP: usize = 8;

/// The job of compacting a log; see [`LogView::compact`].
#[derive(Debug)]
pub struct Compaction {
    view: LogView,
    compactor: Compactor,
    dirty: Dirty,
    section: Box<dyn DirtySection>,
    producers: Producers,
    /// Along the walk over the section, and then along the one over the log.
    transactions: Transactions,
    state: State,
}

#[derive(Debug)]
enum State {
    /// Noting keys, in the segment with this number.
    Note(usize, BatchReader),
    /// Before the group that begins with this segment.
    Group(usize),
    Write(Box<Writing>),
    Done,
}

/// A group of segments that is being written to one file.
#[derive(Debug)]
struct Writing {
    group: Range<usize>,
    /// The segment that is being read.
    number: usize,
    reader: BatchReader,
    out: Output,
}

/// What a step has come to.
#[derive(Debug)]
pub enum Progress {
    /// Some segments are written again. [`Rewritten::commit`] or
    /// [`Rewritten::discard`] comes next; only after a commit may the job go on.
    Rewritten(Box<Rewritten>),
    /// The pass is over: everything below this offset is compacted.
    Compacted(Offset),
}

impl Compaction {
    pub(crate) fn new(view: LogView, compactor: Compactor, dirty: Dirty) -> Result<Self, Error> {
        let sealed = &view.sealed;
        let first = sealed.partition_point(|one| one.end_offset() <= dirty.from);
        let state = match sealed.get(first) {
            Some(sealed) => State::Note(first, BatchReader::new(sealed.open(&view.dir)?)),
            None => State::Done,
        };
        Ok(Compaction {
            section: (compactor.section)(dirty.from, compactor.memory),
            transactions: Transactions::new(view.clone(), dirty.until),
            view,
            compactor,
            dirty,
            producers: Producers::default(),
            state,
        })
    }

    /// Does the next step, which reads and writes about 1 MiB, or one batch. Returns what
    /// it came to; `None` if there is more to do. `now` is when the step is done.
    ///
    /// # Errors
    /// [`Error::Damaged`] when a batch cannot be read: the log is not compacted again until
    /// it is opened again. Else as the disk says. What was not committed is as before.
    ///
    /// # Panics
    /// When the job has ended.
    pub fn step(&mut self, now: Timestamp) -> Result<Option<Progress>, Error> {
        self.step_on(now).inspect_err(|error| {
            if matches!(error, Error::Damaged { .. }) {
                self.view.dir.give_up_compaction();
            }
        })
    }

    fn step_on(&mut self, now: Timestamp) -> Result<Option<Progress>, Error> {
        match mem::replace(&mut self.state, State::Done) {
            State::Note(number, reader) => {
                self.state = self.note(number, reader)?;
                Ok(None)
            }
            State::Group(first) => self.begin(first),
            State::Write(mut writing) => match self.write(&mut writing, now) {
                Ok(false) => {
                    self.state = State::Write(writing);
                    Ok(None)
                }
                Ok(true) => Ok(self.end(*writing)),
                Err(error) => {
                    writing.out.discard(&self.view.dir);
                    Err(error)
                }
            },
            State::Done => unreachable!("a job that has ended is not continued"),
        }
    }

    /// Notes the keys of some batches.
    fn note(&mut self, number: usize, mut reader: BatchReader) -> Result<State, Error> {
        let mut budget = Budget::new();
        while budget.is_left() {
            let Some(next) = reader.peek()? else {
                return self.next_to_note(number);
            };
            if !self.transactions.is_known(&next)? {
                break;
            }
            let damaged = reader.damaged();
            let (header, batch) = reader.next()?.expect("its header was just read");
            budget.spend(batch.len());
            let range = header.range();
            if range.end <= self.dirty.from {
                continue;
            }
            // Aborted records are the newest of no key.
            if !header.is_control() && !self.transactions.pass_data(&header) {
                let Ok(open) = open(&self.compactor, &header, batch) else {
                    return Err(damaged);
                };
                budget.spend(open.len());
                let records = records(&header, &open).map_err(|_| damaged)?;
                for record in records {
                    let offset = header.base_offset.plus(record.offset_delta.into());
                    let is_dirty = offset >= self.dirty.from;
                    if is_dirty && !self.section.note(offset, record.key) {
                        return Ok(self.begin_to_write());
                    }
                }
            }
            self.producers.note(&header);
            self.section.pass(range.end);
        }
        Ok(State::Note(number, reader))
    }

    fn next_to_note(&mut self, number: usize) -> Result<State, Error> {
        self.section.pass(self.view.sealed[number].end_offset());
        let next = self.view.sealed.get(number + 1);
        Ok(
            match next.filter(|next| next.end_offset() <= self.dirty.until) {
                Some(next) => State::Note(number + 1, BatchReader::new(next.open(&self.view.dir)?)),
                None => self.begin_to_write(),
            },
        )
    }

    /// The section is complete. The walk over the whole log begins.
    fn begin_to_write(&mut self) -> State {
        self.transactions = Transactions::new(self.view.clone(), self.dirty.until);
        State::Group(0)
    }

    /// Begins to write the next group, or ends the pass.
    fn begin(&mut self, first: usize) -> Result<Option<Progress>, Error> {
        let group = self.group(first);
        let dir = &self.view.dir;
        if group.is_empty() {
            let end = self.section.end();
            let name = saved_offset::COMPACTED_TO;
            saved_offset::write(&*dir.disk, &dir.path, name, end)?;
            return Ok(Some(Progress::Compacted(end)));
        }
        let sealed = &self.view.sealed[first];
        self.state = State::Write(Box::new(Writing {
            number: first,
            reader: BatchReader::new(sealed.open(dir)?),
            out: Output::create(dir, &self.view.sealed[group.clone()])?,
            group,
        }));
        Ok(None)
    }

    /// As many segments from `first` on as may become one; none behind the section.
    fn group(&self, first: usize) -> Range<usize> {
        let sealed = &self.view.sealed;
        let limit = self.view.config().segment_bytes.min(SEGMENT_SIZE_MAX);
        let mut size = 0_u64;
        let mut end = first;
        while let Some(next) = sealed.get(end) {
            size += u64::from(next.segment.size);
            let span = next.end_offset().since(sealed[first].base_offset());
            let fits = size <= u64::from(limit)
                && span <= i64::from(i32::MAX)
                && end - first < SEGMENTS_PER_GROUP;
            if next.base_offset() >= self.section.end() || (end > first && !fits) {
                break;
            }
            end += 1;
        }
        first..end
    }

    /// Copies what survives of some batches; whether the group is complete.
    fn write(&mut self, writing: &mut Writing, now: Timestamp) -> Result<bool, Error> {
        let times = Times::new(now, self.view.config().compaction.delete_retention);
        let mut budget = Budget::new();
        while budget.is_left() {
            let Some(next) = writing.reader.peek()? else {
                if writing.number + 1 < writing.group.end {
                    writing.number += 1;
                    let next = &self.view.sealed[writing.number];
                    writing.reader = BatchReader::new(next.open(&self.view.dir)?);
                    continue;
                }
                let end = self.view.sealed[writing.number].end_offset();
                writing.out.finish(end)?;
                return Ok(true);
            };
            if !self.transactions.is_known(&next)? {
                break;
            }
            let damaged = writing.reader.damaged();
            let pair = writing.reader.next()?;
            let (header, batch) = pair.expect("its header was just read");
            budget.spend(batch.len());
            let out = &mut writing.out;
            let left = if header.is_control() {
                self.left_of_marker((&header, batch), times, out)?
            } else {
                self.left_of_data((&header, batch), times)
            };
            let left = match left.map_err(|_| damaged)? {
                Left::Nothing if self.producers.need(&header, now) => Left::without(&header, batch),
                left => left,
            };
            budget.spend(out.take(left, &header, batch)?);
        }
        Ok(false)
    }

    fn left_of_data(
        &mut self,
        (header, batch): (&BatchHeader, &[u8]),
        times: Times,
    ) -> Result<Left, Unreadable> {
        let is_aborted = self.transactions.pass_data(header);
        if header.base_offset >= self.section.end() {
            Ok(Left::All)
        } else if is_aborted || header.record_count == 0 {
            Ok(Left::Nothing)
        } else {
            rewrite(&self.compactor, &*self.section, (header, batch), times)
        }
    }

    /// A marker, and its entry in the index, stay as long as a batch of its transaction was
    /// there when the pass began.
    ///
    /// # Errors
    /// As the disk says.
    fn left_of_marker(
        &mut self,
        (header, batch): (&BatchHeader, &[u8]),
        times: Times,
        out: &mut Output,
    ) -> Result<Result<Left, Unreadable>, Error> {
        let (has_data, aborted) = self.transactions.pass_marker(header);
        let is_behind = header.base_offset >= self.section.end();
        if has_data || is_behind || !header.is_transactional() {
            out.keep_aborted(aborted)?;
            return Ok(Ok(Left::All));
        }
        out.drop_aborted(aborted);
        Ok(marker(&*self.section, (header, batch), times))
    }

    /// Goes on behind a group: a file that equals its segment is not needed.
    fn end(&mut self, writing: Writing) -> Option<Progress> {
        let dir = &self.view.dir;
        self.state = State::Group(writing.group.end);
        let old = &self.view.sealed[writing.group];
        if !writing.out.differs_from(old) {
            writing.out.discard(dir);
            return None;
        }
        Some(Progress::Rewritten(Box::new(Rewritten {
            dir: Arc::clone(dir),
            old: old.to_vec(),
            out: writing.out,
        })))
    }
}

/// What a step may still do.
struct Budget {
    bytes: usize,
    batches: u32,
}

impl Budget {
    fn new() -> Budget {
        Budget {
            bytes: BYTES_PER_STEP,
            batches: BATCHES_PER_STEP,
        }
    }

    fn is_left(&mut self) -> bool {
        let is_left = self.bytes > 0 && self.batches > 0;
        self.batches = self.batches.saturating_sub(1);
        is_left
    }

    fn spend(&mut self, bytes: usize) {
        self.bytes = self.bytes.saturating_sub(bytes);
    }
}
