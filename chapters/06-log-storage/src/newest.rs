//! The largest timestamp of a sealed segment.

use std::mem;
use std::sync::Arc;

use message_model::{Offset, Timestamp};

use crate::error::Error;
use crate::indexes::{last_offset, newest_of};
use crate::load::{HEADERS_PER_STEP, Load};
use crate::locate::scan_from;
use crate::log_view::LogView;
use crate::scan::Scan;
use crate::sealed::Sealed;
use crate::segment_cache::Loaded;

/// The job of finding the largest timestamp of a sealed segment; it is kept there.
#[derive(Debug)]
pub(crate) struct Newest {
    view: LogView,
    sealed: Arc<Sealed>,
    state: State,
}

#[derive(Debug)]
enum State {
    Begin,
    Load(Load),
    /// To the batch of the time index's last entry, which has to be as the entry says.
    Check(Scan, Timestamp, Offset),
    /// Over the batches behind.
    Walk(Scan, Option<Timestamp>),
    Done,
}

impl Newest {
    pub(crate) fn new(view: &LogView, sealed: &Arc<Sealed>) -> Newest {
        Newest {
            view: view.clone(),
            sealed: Arc::clone(sealed),
            state: State::Begin,
        }
    }

    /// Does one step; `None`: there is more to do. A segment without records has no newest one.
    ///
    /// # Errors
    /// [`Error::Damaged`] when it cannot be known; else as the disk says.
    pub(crate) fn step(&mut self) -> Result<Option<Option<Timestamp>>, Error> {
        if let Some(newest) = self.sealed.newest.get() {
            return Ok(Some(*newest));
        }
        self.state = match mem::replace(&mut self.state, State::Done) {
            State::Begin => State::Load(Load::new(&self.view, &self.sealed)),
            State::Load(mut load) => match load.step()? {
                None => State::Load(load),
                Some(loaded) => self.enter(&loaded)?,
            },
            State::Check(mut scan, timestamp, offset) => {
                match is_as_indexed(&mut scan, timestamp, offset)? {
                    None => State::Check(scan, timestamp, offset),
                    Some(true) => State::Walk(scan, None),
                    Some(false) => self.rebuild()?,
                }
            }
            State::Walk(scan, newest) => match walk(scan, newest)? {
                Ok(state) => state,
                Err(newest) => return Ok(Some(*self.sealed.newest.get_or_init(|| newest))),
            },
            State::Done => unreachable!("a job that has ended is not continued"),
        };
        Ok(None)
    }

    fn enter(&self, loaded: &Loaded) -> Result<State, Error> {
        let segment = self.view.as_read(loaded.view.clone());
        let last = loaded.indexes.times.last();
        Ok(match last.filter(|_| !loaded.indexes.is_made_here()) {
            None => State::Walk(Scan::new(segment, 0), None),
            Some((timestamp, offset)) => match scan_from(&self.view, loaded, offset)? {
                Some(scan) => State::Check(scan, timestamp, offset),
                None => self.rebuild()?,
            },
        })
    }

    fn rebuild(&self) -> Result<State, Error> {
        let load = Load::rebuild(&self.view, &self.sealed)?;
        Ok(State::Load(load))
    }
}

/// Whether a batch is as an entry of a time index says: it has this largest timestamp and
/// this last offset. `scan` is at the batch then. `None`: there is more to do.
///
/// # Errors
/// As the disk says; a segment that cannot be read there is not as the entry says.
pub(crate) fn is_as_indexed(
    scan: &mut Scan,
    timestamp: Timestamp,
    offset: Offset,
) -> Result<Option<bool>, Error> {
    match scan.skip_to(offset, HEADERS_PER_STEP) {
        Ok(Some(true)) => {
            let header = scan.peek()?;
            Ok(Some(header.is_some_and(|header| {
                newest_of(&header) == timestamp && last_offset(&header) == offset
            })))
        }
        Err(Error::Damaged { .. }) => Ok(Some(false)),
        others => others,
    }
}

/// How the walk goes on, or at its end the newest timestamp in it.
fn walk(
    mut scan: Scan,
    mut newest: Option<Timestamp>,
) -> Result<Result<State, Option<Timestamp>>, Error> {
    for _ in 0..HEADERS_PER_STEP {
        match scan.next() {
            Some(batch) => newest = newest.max(Some(newest_of(&batch?.1))),
            None => return Ok(Err(newest)),
        }
    }
    Ok(Ok(State::Walk(scan, newest)))
}
