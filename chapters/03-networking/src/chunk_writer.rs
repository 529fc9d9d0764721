//! Answers onto the wire.

use std::io;
use std::time::Duration;

use bytes::{Buf, Bytes};
use tokio::io::{AsyncWrite, AsyncWriteExt};
use tokio::time::timeout;

use crate::byte_budget::ByteBudget;
use crate::chunk::{Chunk, FileRange};
use crate::pace::Pace;
use crate::part::Answers;

/// How much of an answer is in memory for the writer at a time, in bytes: small
/// chunks are gathered up to here, and file ranges are read in pieces of this size.
const PIECE_SIZE: usize = 64 * 1024;

/// Writes answers as [`serve_requests`](crate::serve_requests) wants them: see [`write_chunks`].
#[derive(Debug)]
pub struct ChunkWriter<W, Cold> {
    writer: W,
    pace: Pace,
    cold: Cold,
}

impl<W, Cold> ChunkWriter<W, Cold> {
    /// Writes to `writer` with [`write_chunks`]. While other connections wait for room in
    /// `budget`, a peer must also take 16 KiB a second of what there is for it: what it does not
    /// take may be what they wait for.
    pub fn new(
        writer: W,
        progress: Duration,
        budget: ByteBudget,
        cold: Cold,
    ) -> ChunkWriter<W, Cold> {
        ChunkWriter {
            writer,
            pace: Pace::in_shortages(progress, budget),
            cold,
        }
    }
}

impl<W, Cold, Reading> Answers for ChunkWriter<W, Cold>
where
    W: AsyncWrite + Unpin + Send,
    Cold: Fn(FileRange) -> Reading + Send + Sync,
    Reading: Future<Output = io::Result<Bytes>> + Send,
{
    type Answer = Vec<Chunk>;

    async fn write(&mut self, chunks: Vec<Chunk>) -> io::Result<()> {
        write_at(&mut self.writer, chunks, &mut self.pace, &self.cold).await
    }
}

/// Writes `chunks` in order, and flushes.
///
/// Pieces of files that are in memory are read on the spot. A piece that is not
/// is read by `cold`, which gets a range of at most 64 KiB and returns its
/// bytes, or the first of them. No more than about 64 KiB are read before the
/// writer has taken them. Small chunks are gathered: a header and the batch
/// behind it leave in one write.
///
/// # Errors
/// - [`io::ErrorKind::TimedOut`] when the writer takes no byte for `progress`;
///   one that takes them slowly has all the time that it needs;
/// - [`io::ErrorKind::UnexpectedEof`] when a file ends before its range does;
/// - as the writer, the file or `cold` says.
///
/// The peer then has half a frame, so the connection must be closed.
pub async fn write_chunks<W, Cold, Reading>(
    writer: &mut W,
    chunks: Vec<Chunk>,
    progress: Duration,
    cold: &Cold,
) -> io::Result<()>
where
    W: AsyncWrite + Unpin,
    Cold: Fn(FileRange) -> Reading,
    Reading: Future<Output = io::Result<Bytes>>,
{
    write_at(writer, chunks, &mut Pace::new(progress), cold).await
}

async fn write_at<W, Cold, Reading>(
    writer: &mut W,
    chunks: Vec<Chunk>,
    pace: &mut Pace,
    cold: &Cold,
) -> io::Result<()>
where
    W: AsyncWrite + Unpin,
    Cold: Fn(FileRange) -> Reading,
    Reading: Future<Output = io::Result<Bytes>>,
{
    pace.begin();
    let mut output = Output {
        writer,
        pace,
        gathered: Vec::new(),
        filled: 0,
    };
    for chunk in chunks {
        match chunk {
            Chunk::Bytes(bytes) => output.bytes(bytes).await?,
            Chunk::File(range) => output.range(range, cold).await?,
        }
    }
    output.finish().await
}

/// A writer, and what is gathered for it.
struct Output<'a, W> {
    writer: &'a mut W,
    pace: &'a mut Pace,
    /// At most [`PIECE_SIZE`] bytes; the first `filled` are to be written.
    gathered: Vec<u8>,
    filled: usize,
}

impl<W: AsyncWrite + Unpin> Output<'_, W> {
    async fn bytes(&mut self, bytes: Bytes) -> io::Result<()> {
        if self.filled + bytes.len() > PIECE_SIZE {
            return self.write_with(bytes).await;
        }
        self.room(bytes.len()).copy_from_slice(&bytes);
        self.filled += bytes.len();
        Ok(())
    }

    /// Puts a range out, except perhaps for its last piece, which waits for company.
    async fn range<Cold, Reading>(&mut self, mut range: FileRange, cold: &Cold) -> io::Result<()>
    where
        Cold: Fn(FileRange) -> Reading,
        Reading: Future<Output = io::Result<Bytes>>,
    {
        while range.length > 0 {
            if self.filled == PIECE_SIZE {
                self.write_with(Bytes::new()).await?;
            }
            let wanted = (range.length as usize).min(PIECE_SIZE - self.filled);
            let room = self.room(wanted);
            let count = match range.file.read_cached_at(room, range.position)? {
                Some(count) => count.min(wanted),
                None => {
                    // Copied, so that a peer that takes nothing costs one piece of memory.
                    let bytes = cold(first_of(&range, wanted)).await?;
                    let count = bytes.len().min(wanted);
                    self.room(count).copy_from_slice(&bytes[..count]);
                    count
                }
            };
            self.filled += count;
            skip(&mut range, count)?;
            if range.length > 0 {
                // The next piece may have to wait for the disk; these bytes need not.
                self.write_with(Bytes::new()).await?;
            }
        }
        Ok(())
    }

    /// Room for `count` bytes behind what is gathered. It is filled with zeros when
    /// it is used for the first time.
    fn room(&mut self, count: usize) -> &mut [u8] {
        let end = self.filled + count;
        if self.gathered.len() < end {
            self.gathered.resize(end, 0);
        }
        &mut self.gathered[self.filled..end]
    }

    // ANCHOR: write_with
    /// Writes what is gathered, and `bytes` behind it.
    async fn write_with(&mut self, bytes: Bytes) -> io::Result<()> {
        let gathered = &self.gathered[..self.filled];
        let mut bytes = gathered.chain(bytes);
        while bytes.has_remaining() {
            let written = self.pace.keep(self.writer.write_buf(&mut bytes)).await?;
            if written == 0 {
                return Err(io::ErrorKind::WriteZero.into());
            }
        }
        self.filled = 0;
        Ok(())
    }
    // ANCHOR_END: write_with

    async fn finish(mut self) -> io::Result<()> {
        self.write_with(Bytes::new()).await?;
        timeout(self.pace.progress, self.writer.flush()).await?
    }
}

/// The first `length_max` bytes of a range.
fn first_of(range: &FileRange, length_max: usize) -> FileRange {
    let length_max = u32::try_from(length_max).unwrap_or(u32::MAX);
    FileRange {
        length: range.length.min(length_max),
        ..range.clone()
    }
}

/// Moves the start of a range behind the `count` bytes that were read.
fn skip(range: &mut FileRange, count: usize) -> io::Result<()> {
    let count = match u32::try_from(count) {
        Ok(0) | Err(_) => return Err(io::ErrorKind::UnexpectedEof.into()),
        Ok(count) => count,
    };
    range.position += u64::from(count);
    range.length = range.length.saturating_sub(count);
    Ok(())
}
