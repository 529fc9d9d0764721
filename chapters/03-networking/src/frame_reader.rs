//! Frames from a socket, with limits on what the peer may make us hold or wait for.

use std::future::poll_fn;
use std::io;
use std::mem::MaybeUninit;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use tokio::io::{AsyncRead, ReadBuf};

use crate::part::{FrameDecoder, FrameError, PREFIX_SIZE};

/// How much is read from the socket at a time, in bytes.
const READ_SIZE: usize = 64 * 1024;

/// Why no further frame can be read; the connection must be closed.
#[derive(Debug, thiserror::Error)]
pub enum ReadError {
    /// The peer sent a length that no frame may have.
    #[error(transparent)]
    Frame(#[from] FrameError),
    /// The peer sent nothing for too long.
    #[error("the peer was silent for {} s", .0.as_secs())]
    Idle(Duration),
    /// The peer closed the connection in the middle of a frame.
    #[error("the peer closed the connection inside a frame")]
    CutOff,
    /// The operating system reported a failure.
    #[error(transparent)]
    Io(#[from] io::Error),
}

/// Reads whole frames from the receiving half of a connection.
///
/// While it waits between frames it holds no buffer: thousands of idle
/// connections cost next to nothing.
#[derive(Debug)]
pub struct FrameReader<R> {
    reader: R,
    decoder: FrameDecoder,
}

impl<R: AsyncRead + Unpin> FrameReader<R> {
    /// A reader of payloads of at most `limit` bytes.
    #[must_use]
    pub fn new(reader: R, limit: usize) -> FrameReader<R> {
        FrameReader {
            reader,
            decoder: FrameDecoder::new(limit),
        }
    }

    /// The next payload; `None` when the peer has closed the connection between frames.
    ///
    /// It waits at most `idle` for the next bytes. It may be dropped while it
    /// waits: nothing that has arrived is lost.
    ///
    /// # Errors
    /// See [`ReadError`].
    pub async fn next(&mut self, idle: Duration) -> Result<Option<Vec<u8>>, ReadError> {
        loop {
            if let Some(payload) = self.decoder.next_frame()? {
                return Ok(Some(payload));
            }
            if !self.feed(idle).await? {
                return Ok(None);
            }
        }
    }

    /// How long the next payload will be, in bytes, as soon as its prefix is
    /// there: whoever must first make room for it asks this, then
    /// [`next`](FrameReader::next). `None` as there. At most 64 KiB of the payload are read.
    ///
    /// What the prefix says is not judged: a length that no frame may have comes
    /// out as 0 or as it is, and `next` rejects it.
    ///
    /// # Errors
    /// See [`ReadError`].
    pub async fn next_length(&mut self, idle: Duration) -> Result<Option<usize>, ReadError> {
        loop {
            if let Some(prefix) = self.decoder.arrived().first_chunk::<PREFIX_SIZE>() {
                let announced = i32::from_be_bytes(*prefix);
                return Ok(Some(usize::try_from(announced).unwrap_or(0)));
            }
            if !self.feed(idle).await? {
                return Ok(None);
            }
        }
    }

    /// Waits for the next bytes; `false` when the stream has ended between frames.
    async fn feed(&mut self, idle: Duration) -> Result<bool, ReadError> {
        let read = tokio::time::timeout(idle, poll_fn(|context| self.poll_feed(context))).await;
        match read.map_err(|_| ReadError::Idle(idle))?? {
            0 if self.decoder.pending() == 0 => Ok(false),
            0 => Err(ReadError::CutOff),
            _ => Ok(true),
        }
    }

    /// Feeds the decoder what the socket has; how many bytes that was, 0 at the end of the stream.
    ///
    /// The buffer lies on the stack of whichever thread polls, and is gone while
    /// we wait. Bytes are fed in the same poll that reads them, so a caller that
    /// stops waiting loses none.
    // ANCHOR: poll_feed
    fn poll_feed(&mut self, context: &mut Context<'_>) -> Poll<io::Result<usize>> {
        let mut space = [const { MaybeUninit::uninit() }; READ_SIZE];
        let mut buffer = ReadBuf::uninit(&mut space);
        ready!(Pin::new(&mut self.reader).poll_read(context, &mut buffer))?;
        let arrived = buffer.filled();
        self.decoder.feed(arrived);
        Poll::Ready(Ok(arrived.len()))
    }
    // ANCHOR_END: poll_feed
}
