//! How much of a log was never compacted, and whether it is time to.

use std::mem;
use std::sync::Arc;

use message_model::{Offset, Timestamp};

use crate::error::Error;
use crate::load::Load;
use crate::log_config::CompactionConfig;
use crate::log_view::LogView;
use crate::newest::Newest;
use crate::saved_offset;
use crate::scan::Scan;
use crate::sealed::Sealed;

/// What compaction would find in a log.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Dirty {
    /// Everything below it was compacted.
    pub from: Offset,
    /// Nothing from here on may be compacted yet.
    pub until: Offset,
    /// Which part of the bytes below `until` was never compacted, from 0 to 1.
    pub ratio: f64,
    /// Whether the settings say that it is time.
    pub is_due: bool,
}

/// The job of finding what is dirty; see [`LogView::find_dirty`].
#[derive(Debug)]
pub struct FindDirty {
    view: LogView,
    now: Timestamp,
    /// Every transaction that begins below it has ended.
    stable: Offset,
    config: CompactionConfig,
    from: Offset,
    until: Offset,
    clean_bytes: u64,
    dirty_bytes: u64,
    /// The oldest first timestamp of a dirty segment.
    oldest: Option<Timestamp>,
    state: State,
}

#[derive(Debug)]
enum State {
    Begin,
    /// At a sealed segment, by its number.
    At(usize),
    /// Whether its newest record is old enough.
    Newest(usize, Newest),
    /// How old its first batch is.
    First(usize, Load),
    Done,
}

impl FindDirty {
    pub(crate) fn new(view: LogView, now: Timestamp, stable: Offset) -> FindDirty {
        FindDirty {
            now,
            stable,
            config: view.config().compaction,
            from: view.log_start,
            until: view.log_start,
            clean_bytes: 0,
            dirty_bytes: 0,
            oldest: None,
            state: State::Begin,
            view,
        }
    }

    /// Does the next step, which reads at most about 1 MiB or 256 headers. Returns what
    /// is dirty, or that nothing is; `None` if there is more to do.
    ///
    /// # Errors
    /// As the disk says.
    ///
    /// # Panics
    /// When the job has ended.
    pub fn step(&mut self) -> Result<Option<Option<Dirty>>, Error> {
        self.state = match mem::replace(&mut self.state, State::Done) {
            State::Begin => self.begin()?,
            State::At(number) => match self.view.sealed.get(number).cloned() {
                Some(sealed) if self.is_settled(&sealed) => self.enter(number, &sealed),
                _ => return Ok(Some(self.found())),
            },
            State::Newest(number, mut newest) => match newest.step()? {
                None => State::Newest(number, newest),
                Some(newest) if self.is_too_new(newest) => return Ok(Some(self.found())),
                Some(_) => self.age_of(number),
            },
            State::First(number, mut load) => match load.step()? {
                None => State::First(number, load),
                Some(loaded) => {
                    let first = Scan::new(loaded.view.clone(), 0).peek()?;
                    let first = first.map(|header| header.newest());
                    let first = first.filter(|first| *first >= Timestamp(0));
                    self.oldest = self.oldest.into_iter().chain(first).min();
                    self.count(number)
                }
            },
            State::Done => unreachable!("a job that has ended is not continued"),
        };
        Ok(None)
    }

    fn begin(&mut self) -> Result<State, Error> {
        if self.view.dir.compaction_is_given_up() {
            return Ok(State::At(self.view.sealed.len()));
        }
        let (disk, dir) = (&*self.view.dir.disk, &self.view.dir.path);
        let saved = saved_offset::read(disk, dir, saved_offset::COMPACTED_TO)?;
        // A log that ends below it is not the one that was compacted.
        let saved = saved.filter(|saved| *saved <= self.view.log_end);
        self.from = saved.unwrap_or(self.from).max(self.from);
        self.until = self.from;
        let sealed = &self.view.sealed;
        let first = sealed.partition_point(|one| one.end_offset() <= self.from);
        let clean = sealed[..first].iter();
        self.clean_bytes = clean.map(|one| u64::from(one.segment.size)).sum();
        Ok(State::At(first))
    }

    /// Whether a segment is on disk, for only then another file may take its place, and all
    /// of its transactions have ended.
    fn is_settled(&self, sealed: &Sealed) -> bool {
        sealed.unsynced().is_none() && sealed.end_offset() <= self.stable
    }

    fn enter(&mut self, number: usize, sealed: &Arc<Sealed>) -> State {
        if self.config.min_lag.is_zero() {
            return self.age_of(number);
        }
        State::Newest(number, Newest::new(&self.view, sealed))
    }

    fn is_too_new(&self, newest: Option<Timestamp>) -> bool {
        newest.is_some_and(|newest| self.now.since(newest) < self.config.min_lag)
    }

    /// The age of a segment is asked only where it can count.
    fn age_of(&mut self, number: usize) -> State {
        if self.now.since(Timestamp(0)) <= self.config.max_lag {
            return self.count(number);
        }
        let sealed = &self.view.sealed[number];
        State::First(number, Load::new(&self.view, sealed))
    }

    fn count(&mut self, number: usize) -> State {
        let segment = self.view.sealed[number].segment;
        self.dirty_bytes += u64::from(segment.size);
        self.until = segment.end_offset;
        State::At(number + 1)
    }

    fn found(&self) -> Option<Dirty> {
        let bytes = self.clean_bytes + self.dirty_bytes;
        #[expect(clippy::cast_precision_loss, reason = "a ratio")]
        let ratio = self.dirty_bytes as f64 / bytes.max(1) as f64;
        let is_overdue = self
            .oldest
            .is_some_and(|oldest| self.now.since(oldest) > self.config.max_lag);
        (self.until > self.from).then_some(Dirty {
            from: self.from,
            until: self.until,
            ratio,
            is_due: ratio > self.config.min_dirty_ratio || is_overdue,
        })
    }
}
