//! Where lines come from.

use std::fmt;
use std::io::{self, ErrorKind};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use tokio::fs::File;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncSeekExt, Stdin};

use crate::again::Again;
use crate::error::Error;
use crate::rotation::{self, LogFile, look};

/// How much is read at once, in bytes.
const CHUNK_BYTES: usize = 64 * 1024;
/// How many looks in a row must find nothing new in a file that was rotated, when the next file
/// has lines already. Each process of a web server begins the new file by itself, so one may still
/// write to the old file.
const LOOKS_BEFORE_NEXT: u32 = 10;

/// Where the lines come from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Source {
    /// Files, each from its start to its end, one after the other. At least one.
    Files(Vec<PathBuf>),
    /// A file that grows: like `tail -F`, but from its start. When the file is
    /// replaced (rotation) or cut (truncation), it goes on with the new start.
    Follow(PathBuf),
    /// Standard input, to its end.
    Stdin,
}

/// What one read of an input gives.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Chunk {
    /// The next bytes; at least one.
    Bytes(Vec<u8>),
    /// The file has ended, in a line or not. What comes is of the next one.
    Break,
    /// As `Break`, because the file was cut. What was in it and was not read is lost.
    Cut,
    /// Nothing more at the moment: a followed file may grow.
    Nothing,
    /// All was read.
    End,
}

/// Where a line begins. It stays so when the file gets another name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Place {
    /// The inode of its file.
    pub file: u64,
    /// How many bytes of the file are before it.
    pub at: u64,
}

/// A source that is being read, and how far it was read.
#[derive(Debug)]
pub struct Input {
    source: Source,
    open: Open,
    /// How many bytes there are in the open file in front of what is read next.
    position: u64,
    /// The inode of the file with the first line. `None` if that is not known, or is there no more.
    first: Option<u64>,
    /// Which of several files is open, counted from 0.
    index: usize,
    /// How many looks in a row have found nothing but a next file.
    looks: u32,
}

#[derive(Debug)]
enum Open {
    File(File, u64),
    /// The log was renamed, and the next file with its name is not there yet.
    Missing,
    Stdin(Stdin),
}

impl Input {
    /// Opens `source`, to read it from its start.
    ///
    /// # Errors
    /// When the file cannot be opened. A followed file may be missing for as long as there are
    /// files that were rotated.
    pub async fn open(source: Source) -> Result<Input, Error> {
        let open = match &source {
            Source::Stdin => Open::Stdin(tokio::io::stdin()),
            Source::Files(paths) => match paths.first() {
                None => Open::Missing,
                Some(path) => open(path).await.map_err(at(path))?,
            },
            Source::Follow(path) => match open(path).await {
                Err(error) if error.kind() == ErrorKind::NotFound && is_rotated(path) => {
                    Open::Missing
                }
                opened => opened.map_err(at(path))?,
            },
        };
        let mut input = Input {
            source,
            open,
            position: 0,
            first: None,
            index: 0,
            looks: 0,
        };
        input.first = input.file();
        Ok(input)
    }

    /// The inode of the open file, if it is one.
    #[must_use]
    pub fn file(&self) -> Option<u64> {
        match &self.open {
            Open::File(_, file) => Some(*file),
            Open::Missing | Open::Stdin(_) => None,
        }
    }

    /// The first line was in this file, or it is not known in which.
    pub fn began_in(&mut self, file: Option<u64>) {
        self.first = file;
    }

    /// Goes to a line, which is read next. Returns `false` if no file has it. The file may have
    /// another name by now; or another inode, if it was compressed and opened again.
    ///
    /// # Errors
    /// When a file cannot be read.
    pub async fn go_to(&mut self, place: Place, text: &[u8]) -> Result<bool, Error> {
        let found = self.find(place, text).map_err(at(self.source.path()))?;
        let Some(path) = found else {
            return Ok(false);
        };
        let mut open = open(&path).await.map_err(at(&path))?;
        if let Open::File(file, _) = &mut open {
            let seek = file.seek(io::SeekFrom::Start(place.at)).await;
            seek.map_err(at(&path))?;
        }
        (self.open, self.position, self.looks) = (open, place.at, 0);
        if let Source::Files(paths) = &self.source {
            let index = paths.iter().position(|one| *one == path);
            self.index = index.unwrap_or(0);
        }
        Ok(true)
    }

    fn find(&self, place: Place, text: &[u8]) -> io::Result<Option<PathBuf>> {
        let mut files = self.files(Some(place.file))?;
        files.retain(|file| !file.is_compressed);
        files.sort_by_key(|file| file.file != place.file);
        for file in files {
            if file.has_line(place.at, text)? {
                return Ok(Some(file.path));
            }
        }
        Ok(None)
    }

    /// All files that the source has now, the oldest first.
    fn files(&self, also: Option<u64>) -> io::Result<Vec<LogFile>> {
        match &self.source {
            Source::Stdin => Ok(Vec::new()),
            Source::Follow(path) => rotation::files(path, also),
            Source::Files(paths) => {
                let files = paths.iter().map(|path| look(path, true));
                files.filter_map(Result::transpose).collect()
            }
        }
    }

    /// The files that were read and how many bytes of each, the oldest first; if reading them
    /// again gives the same lines.
    #[must_use]
    pub fn can_be_read_again(&self) -> Option<Vec<(PathBuf, u64)>> {
        let (first, last) = (self.first?, self.file()?);
        let files = self.files(Some(first)).ok()?;
        let place = |of| files.iter().position(|file| file.file == of);
        let files = files.get(place(first)?..=place(last)?)?;
        let again = |one: &LogFile| {
            let bytes = match one.file == last {
                true => self.position,
                false => one.bytes,
            };
            (!one.is_compressed).then(|| (one.path.clone(), bytes))
        };
        files.iter().map(again).collect()
    }

    /// Whether there is more to read than the open file has.
    pub(crate) fn has_next(&self) -> bool {
        self.looks > 0
    }

    /// Reads on. Dropping it half-way loses nothing that was not read yet.
    ///
    /// # Errors
    /// When a file cannot be read.
    pub async fn next(&mut self) -> Result<Chunk, Error> {
        let bytes = match &mut self.open {
            Open::File(file, _) => read(file).await,
            Open::Stdin(stdin) => read(stdin).await,
            Open::Missing => Ok(Vec::new()),
        };
        let bytes = bytes.map_err(at(self.source.path()))?;
        if !bytes.is_empty() {
            self.position += bytes.len() as u64;
            self.looks = 0;
            return Ok(Chunk::Bytes(bytes));
        }
        match self.source.clone() {
            Source::Stdin => Ok(Chunk::End),
            Source::Files(paths) => self.open_next(&paths).await,
            Source::Follow(path) => self.look_again(&path).await,
        }
    }

    /// Opens the next one of several files.
    async fn open_next(&mut self, paths: &[PathBuf]) -> Result<Chunk, Error> {
        let Some(path) = paths.get(self.index + 1) else {
            return Ok(Chunk::End);
        };
        self.open = open(path).await.map_err(at(path))?;
        (self.index, self.position) = (self.index + 1, 0);
        Ok(Chunk::Break)
    }

    /// At the end of a file that is followed: is it still the one with this name, and as long?
    async fn look_again(&mut self, path: &Path) -> Result<Chunk, Error> {
        let Open::File(file, _) = &mut self.open else {
            // It begins with the first line of a new file.
            match open(path).await {
                Err(error) if error.kind() == ErrorKind::NotFound => {}
                opened => {
                    self.open = opened.map_err(at(path))?;
                    self.first = self.file();
                }
            }
            return Ok(Chunk::Nothing);
        };
        let mine = file.metadata().await.map_err(at(path))?;
        if mine.len() > self.position {
            // It has grown since: read that first.
            return Ok(Chunk::Nothing);
        }
        if mine.len() < self.position {
            file.rewind().await.map_err(at(path))?;
            (self.position, self.first) = (0, None);
            return Ok(Chunk::Cut);
        }
        let named = tokio::fs::metadata(path).await;
        if named.is_ok_and(|named| (named.dev(), named.ino()) == (mine.dev(), mine.ino())) {
            return Ok(Chunk::Nothing);
        }
        match rotation::next_behind(path, &mine).map_err(at(path))? {
            Some(next) => self.go_on_with(next).await,
            // It was renamed, and the new file is not there yet.
            None => Ok(Chunk::Nothing),
        }
    }

    async fn go_on_with(&mut self, next: LogFile) -> Result<Chunk, Error> {
        if next.is_compressed {
            return Err(Error::Compressed(next.path));
        }
        if next.is_current {
            if next.bytes == 0 {
                // The web server does not write to it yet.
                return Ok(Chunk::Nothing);
            }
            self.looks += 1;
            if self.looks < LOOKS_BEFORE_NEXT {
                return Ok(Chunk::Nothing);
            }
        }
        match open(&next.path).await {
            Ok(Open::File(file, found)) if found == next.file => {
                (self.open, self.position, self.looks) = (Open::File(file, found), 0, 0);
                Ok(Chunk::Break)
            }
            // It was renamed at this moment.
            Ok(_) => Ok(Chunk::Nothing),
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(Chunk::Nothing),
            Err(error) => Err(at(&next.path)(error)),
        }
    }
}

impl Source {
    /// The files, the one whose first line has the oldest time in front. The names of a log that
    /// is rotated do not tell, and a copy has another time than the file.
    ///
    /// # Errors
    /// When one of several files cannot be read, is no regular file, or is compressed.
    pub fn oldest_first(mut paths: Vec<PathBuf>) -> Result<Source, Error> {
        if paths.len() == 1 {
            return Ok(Source::Files(paths));
        }
        paths.sort();
        paths.dedup();
        let mut aged = Vec::new();
        for path in paths {
            let Some(found) = look(&path, false).map_err(at(&path))? else {
                return Err(at(&path)(ErrorKind::InvalidInput.into()));
            };
            if found.is_compressed {
                return Err(Error::Compressed(path));
            }
            let mut lines = Again::new([(path.clone(), u64::MAX)]);
            let first = lines.next_hit().map_err(at(&path))?;
            aged.push((first.map(|hit| hit.time), found.modified, path));
        }
        aged.sort();
        let paths = aged.into_iter().map(|(.., path)| path);
        Ok(Source::Files(paths.collect()))
    }

    /// The file that is read, or the first of several.
    pub(crate) fn path(&self) -> &Path {
        match self {
            Source::Files(paths) => paths.first().map_or(Path::new(""), PathBuf::as_path),
            Source::Follow(path) => path,
            Source::Stdin => Path::new("standard input"),
        }
    }
}

impl fmt::Display for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.path().display().fmt(f)?;
        match self {
            Source::Files(paths) if paths.len() > 1 => {
                write!(f, " and {} more", paths.len() - 1)
            }
            _ => Ok(()),
        }
    }
}

/// Whether the log has files that were rotated.
fn is_rotated(log: &Path) -> bool {
    rotation::files(log, None).is_ok_and(|files| !files.is_empty())
}

async fn open(path: &Path) -> io::Result<Open> {
    let file = File::open(path).await?;
    let about = file.metadata().await?;
    Ok(Open::File(file, about.ino()))
}

async fn read(from: &mut (impl AsyncRead + Unpin)) -> io::Result<Vec<u8>> {
    let mut bytes = vec![0; CHUNK_BYTES];
    let length = from.read(&mut bytes).await?;
    bytes.truncate(length);
    Ok(bytes)
}

fn at(path: &Path) -> impl Fn(io::Error) -> Error {
    move |source| Error::Input {
        path: path.to_owned(),
        source,
    }
}
