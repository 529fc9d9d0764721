//! Where lines come from.

mod follow;

use std::fmt;
use std::io::{self, ErrorKind};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use tokio::fs::File;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncSeekExt, Stdin};

use crate::again::Again;
use crate::error::Error;
use crate::named_files::{check_one, check_several};
use crate::rotation::{self, LogFile, at, look};

use follow::read_behind;

/// How much is read at once, in bytes.
const CHUNK_BYTES: usize = 64 * 1024;
/// So many bytes that were read are known, to see later whether the file still has them: a few
/// lines, of which each has a time.
const KNOWN_BYTES_MAX: usize = 1024;

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
    /// The name of the open file when it was opened.
    path: PathBuf,
    /// How many bytes there are in the open file in front of what is read next.
    position: u64,
    /// The last of these bytes.
    tail: Vec<u8>,
    /// `None` if the file is not known, or is there no more.
    first: Option<First>,
    /// The number of a rotated file that should have been read before the open one, and was gone.
    gone: Option<u64>,
    /// Which of several files is open, counted from 0.
    index: usize,
    /// How many looks in a row have found nothing but a next file.
    looks: u32,
}

/// The file with the first line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct First {
    /// Its inode. When the file is removed, another one may get it.
    pub(crate) file: u64,
    /// How it begins, as far as it is known.
    pub(crate) head: Vec<u8>,
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
            path: source.path().to_owned(),
            source,
            open,
            position: 0,
            tail: Vec::new(),
            first: None,
            gone: None,
            index: 0,
            looks: 0,
        };
        input.begin();
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

    /// The name under which the open file was opened.
    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// The number of a rotated file that was gone when its turn came, just before the open one.
    pub(crate) fn gone(&self) -> Option<u64> {
        self.gone
    }

    /// The open file has the first line.
    fn begin(&mut self) {
        let head = Vec::new();
        self.first = self.file().map(|file| First { file, head });
    }

    /// The first line was in this file, or it is not known in which.
    pub(crate) fn began_in(&mut self, file: Option<First>) {
        self.first = file;
    }

    /// Goes to a line, which is read next. Returns `false` if no file has it. The file may have
    /// another name by now; or another inode, if it was compressed and opened again.
    ///
    /// # Errors
    /// When a file cannot be read.
    pub async fn go_to(&mut self, place: Place, text: &[u8]) -> Result<bool, Error> {
        let Some(path) = self.find(place, text)? else {
            return Ok(false);
        };
        let mut open = open(&path).await.map_err(at(&path))?;
        if let Open::File(file, _) = &mut open {
            let seek = file.seek(io::SeekFrom::Start(place.at)).await;
            seek.map_err(at(&path))?;
        }
        (self.open, self.position, self.looks) = (open, place.at, 0);
        self.tail = if place.at > 0 {
            b"\n".to_vec()
        } else {
            Vec::new()
        };
        if let Source::Files(paths) = &self.source {
            let index = paths.iter().position(|one| *one == path);
            self.index = index.unwrap_or(0);
        }
        self.path = path;
        Ok(true)
    }

    fn find(&self, place: Place, text: &[u8]) -> Result<Option<PathBuf>, Error> {
        let mut files = self.files(Some(place.file))?;
        files.retain(|file| !file.is_compressed);
        files.sort_by_key(|file| file.file != place.file);
        let mut unreadable = None;
        for file in files {
            match file.has_line(place.at, text) {
                Ok(true) => return Ok(Some(file.path)),
                Ok(false) => {}
                // It does not matter if another file has the line.
                Err(error) => unreadable = unreadable.or(Some(at(&file.path)(error))),
            }
        }
        unreadable.map_or(Ok(None), Err)
    }

    /// All files that the source has now, the oldest first.
    fn files(&self, also: Option<u64>) -> Result<Vec<LogFile>, Error> {
        match &self.source {
            Source::Stdin => Ok(Vec::new()),
            Source::Follow(path) => rotation::files(path, also),
            Source::Files(paths) => {
                let files = paths.iter().map(|path| look(path, true).map_err(at(path)));
                files.filter_map(Result::transpose).collect()
            }
        }
    }

    /// The files that were read and how many bytes of each, the oldest first; if reading them
    /// again gives the same lines.
    #[must_use]
    pub fn can_be_read_again(&self) -> Option<Vec<(PathBuf, u64)>> {
        let (first, last) = (self.first.as_ref()?, self.file()?);
        let files = self.files(Some(first.file)).ok()?;
        let place = |of| files.iter().position(|file| file.file == of);
        let (from, to) = (place(first.file)?, place(last)?);
        if from > to || !files[from].begins_with(&first.head).ok()? {
            // Another file has the inode of the first one.
            return None;
        }
        let files = &files[from..=to];
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
        let is_followed = matches!(self.source, Source::Follow(_));
        let bytes = match &mut self.open {
            Open::File(file, _) if is_followed => {
                read_behind(file, self.position, &self.tail).await
            }
            Open::File(file, _) => read(file).await.map(Some),
            Open::Stdin(stdin) => read(stdin).await.map(Some),
            Open::Missing => Ok(Some(Vec::new())),
        };
        let Some(bytes) = bytes.map_err(at(&self.path))? else {
            (self.position, self.first) = (0, None);
            self.tail.clear();
            return Ok(Chunk::Cut);
        };
        if !bytes.is_empty() {
            self.note(&bytes);
            return Ok(Chunk::Bytes(bytes));
        }
        match self.source.clone() {
            Source::Stdin => Ok(Chunk::End),
            Source::Files(paths) => self.open_next(&paths).await,
            Source::Follow(path) => self.look_again(&path).await,
        }
    }

    /// Notes what was read.
    fn note(&mut self, bytes: &[u8]) {
        let file = self.file();
        if let Some(first) = &mut self.first
            && first.head.is_empty()
            && (self.position, file) == (0, Some(first.file))
        {
            first.head = bytes[..bytes.len().min(KNOWN_BYTES_MAX)].to_vec();
        }
        self.tail.extend_from_slice(bytes);
        let excess = self.tail.len().saturating_sub(KNOWN_BYTES_MAX);
        self.tail.drain(..excess);
        self.position += bytes.len() as u64;
        self.looks = 0;
    }

    /// Opens the next one of several files.
    async fn open_next(&mut self, paths: &[PathBuf]) -> Result<Chunk, Error> {
        let Some(path) = paths.get(self.index + 1) else {
            return Ok(Chunk::End);
        };
        let opened = open(path).await.map_err(at(path))?;
        self.index += 1;
        self.go_to_start_of(opened, path.clone());
        Ok(Chunk::Break)
    }

    fn go_to_start_of(&mut self, open: Open, path: PathBuf) {
        (self.open, self.path) = (open, path);
        (self.position, self.looks) = (0, 0);
        self.tail.clear();
    }
}

impl Source {
    /// The files, the one whose first line has the oldest time in front. The names of a log that
    /// is rotated do not tell, and a copy has another time than the file.
    ///
    /// # Errors
    /// When a file is compressed or a directory; and when one of several files cannot be read, is
    /// no regular file, or is another one of them under another name.
    pub fn oldest_first(mut paths: Vec<PathBuf>) -> Result<Source, Error> {
        paths.sort();
        paths.dedup();
        if let [path] = &paths[..] {
            check_one(path)?;
            return Ok(Source::Files(paths));
        }
        check_several(&paths)?;
        let mut aged = Vec::new();
        for path in paths {
            let Some(found) = look(&path, false).map_err(at(&path))? else {
                return Err(at(&path)(ErrorKind::NotFound.into()));
            };
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
