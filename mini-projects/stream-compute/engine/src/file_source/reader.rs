//! The reader of a subtask: one file and stripe after the other, through one buffer.

#[cfg(test)]
mod tests;

use std::io;
use std::sync::Arc;
use std::time::Duration;

use async_model::Clock;
use message_model::Moment;
use tokio::task::JoinHandle;

use crate::error::Cause;
use crate::exchange::BATCH;
use crate::snapshot::Subtask;
use crate::source::{Read, Reader};

use super::catalog::Catalog;
use super::line_buffer::{Line, LineBuffer};
use super::open_file::{OpenFile, Position};
use super::stripe::Layout;

/// How many bytes are read at once, at most: four chunks and a line end.
const PIECE: usize = 260 * 1024;
/// How many bytes are read behind chunks: most of the time they have the end of the last line.
const LINE_END: u64 = 4 * 1024;
/// How long a reader waits until it looks again whether a file has grown.
const LOOK_AGAIN: Duration = Duration::from_millis(100);

/// The memory of the buffer, and how many bytes were read into it.
type Piece = (Vec<u8>, usize);

/// Reads the partitions of a subtask: the files in turn, and of each file the stripe that is
/// farthest behind.
#[derive(Debug)]
pub struct FileReader<F> {
    catalog: Arc<Catalog>,
    subtask: Subtask,
    parse: Arc<F>,
    follow: Option<Clock>,
    /// How many files of the catalog were looked at.
    seen: usize,
    files: Vec<OpenFile>,
    /// The file that is asked first.
    turn: usize,
    /// The file and the stripe of it that the buffer has bytes of.
    current: Option<(usize, usize)>,
    buffer: LineBuffer,
    /// The file and the end of the chunk that the buffer has just been used for: it goes on there.
    behind: Option<(usize, u64)>,
    /// Something was read since the file's turn began.
    has_read: bool,
    /// A read that is under way on another thread, and has the memory of the buffer. A dropped
    /// future leaves it here.
    reading: Option<JoinHandle<io::Result<Piece>>>,
    /// When files that are followed are looked at again.
    look_at: Moment,
}

impl<F, T> Reader for FileReader<F>
where
    F: Fn(Line<'_>) -> T + Send + Sync + 'static,
    T: Send + 'static,
{
    type Item = T;
    type Position = Position;

    async fn read(&mut self, values: &mut Vec<T>) -> Result<Read, Cause> {
        loop {
            // What was taken must be handed on before anything else, and before any wait.
            if values.is_empty() {
                self.look_again()?;
                if let Some(news) = self.files.iter_mut().find_map(OpenFile::news) {
                    return Ok(news);
                }
            }
            if let Some(current) = self.current.or_else(|| self.choose()) {
                self.read_on(current, values).await?;
                if values.len() >= BATCH || !values.is_empty() && !self.goes_on() {
                    return Ok(Read::From(self.files[current.0].partition));
                }
            } else if let Some(clock) = self.follow {
                clock.sleep_until(self.look_at).await;
            } else {
                return Ok(Read::Exhausted);
            }
        }
    }

    fn positions(&self) -> Vec<(u32, Position)> {
        self.files.iter().flat_map(OpenFile::positions).collect()
    }
}

impl<F> FileReader<F> {
    pub(super) fn new(
        catalog: Arc<Catalog>,
        subtask: Subtask,
        parse: Arc<F>,
        follow: Option<Clock>,
    ) -> FileReader<F> {
        let mut reader = FileReader {
            catalog,
            subtask,
            parse,
            follow,
            seen: 0,
            files: Vec::new(),
            turn: 0,
            current: None,
            buffer: LineBuffer::new(PIECE),
            behind: None,
            has_read: false,
            reading: None,
            look_at: Moment::START,
        };
        reader.take_files();
        reader
    }

    /// Takes its stripes of the files that the catalog has found.
    fn take_files(&mut self) {
        let listed = self.catalog.files_from(self.seen);
        self.seen += listed.len();
        let mine = listed
            .iter()
            .filter_map(|file| OpenFile::of(file, self.subtask));
        self.files.extend(mine);
    }

    /// If files are followed, and it is time: whether there are others, or there is more in them.
    fn look_again(&mut self) -> Result<(), Cause> {
        let now = self.follow.map(|clock| clock.now());
        if let Some(now) = now.filter(|now| self.current.is_none() && *now >= self.look_at) {
            self.look_at = now.plus(LOOK_AGAIN);
            self.catalog.look_again()?;
            self.take_files();
            for file in &mut self.files {
                file.waits = false;
            }
        }
        Ok(())
    }

    /// Whether the buffer may have more lines of the file whose chunk has just ended.
    fn goes_on(&self) -> bool {
        let Some((index, place)) = self.behind.filter(|_| self.current.is_none()) else {
            return false;
        };
        let file = &self.files[index];
        let next = file.next_stripe().map(|next| file.stripes[next].place);
        self.turn % self.files.len() == index && next == Some(place)
    }

    /// Begins with the next file that may have something.
    fn choose(&mut self) -> Option<(usize, usize)> {
        let count = self.files.len();
        let mut turns = (0..count).map(|step| (self.turn + step) % count);
        let (index, stripe) = turns.find_map(|index| {
            let stripe = self.files[index].next_stripe();
            Some((index, stripe.filter(|_| !self.files[index].waits)?))
        })?;
        let file = &mut self.files[index];
        let place = file.stripes[stripe].place;
        if self.behind != Some((index, place)) {
            let is_foreign = file.layout.may_be_within_line(place);
            let unfinished = std::mem::take(&mut file.unfinished);
            // With the byte before: if that is a line end, nothing is left out.
            self.buffer.begin(place - u64::from(is_foreign), unfinished);
            self.buffer.is_foreign = is_foreign;
            self.behind = None;
        }
        self.has_read = false;
        self.turn = index + 1;
        self.current = Some((index, stripe));
        self.current
    }

    /// Goes a step on in a stripe: takes its lines, or begins or ends a read.
    async fn read_on<T>(
        &mut self,
        (index, stripe): (usize, usize),
        values: &mut Vec<T>,
    ) -> Result<(), Cause>
    where
        F: Fn(Line<'_>) -> T,
    {
        if self.reading.is_some() {
            self.end_reading(index).await?;
        }
        let file = &mut self.files[index];
        let (layout, length) = (file.layout, file.length);
        let is_last = stripe + 1 == file.stripes.len();
        let stripe = &mut file.stripes[stripe];
        if self.current.is_none() {
            return Ok(());
        }
        let chunk_end = layout.chunk_end(stripe.place);
        let end = chunk_end.min(length);
        self.buffer.take_lines(end, &*self.parse, values);
        let is_done = stripe.advance(&self.buffer, layout, length);
        if is_done {
            self.current = None;
            self.behind = Some((index, chunk_end));
            if !is_last {
                // The buffer may have more of the file.
                self.turn = index;
            }
        }
        if stripe.is_over && self.follow.is_some() {
            stripe.is_over = false;
            file.waits = !file.open_successor(&self.catalog)?;
        } else if !is_done && values.is_empty() {
            let place = stripe.place;
            self.begin_reading(index, place);
        }
        Ok(())
    }

    /// Reads more for the stripe at `place`, unless it is another file's turn.
    fn begin_reading(&mut self, index: usize, place: u64) {
        let file = &mut self.files[index];
        if self.has_read && file.layout == Layout::WHOLE {
            return self.leave(index);
        }
        let from = self.buffer.read_to();
        let read = file.reading(from);
        let enough = file.run_end(place).max(from).saturating_add(LINE_END) - from;
        let (mut bytes, room) = self.buffer.lend();
        self.reading = Some(tokio::task::spawn_blocking(move || {
            let room = &mut bytes[room];
            let enough = usize::try_from(enough)
                .unwrap_or(usize::MAX)
                .min(room.len());
            let count = read(&mut room[..enough])?;
            Ok((bytes, count))
        }));
    }

    async fn end_reading(&mut self, index: usize) -> Result<(), Cause> {
        let Some(reading) = &mut self.reading else {
            return Ok(());
        };
        let read = reading.await;
        self.reading = None;
        let (bytes, count) = read??;
        let file = &mut self.files[index];
        file.note_read(self.buffer.read_to(), count)?;
        self.buffer.give_back(bytes, count);
        self.has_read = true;
        if count == 0 {
            if self.follow.is_none() || file.was_rotated(&self.catalog) {
                self.buffer.at_end = true;
            } else {
                file.waits = true;
                self.leave(index);
            }
        }
        Ok(())
    }

    /// Leaves a file that is not divided, and keeps the beginning of its next line.
    fn leave(&mut self, index: usize) {
        self.files[index].unfinished = self.buffer.unfinished();
        self.current = None;
    }
}
