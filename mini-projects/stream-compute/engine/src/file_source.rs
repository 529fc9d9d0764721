//! Lines of files.

use std::fs::{self, File};
use std::io::{self, BufRead, Read as _, Seek, SeekFrom};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use async_model::Clock;
use serde::{Deserialize, Serialize};

use tokio::task::JoinHandle;

use crate::error::Cause;
use crate::exchange::BATCH;
use crate::snapshot::Subtask;
use crate::source::{Read, Reader, Source};

/// The longest line that is taken whole, in bytes without its line end.
pub const LINE_BYTES_MAX: usize = 64 * 1024;
/// How many bytes are read at once.
const CHUNK: usize = 4 * LINE_BYTES_MAX;

/// A line of a file, as it is in memory.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Line<'a> {
    /// Counted from 1, in its file.
    pub number: u64,
    /// Without `\n` or `\r\n`. Of a line that is too long, its beginning.
    pub text: &'a [u8],
    /// It is longer than [`LINE_BYTES_MAX`].
    pub too_long: bool,
}

/// How long a reader waits until it looks again whether a file has grown.
const LOOK_AGAIN: Duration = Duration::from_millis(100);

/// The lines of files, from their starts to their ends. Each file is a partition; a pipe such as
/// `/dev/stdin` is one too, and a resumed job expects the same lines again from the first one on.
pub struct FileSource<F> {
    files: Vec<PathBuf>,
    parse: Arc<F>,
    /// If the files grow: what to wait by.
    follow: Option<Clock>,
}

impl<F> std::fmt::Debug for FileSource<F> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "FileSource({:?})", self.files)
    }
}

impl<F, T> FileSource<F>
where
    F: Fn(Line<'_>) -> T + Send + Sync + 'static,
    T: Send + 'static,
{
    /// `parse` makes a value of each line. It sees the line where it is, so nothing is copied
    /// that it does not want.
    pub fn new(files: Vec<PathBuf>, parse: F) -> FileSource<F> {
        FileSource {
            files,
            parse: Arc::new(parse),
            follow: None,
        }
    }

    /// The files may grow, so they have no end. A last line without a line end is not whole yet.
    #[must_use]
    pub fn follow(self, clock: Clock) -> FileSource<F> {
        FileSource {
            follow: Some(clock),
            ..self
        }
    }
}

impl<F, T> Source for FileSource<F>
where
    F: Fn(Line<'_>) -> T + Send + Sync + 'static,
    T: Send + 'static,
{
    type Item = T;
    type Reader = FileReader<F>;

    fn parallelism(&self, wanted: usize) -> usize {
        wanted.min(self.files.len())
    }

    fn open(&self, subtask: Subtask, positions: Vec<(u32, Place)>) -> Result<FileReader<F>, Cause> {
        let mut files = Vec::new();
        for (number, path) in (0..).zip(&self.files) {
            if number as usize % subtask.count != subtask.index {
                continue;
            }
            let place = positions.iter().find(|(other, _)| *other == number);
            let place = place.map_or(Place::default(), |(_, place)| *place);
            files.push(OpenFile::open(number, path, place)?);
        }
        Ok(FileReader {
            files,
            turn: 0,
            parse: Arc::clone(&self.parse),
            follow: self.follow,
        })
    }
}

/// Where in a file a reader is: always between two lines.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Place {
    /// How many bytes are before it.
    pub bytes: u64,
    /// How many lines are before it.
    pub lines: u64,
}

/// Reads the files of a subtask in turn.
#[derive(Debug)]
pub struct FileReader<F> {
    files: Vec<OpenFile>,
    turn: usize,
    parse: Arc<F>,
    follow: Option<Clock>,
}

impl<F, T> Reader for FileReader<F>
where
    F: Fn(Line<'_>) -> T + Send + Sync + 'static,
    T: Send + 'static,
{
    type Item = T;
    type Position = Place;

    async fn read(&mut self, values: &mut Vec<T>) -> Result<Read, Cause> {
        let mut unopened = self.files.iter_mut();
        if let Some(next) = unopened.find(|file| !file.opened) {
            next.opened = true;
            return Ok(Read::Opened(next.number));
        }
        loop {
            for _ in 0..self.files.len() {
                let turn = self.turn % self.files.len();
                if let Some(read) = self.read_from(turn, values).await? {
                    return Ok(read);
                }
                self.turn = turn + 1;
            }
            let Some(clock) = self.follow else {
                return Ok(Read::Exhausted);
            };
            clock.sleep_until(clock.now().plus(LOOK_AGAIN)).await;
        }
    }

    fn positions(&self) -> Vec<(u32, Place)> {
        let files = self.files.iter();
        files.map(|file| (file.number, file.place)).collect()
    }
}

impl<F> FileReader<F> {
    /// Reads on in one file; `None` if it has nothing now.
    async fn read_from<T>(
        &mut self,
        turn: usize,
        values: &mut Vec<T>,
    ) -> Result<Option<Read>, Cause>
    where
        F: Fn(Line<'_>) -> T,
    {
        let file = &mut self.files[turn];
        while !file.is_over {
            // A read that a dropped future has begun has the buffer.
            if file.reading.is_none() && file.take_lines(&*self.parse, values) {
                self.turn = turn + 1;
                return Ok(Some(Read::From(file.number)));
            }
            if file.at_end {
                file.is_over = true;
                return Ok(Some(Read::Ended(file.number)));
            }
            if file.fill().await? == 0 {
                if self.follow.is_some() {
                    file.check_same()?;
                    return Ok(None);
                }
                file.at_end = true;
            }
        }
        Ok(None)
    }
}

/// File, buffer, and how many bytes were read into it.
type Chunk = (File, Vec<u8>, usize);

/// A file of which a piece is in memory.
#[derive(Debug)]
struct OpenFile {
    number: u32,
    path: PathBuf,
    /// Whether the task knows of it.
    opened: bool,
    place: Place,
    /// What has been read and not taken: `buffer[from..to]`.
    buffer: Vec<u8>,
    from: usize,
    to: usize,
    /// How many bytes of a line that is too long were dropped, behind what is in the buffer of it.
    dropped: u64,
    file: Option<File>,
    /// How many bytes of a pipe were taken before the job was resumed.
    skip: u64,
    /// A read that is under way on another thread. It has file and buffer.
    reading: Option<JoinHandle<io::Result<Chunk>>>,
    /// Nothing more can be read.
    at_end: bool,
    /// Nothing more can be taken.
    is_over: bool,
}

impl OpenFile {
    fn open(number: u32, path: &Path, place: Place) -> Result<OpenFile, Cause> {
        let mut file = File::open(path)?;
        let skip = match file.seek(SeekFrom::Start(place.bytes)) {
            Err(error) if error.kind() == io::ErrorKind::NotSeekable => place.bytes,
            sought => sought.map(|_| 0)?,
        };
        Ok(OpenFile {
            number,
            path: path.to_owned(),
            skip,
            opened: false,
            place,
            buffer: vec![0; CHUNK],
            from: 0,
            to: 0,
            dropped: 0,
            file: Some(file),
            reading: None,
            at_end: false,
            is_over: false,
        })
    }

    /// Reads on, on a thread that may wait. Returns how many bytes there were.
    async fn fill(&mut self) -> Result<usize, Cause> {
        if self.reading.is_none() {
            let Some(mut file) = self.file.take() else {
                return Err("the file is gone with a read that failed".into());
            };
            self.make_room();
            let mut buffer = std::mem::take(&mut self.buffer);
            let (from, skip) = (self.to, std::mem::take(&mut self.skip));
            self.reading = Some(tokio::task::spawn_blocking(move || {
                io::copy(&mut file.by_ref().take(skip), &mut io::sink())?;
                let count = file.read(&mut buffer[from..])?;
                Ok((file, buffer, count))
            }));
        }
        let Some(reading) = &mut self.reading else {
            return Ok(0);
        };
        let read = reading.await;
        self.reading = None;
        let (file, buffer, count) = read??;
        (self.file, self.buffer) = (Some(file), buffer);
        self.to += count;
        Ok(count)
    }

    /// Whether the path still leads to the file, and the file has what was read of it.
    fn check_same(&self) -> Result<(), Cause> {
        let opened = self.file.as_ref().map(File::metadata).transpose()?;
        let opened = opened.ok_or("the file is gone with a read that failed")?;
        let now = fs::metadata(&self.path)?;
        if (now.dev(), now.ino()) != (opened.dev(), opened.ino()) {
            return Err("another file has its name now: the log was rotated".into());
        }
        if now.is_file() && now.len() < self.place.bytes {
            return Err("the file was cut".into());
        }
        Ok(())
    }

    /// Moves the beginning of a line to the front. Of one that is too long, keeps so much
    /// that it can be seen to be.
    fn make_room(&mut self) {
        let kept = (self.to - self.from).min(LINE_BYTES_MAX + 1);
        self.dropped += (self.to - self.from - kept) as u64;
        self.buffer.copy_within(self.from..self.from + kept, 0);
        (self.from, self.to) = (0, kept);
    }

    /// Takes whole lines out of the buffer, at most a batch; `false` if there is none. At the end
    /// of the file the last line is whole without a line end.
    fn take_lines<T>(&mut self, parse: &impl Fn(Line<'_>) -> T, values: &mut Vec<T>) -> bool {
        while values.len() < BATCH && self.from < self.to {
            let rest = &self.buffer[self.from..self.to];
            let length = line_length(rest);
            let line = &rest[..length];
            let text = match line.strip_suffix(b"\n") {
                Some(text) => text.strip_suffix(b"\r").unwrap_or(text),
                None if self.at_end => line,
                None => break,
            };
            self.place.lines += 1;
            self.place.bytes += self.dropped + length as u64;
            let too_long = self.dropped > 0 || text.len() > LINE_BYTES_MAX;
            values.push(parse(Line {
                number: self.place.lines,
                text: &text[..text.len().min(LINE_BYTES_MAX)],
                too_long,
            }));
            self.from += length;
            self.dropped = 0;
        }
        !values.is_empty()
    }
}

/// How long the first line is, with its line end if that is there.
fn line_length(mut bytes: &[u8]) -> usize {
    // Reading from memory does not fail.
    bytes.skip_until(b'\n').unwrap_or(0)
}
