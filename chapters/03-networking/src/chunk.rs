//! What a reply consists of: bytes, and ranges of files that are sent as they are.

use std::fmt;
use std::io;
use std::os::fd::BorrowedFd;
use std::sync::Arc;

use tokio::io::{AsyncWrite, AsyncWriteExt};

/// How much of a file range is read into memory at a time, in bytes.
const PIECE_SIZE: usize = 256 * 1024;

/// Something that can be read at a position, such as a segment of a log.
///
/// The real disk and the simulated one implement it.
pub trait ReadAt: fmt::Debug + Send + Sync {
    /// Reads at `position` into `buffer`; returns how many bytes, 0 only at the end.
    ///
    /// # Errors
    /// As the operating system says.
    fn read_at(&self, buffer: &mut [u8], position: u64) -> io::Result<usize>;

    /// The file's descriptor, for `sendfile(2)`; `None` if there is no real file.
    fn descriptor(&self) -> Option<BorrowedFd<'_>>;
}

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
    Bytes(Vec<u8>),
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
/// # Errors
/// When the writer fails, or a file ends before its range does; the peer then
/// has half a frame, so the connection must be closed.
pub async fn write_chunks<W: AsyncWrite + Unpin>(
    writer: &mut W,
    chunks: Vec<Chunk>,
) -> io::Result<()> {
    for chunk in chunks {
        match chunk {
            Chunk::Bytes(bytes) => writer.write_all(&bytes).await?,
            Chunk::File(range) => write_range(writer, range).await?,
        }
    }
    writer.flush().await
}

async fn write_range<W: AsyncWrite + Unpin>(writer: &mut W, range: FileRange) -> io::Result<()> {
    let end = range.position + u64::from(range.length);
    let mut position = range.position;
    while position < end {
        let wanted =
            usize::try_from(end - position).map_or(PIECE_SIZE, |left| left.min(PIECE_SIZE));
        let file = Arc::clone(&range.file);
        let piece = tokio::task::spawn_blocking(move || read_piece(&*file, position, wanted))
            .await
            .map_err(io::Error::other)??;
        writer.write_all(&piece).await?;
        position += piece.len() as u64;
    }
    Ok(())
}

/// Between 1 and `wanted` bytes at `position`.
fn read_piece(file: &dyn ReadAt, position: u64, wanted: usize) -> io::Result<Vec<u8>> {
    let mut piece = vec![0; wanted];
    let count = file.read_at(&mut piece, position)?;
    if count == 0 {
        return Err(io::ErrorKind::UnexpectedEof.into());
    }
    piece.truncate(count);
    Ok(piece)
}
