//! Where lines come from.

use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use tokio::fs::File;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncSeekExt, Stdin};

use crate::error::Error;

/// How much is read at once, in bytes.
const CHUNK_BYTES: usize = 64 * 1024;

/// What to read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Source {
    /// A file, from its start to its end.
    File(PathBuf),
    /// A file that grows: like `tail -F`, but from its start. When the file is
    /// replaced (rotation) or cut (truncation), it goes on with the new start.
    Follow(PathBuf),
    /// Standard input, to its end.
    Stdin,
}

/// What reading gave.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Chunk {
    /// The next bytes; at least one.
    Bytes(Vec<u8>),
    /// The file was replaced or cut: what came before it ends here, in a line or not.
    Break,
    /// Nothing more at the moment.
    Nothing,
    /// Nothing more, ever.
    End,
}

/// A source that is being read.
#[derive(Debug)]
pub struct Input {
    source: Source,
    open: Open,
    /// How many bytes of the open file were read.
    position: u64,
    /// Whether all that was read is the first `position` bytes of one regular file.
    one_file: bool,
}

#[derive(Debug)]
enum Open {
    File(File),
    Stdin(Stdin),
}

impl Input {
    /// Opens `source`.
    ///
    /// # Errors
    /// When the file cannot be opened.
    pub async fn open(source: Source) -> Result<Input, Error> {
        let (open, one_file) = match &source {
            Source::File(path) | Source::Follow(path) => {
                let at = |source| input_error(path, source);
                let file = File::open(path).await.map_err(at)?;
                let regular = file.metadata().await.map_err(at)?.is_file();
                (Open::File(file), regular)
            }
            Source::Stdin => (Open::Stdin(tokio::io::stdin()), false),
        };
        Ok(Input {
            source,
            open,
            position: 0,
            one_file,
        })
    }

    /// The file and how much of it was read, if reading that again gives the same lines.
    #[must_use]
    pub fn can_be_read_again(&self) -> Option<(&Path, u64)> {
        match &self.source {
            Source::File(path) | Source::Follow(path) if self.one_file => {
                Some((path, self.position))
            }
            _ => None,
        }
    }

    /// Reads on. Dropping it half-way loses nothing that was not read yet.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub async fn next(&mut self) -> Result<Chunk, Error> {
        let bytes = match &mut self.open {
            Open::File(file) => read(file).await,
            Open::Stdin(stdin) => read(stdin).await,
        };
        let bytes = bytes.map_err(|source| input_error(self.source.path(), source))?;
        self.position += bytes.len() as u64;
        match (&self.source, bytes.is_empty()) {
            (_, false) => Ok(Chunk::Bytes(bytes)),
            (Source::Follow(path), true) => {
                let path = path.clone();
                let looked = self.look_again(&path).await;
                looked.map_err(|source| input_error(&path, source))
            }
            (_, true) => Ok(Chunk::End),
        }
    }

    /// At the end of a file that is followed: is it still the one with this name, and as long?
    async fn look_again(&mut self, path: &Path) -> io::Result<Chunk> {
        let Open::File(file) = &mut self.open else {
            return Ok(Chunk::Nothing);
        };
        let mine = file.metadata().await?;
        if mine.len() > self.position {
            // It has grown since: read that first.
            return Ok(Chunk::Nothing);
        }
        if mine.len() < self.position {
            file.rewind().await?;
        } else {
            let named = match tokio::fs::metadata(path).await {
                Ok(named) => named,
                // Between a rename and the new file's creation.
                Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Chunk::Nothing),
                Err(error) => return Err(error),
            };
            if (named.dev(), named.ino()) == (mine.dev(), mine.ino()) {
                return Ok(Chunk::Nothing);
            }
            *file = File::open(path).await?;
        }
        self.position = 0;
        self.one_file = false;
        Ok(Chunk::Break)
    }
}

impl Source {
    pub(crate) fn path(&self) -> &Path {
        match self {
            Source::File(path) | Source::Follow(path) => path,
            Source::Stdin => Path::new("standard input"),
        }
    }
}

async fn read(from: &mut (impl AsyncRead + Unpin)) -> io::Result<Vec<u8>> {
    let mut bytes = vec![0; CHUNK_BYTES];
    let length = from.read(&mut bytes).await?;
    bytes.truncate(length);
    Ok(bytes)
}

fn input_error(path: &Path, source: io::Error) -> Error {
    Error::Input {
        path: path.to_owned(),
        source,
    }
}
