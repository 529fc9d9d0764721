//! A file that is read, and its position.

use std::ffi::OsString;
use std::fs::File;
use std::io::{self, Read as _};
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::error::Cause;
use crate::snapshot::Subtask;
use crate::source::Read;

use super::catalog::{CUT, Catalog, Listed};
use super::file_id::FileId;
use super::line_buffer::Unfinished;
use super::stripe::{Layout, Stripe};

/// How far a stripe of a file was read.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Position {
    pub(super) path: OsString,
    /// `None` of a pipe.
    pub(super) id: Option<FileId>,
    /// Files that had its name before, were read to their ends, and are still in its folder.
    pub(super) past: Vec<FileId>,
    pub(super) stripe: u32,
    pub(super) layout: Layout,
    pub(super) place: u64,
    /// The file had nothing more.
    pub(super) at_end: bool,
}

/// Says which file an error is about.
pub(super) fn at(path: &Path) -> impl Fn(io::Error) -> Cause {
    move |error| format!("{}: {error}", path.display()).into()
}

/// The stripes of a file that one subtask reads.
#[derive(Debug)]
pub(super) struct OpenFile {
    /// The first number of its partitions.
    first: u32,
    /// These stripes, as a partition of the source.
    pub(super) partition: u32,
    /// What the task was told of the partition last.
    told: Option<Read>,
    path: PathBuf,
    file: Arc<File>,
    id: Option<FileId>,
    past: Vec<FileId>,
    pub(super) layout: Layout,
    pub(super) length: u64,
    pub(super) stripes: Vec<Stripe>,
    /// How many bytes of a pipe were taken before the job was resumed.
    skip: u64,
    /// The end of what was read of it, if it is not divided.
    pub(super) unfinished: Unfinished,
    /// It is followed, and has nothing more for now.
    pub(super) waits: bool,
    /// The last read found nothing.
    at_end: bool,
    /// Another file has had its name for a while.
    is_renamed: bool,
}

impl OpenFile {
    /// The stripes that `subtask` reads. `None` if there are none.
    pub(super) fn of(listed: &Listed, subtask: Subtask) -> Option<OpenFile> {
        let Listed { layout, first, .. } = *listed;
        let mut partition = first;
        let mut stripes = Vec::new();
        for number in 0..layout.stripes {
            let (part, of_part) = layout.part(number, subtask.count);
            if (first + part) as usize % subtask.count == subtask.index {
                partition = first + of_part;
                let place = listed.places.get(number as usize).copied();
                stripes.push(Stripe {
                    number,
                    place: place.unwrap_or(layout.first_chunk(number)),
                    is_over: false,
                });
            }
        }
        let read = stripes.first()?.place;
        Some(OpenFile {
            first,
            partition,
            told: None,
            path: listed.path.clone(),
            file: Arc::clone(&listed.file),
            id: listed.id,
            past: listed.past.clone(),
            layout,
            length: listed.length,
            stripes,
            skip: if listed.id.is_some() { 0 } else { read },
            unfinished: Unfinished::default(),
            waits: false,
            at_end: false,
            is_renamed: false,
        })
    }

    /// What the task must be told of the partition before anything else.
    pub(super) fn news(&mut self) -> Option<Read> {
        let is_over = self.stripes.iter().all(|stripe| stripe.is_over);
        let news = match self.told {
            None => Read::Opened(self.partition),
            Some(Read::Opened(_)) if is_over => Read::Ended(self.partition),
            Some(_) => return None,
        };
        self.told = Some(news);
        self.told
    }

    /// The stripe that is farthest behind.
    pub(super) fn next_stripe(&self) -> Option<usize> {
        let stripes = self.stripes.iter().enumerate();
        let open = stripes.filter(|(_, stripe)| !stripe.is_over);
        open.min_by_key(|(_, stripe)| stripe.place)
            .map(|(index, _)| index)
    }

    /// Where the chunks end that are of its stripes and follow each other, with `place` in one.
    pub(super) fn run_end(&self, place: u64) -> u64 {
        let Layout { stripes, chunk } = self.layout;
        let last = self.stripes.last().map_or(0, |stripe| stripe.number);
        let round = chunk.saturating_mul(stripes.into());
        place - place % round + chunk.saturating_mul(u64::from(last) + 1)
    }

    pub(super) fn positions(&self) -> impl Iterator<Item = (u32, Position)> {
        self.stripes.iter().map(|stripe| {
            let position = Position {
                path: self.path.clone().into_os_string(),
                id: self.id,
                past: self.past.clone(),
                stripe: stripe.number,
                layout: self.layout,
                place: stripe.place,
                at_end: stripe.is_over || self.at_end && self.layout == Layout::WHOLE,
            };
            (self.first + stripe.number, position)
        })
    }

    /// What reads on at `place`, into memory from `from` on, and returns how many bytes there
    /// were. May wait, so it is for another thread.
    pub(super) fn reading(
        &mut self,
        place: u64,
    ) -> impl FnOnce(&mut [u8]) -> io::Result<usize> + Send + 'static {
        let (file, is_pipe) = (Arc::clone(&self.file), self.id.is_none());
        let skip = std::mem::take(&mut self.skip);
        move |bytes| {
            if !is_pipe {
                return file.read_at(bytes, place);
            }
            io::copy(&mut (&*file).take(skip), &mut io::sink())?;
            (&*file).read(bytes)
        }
    }

    /// Notes how many bytes were found behind `place`.
    ///
    /// # Errors
    /// When there should have been some, because the file was longer before.
    pub(super) fn note_read(&mut self, place: u64, count: usize) -> Result<(), Cause> {
        self.at_end = count == 0;
        if self.at_end && self.id.is_some() {
            let now = self.file.metadata().map_err(at(&self.path))?.len();
            let is_whole = self.layout == Layout::WHOLE;
            if now < if is_whole { place } else { self.length } {
                return Err(at(&self.path)(io::Error::other(CUT)));
            }
        }
        Ok(())
    }

    /// Whether nothing will be added to this file, which is followed and was read to its end:
    /// since the end was seen before, another file has its name.
    pub(super) fn was_rotated(&mut self, catalog: &Catalog) -> bool {
        let named = FileId::at(&self.path).filter(|named| Some(*named) != self.id);
        // If another partition has that file, this one is the older of two that are followed.
        let is_renamed = named.is_some_and(|named| !catalog.knows(named));
        // A program that writes opens the new file a moment after it was made.
        is_renamed && std::mem::replace(&mut self.is_renamed, is_renamed)
    }

    /// Goes on with the file that had the name next. `false` if there is none.
    ///
    /// # Errors
    /// When it cannot be opened.
    pub(super) fn open_successor(&mut self, catalog: &Catalog) -> Result<bool, Cause> {
        let Some(old) = self.id else {
            return Ok(false);
        };
        let successors = old.successors(&self.path).map_err(at(&self.path))?;
        let mut unread = successors.into_iter();
        let Some((path, id)) = unread.find(|(_, id)| !catalog.knows(*id)) else {
            return Ok(false);
        };
        let file = File::open(&path).map_err(at(&path))?;
        let found = file.metadata().map_err(at(&path))?;
        if FileId::of(&found) != Some(id) {
            // It was rotated at this moment.
            return Ok(false);
        }
        catalog.add(id);
        self.past.push(old);
        self.past
            .retain(|id| matches!(id.find_beside(&self.path), Ok(Some(_))));
        (self.file, self.id) = (Arc::new(file), Some(id));
        self.is_renamed = false;
        for stripe in &mut self.stripes {
            stripe.place = 0;
        }
        Ok(true)
    }
}
