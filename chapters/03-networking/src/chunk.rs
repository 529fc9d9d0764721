//! What a reply consists of: bytes, and ranges of files that are sent as they are.

use std::io;
use std::sync::Arc;

use bytes::Bytes;
use disk::ReadAt;
use tokio::io::{AsyncWrite, AsyncWriteExt};

/// How much of a file range is read into memory at a time, in bytes.
const PIECE_SIZE: usize = 256 * 1024;

/// Chunks are gathered up to about here before they are written, in bytes.
const GATHER_SIZE: usize = 64 * 1024;

/// A range of a file, to be sent without looking at it.
///
/// It keeps the file open: bytes of a segment that is deleted meanwhile can still be sent.
#[derive(Debug, Clone)]
pub struct FileRange {
    /// The file.
    pub file: Arc<dyn ReadAt>,
    /// Where the range starts, in bytes.
    pub position: u64,
    /// How long it is, in bytes.
    pub length: u32,
}

/// A piece of a reply.
#[derive(Debug, Clone)]
pub enum Chunk {
    /// Bytes in memory.
    Bytes(Bytes),
    /// Bytes in a file.
    File(FileRange),
}

impl Chunk {
    /// How many bytes it puts on the wire.
    #[must_use]
    pub fn len(&self) -> usize {
        match self {
            Chunk::Bytes(bytes) => bytes.len(),
            Chunk::File(range) => range.length as usize,
        }
    }

    /// Whether it puts nothing on the wire.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

/// Writes `chunks` in order. File ranges are read on the blocking pool, a piece at a time.
///
/// Small chunks are gathered: a header and the batch behind it leave in one write.
///
/// # Errors
/// When the writer fails, or a file ends before its range does; the peer then
/// has half a frame, so the connection must be closed.
pub async fn write_chunks<W: AsyncWrite + Unpin>(
    writer: &mut W,
    chunks: Vec<Chunk>,
) -> io::Result<()> {
    let mut gathered = Vec::new();
    for chunk in chunks {
        match chunk {
            Chunk::Bytes(bytes) if gathered.is_empty() => gathered = bytes.into(),
            Chunk::Bytes(bytes) if gathered.len() + bytes.len() <= GATHER_SIZE => {
                gathered.extend_from_slice(&bytes);
            }
            Chunk::Bytes(bytes) => {
                writer.write_all(&gathered).await?;
                gathered = bytes.into();
            }
            Chunk::File(range) => gathered = write_range(writer, range, gathered).await?,
        }
    }
    writer.write_all(&gathered).await?;
    writer.flush().await
}

/// Writes `gathered` and then `range`, except for a small rest, which it gives back.
async fn write_range<W: AsyncWrite + Unpin>(
    writer: &mut W,
    range: FileRange,
    mut gathered: Vec<u8>,
) -> io::Result<Vec<u8>> {
    let mut position = range.position;
    let mut left = range.length as usize;
    while left > 0 {
        if gathered.len() >= GATHER_SIZE {
            writer.write_all(&gathered).await?;
            gathered.clear();
        }
        let file = Arc::clone(&range.file);
        let wanted = left.min(PIECE_SIZE);
        let before = gathered.len();
        gathered =
            tokio::task::spawn_blocking(move || append_piece(gathered, &*file, position, wanted))
                .await
                .map_err(io::Error::other)??;
        let count = gathered.len() - before;
        position += count as u64;
        left -= count;
    }
    Ok(gathered)
}

/// `bytes`, and behind them between 1 and `wanted` bytes from `position` on.
fn append_piece(
    mut bytes: Vec<u8>,
    file: &dyn ReadAt,
    position: u64,
    wanted: usize,
) -> io::Result<Vec<u8>> {
    let before = bytes.len();
    bytes.resize(before + wanted, 0);
    let count = file.read_at(&mut bytes[before..], position)?;
    if count == 0 {
        return Err(io::ErrorKind::UnexpectedEof.into());
    }
    bytes.truncate(before + count.min(wanted));
    Ok(bytes)
}
