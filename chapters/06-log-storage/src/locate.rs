//! Reading by offset.

use std::mem;

use message_model::Offset;

use crate::error::Error;
use crate::load::{HEADERS_PER_STEP, Load};
use crate::log_view::LogView;
use crate::scan::Scan;
use crate::segment_cache::Loaded;

/// The job of finding the batches from an offset on; see [`LogView::scan`].
#[derive(Debug)]
pub struct Locate {
    view: LogView,
    from: Offset,
    state: State,
}

#[derive(Debug)]
enum State {
    Begin,
    /// The number of a sealed segment, which is being loaded.
    Loading(usize, Load),
    /// The same, and a walk in it; the number behind the last sealed one is the active segment.
    Walking(usize, Scan),
    Done,
}

impl Locate {
    pub(crate) fn new(view: LogView, from: Offset) -> Locate {
        Locate {
            view,
            from,
            state: State::Begin,
        }
    }

    /// Does the next step, which reads at most about 1 MiB or 256 headers.
    /// Returns the batches when they are found, none if the offset is the log
    /// end; `None` if there is more to do.
    ///
    /// # Errors
    /// [`Error::OutOfRange`]; [`Error::Damaged`] (from here or from the walk)
    /// when there is no batch where one must be; else as the disk says.
    ///
    /// # Panics
    /// When the job has ended.
    pub fn step(&mut self) -> Result<Option<Scan>, Error> {
        loop {
            let state = mem::replace(&mut self.state, State::Done);
            self.state = match state {
                State::Begin => match self.begin()? {
                    Ok(scan) => return Ok(Some(scan)),
                    Err(next) => next,
                },
                State::Loading(number, mut load) => match load.step()? {
                    Some(loaded) => self.enter(number, &loaded)?,
                    None => {
                        self.state = State::Loading(number, load);
                        return Ok(None);
                    }
                },
                State::Walking(number, mut scan) => {
                    match scan.skip_to(self.from, HEADERS_PER_STEP)? {
                        Some(false) if number < self.view.sealed.len() => self.segment(number + 1),
                        Some(_) => return Ok(Some(scan)),
                        None => {
                            self.state = State::Walking(number, scan);
                            return Ok(None);
                        }
                    }
                }
                State::Done => unreachable!("a job that has ended is not continued"),
            }
        }
    }

    /// The scan, if it needs no reading; else how to go on.
    // ANCHOR: begin
    fn begin(&self) -> Result<Result<Scan, State>, Error> {
        let (view, from) = (&self.view, self.from);
        if from < view.log_start || from > view.log_end {
            return Err(view.out_of_range(from));
        }
        if from == view.log_end {
            // Most fetches of a live consumer end here.
            return Ok(Ok(Scan::new(view.active_view(), view.size)));
        }
        let known = view.active.known_from(from, view.size);
        if !known.is_empty() {
            return Ok(Ok(Scan::from_known(view.active_view(), known)));
        }
        let sealed = &view.sealed;
        let behind = sealed.partition_point(|one| one.end_offset() <= from);
        Ok(Err(self.segment(behind)))
    }
    // ANCHOR_END: begin

    fn segment(&self, number: usize) -> State {
        let view = &self.view;
        match view.sealed.get(number) {
            Some(sealed) => State::Loading(number, Load::new(view, sealed)),
            None => {
                // This index has never left memory.
                let position = view.active.position_of(self.from);
                State::Walking(number, Scan::new(view.active_view(), position))
            }
        }
    }

    fn enter(&self, number: usize, loaded: &Loaded) -> Result<State, Error> {
        Ok(match scan_from(&self.view, loaded, self.from)? {
            Some(scan) => State::Walking(number, scan),
            None => {
                let sealed = &self.view.sealed[number];
                State::Loading(number, Load::rebuild(&self.view, sealed)?)
            }
        })
    }
}

/// The walk from the last indexed batch at or below `offset`; `None` when the
/// index is wrong there.
///
/// # Errors
/// As the disk says.
// ANCHOR: scan_from
pub(crate) fn scan_from(
    view: &LogView,
    loaded: &Loaded,
    offset: Offset,
) -> Result<Option<Scan>, Error> {
    let position = loaded.indexes.offsets.lookup(offset);
    let mut scan = Scan::new(view.as_read(loaded.view.clone()), position);
    if position == 0 || loaded.indexes.is_made_here() {
        return Ok(Some(scan));
    }
    match scan.peek() {
        Ok(Some(header)) if header.base_offset <= offset => Ok(Some(scan)),
        Ok(_) | Err(Error::Damaged { .. }) => Ok(None),
        Err(error) => Err(error),
    }
}
// ANCHOR_END: scan_from
