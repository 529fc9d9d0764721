//! A file that is followed: it may be rotated or cut at any time.

use std::io::{self, ErrorKind};
use std::os::unix::fs::MetadataExt;
use std::path::Path;

use tokio::fs::File;
use tokio::io::AsyncSeekExt;

use crate::error::Error;
use crate::rotation::{self, Next, at};

use super::{Chunk, Input, Open, open, read};

/// How many looks in a row must find nothing new in a file that was rotated, when the next file
/// has lines already. Each process of a web server begins the new file by itself, so one may still
/// write to the old file.
const LOOKS_BEFORE_NEXT: u32 = 10;

impl Input {
    /// At the end of a file that is followed: is it still the one with this name?
    pub(super) async fn look_again(&mut self, path: &Path) -> Result<Chunk, Error> {
        let Open::File(file, _) = &mut self.open else {
            // It begins with the first line of a new file.
            match open(path).await {
                Err(error) if error.kind() == ErrorKind::NotFound => {}
                opened => {
                    self.open = opened.map_err(at(path))?;
                    self.begin();
                }
            }
            return Ok(Chunk::Nothing);
        };
        let mine = file.metadata().await.map_err(at(&self.path))?;
        if mine.len() != self.position {
            // It has grown or was cut since: the next read says so.
            return Ok(Chunk::Nothing);
        }
        let named = tokio::fs::metadata(path).await;
        if named.is_ok_and(|named| (named.dev(), named.ino()) == (mine.dev(), mine.ino())) {
            return Ok(Chunk::Nothing);
        }
        match rotation::next_behind(path, &mine)? {
            Some(next) => self.go_on_with(next).await,
            // It was renamed, and the new file is not there yet.
            None => Ok(Chunk::Nothing),
        }
    }

    async fn go_on_with(&mut self, next: Next) -> Result<Chunk, Error> {
        let Next {
            file: next,
            is_newest,
            gone,
        } = next;
        if next.is_compressed {
            return Err(Error::Compressed(next.path));
        }
        if is_newest && next.bytes == 0 {
            // The web server does not write to it yet.
            return Ok(Chunk::Nothing);
        }
        self.looks += 1;
        let looks = if is_newest { LOOKS_BEFORE_NEXT } else { 1 };
        // A file also seems to be gone while one after the other is renamed. So look once more.
        if self.looks < looks + u32::from(gone.is_some()) {
            return Ok(Chunk::Nothing);
        }
        match open(&next.path).await {
            Ok(Open::File(file, found)) if found == next.file => {
                self.go_to_start_of(Open::File(file, found), next.path);
                self.gone = gone;
                Ok(Chunk::Break)
            }
            // It was renamed at this moment.
            Ok(_) => Ok(Chunk::Nothing),
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(Chunk::Nothing),
            Err(error) => Err(at(&next.path)(error)),
        }
    }
}

/// Reads on behind the bytes `tail`, which end at `position`. `None` if they are not there any
/// more: the file was cut, and may be as long again.
pub(super) async fn read_behind(
    file: &mut File,
    position: u64,
    tail: &[u8],
) -> io::Result<Option<Vec<u8>>> {
    let start = position - tail.len() as u64;
    file.seek(io::SeekFrom::Start(start)).await?;
    let bytes = read(file).await?;
    Ok(bytes.strip_prefix(tail).map(<[u8]>::to_vec))
}
