//! Frames from a stream of bytes.

use std::future::poll_fn;
use std::io;
use std::mem::MaybeUninit;
use std::pin::{Pin, pin};
use std::task::{Context, Poll, ready};
use std::time::Duration;

use bytes::Bytes;
use tokio::io::{AsyncRead, AsyncReadExt, ReadBuf};

use crate::part::{FrameDecoder, FrameError};

/// How much is read at a time while nothing of a frame is there, in bytes.
pub(crate) const READ_SIZE: usize = 16 * 1024;

/// Why no further frame can be read; the connection must be closed.
#[derive(Debug, thiserror::Error)]
pub enum ReadError {
    /// The peer sent a length that no frame may have.
    #[error(transparent)]
    Frame(#[from] FrameError),
    /// The peer sent nothing for too long between frames.
    #[error("the peer was silent for {} s", .0.as_secs())]
    Idle(Duration),
    /// The peer sent nothing for too long inside a frame.
    #[error("the peer stopped after {arrived} bytes of a frame")]
    Stalled {
        /// How much of the frame has arrived, prefix included.
        arrived: usize,
    },
    /// What other peers have sent left no room for a frame.
    #[error("there was no room for a frame of which {arrived} bytes have arrived")]
    NoRoom {
        /// How much of the frame has arrived, prefix included.
        arrived: usize,
    },
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
    pub async fn next(&mut self, idle: Duration) -> Result<Option<Bytes>, ReadError> {
        loop {
            if let Some(payload) = self.arrived_frame()? {
                return Ok(Some(payload));
            }
            if self.has_ended(idle).await? {
                return Ok(None);
            }
        }
    }

    /// The payloads of all frames that have arrived whole, at least one. Else as
    /// [`next`](FrameReader::next).
    ///
    /// # Errors
    /// See [`ReadError`].
    pub async fn next_batch(&mut self, idle: Duration) -> Result<Option<Vec<Bytes>>, ReadError> {
        loop {
            let payloads = self.arrived_frames()?;
            if !payloads.is_empty() {
                return Ok(Some(payloads));
            }
            if self.has_ended(idle).await? {
                return Ok(None);
            }
        }
    }

    /// Waits for the next bytes; whether the peer has closed the connection instead.
    async fn has_ended(&mut self, idle: Duration) -> Result<bool, ReadError> {
        let read = poll_fn(|context| self.poll_feed(context, READ_SIZE));
        let read = tokio::time::timeout(idle, read).await;
        match read.map_err(|_| ReadError::Idle(idle))?? {
            0 if self.pending() == 0 => Ok(true),
            0 => Err(ReadError::CutOff),
            _ => Ok(false),
        }
    }

    /// The next payload, if it has arrived whole.
    ///
    /// # Errors
    /// If the peer sent a length that no frame may have.
    pub fn arrived_frame(&mut self) -> Result<Option<Bytes>, FrameError> {
        self.decoder.next_frame()
    }

    /// All payloads that have arrived whole; see [`FrameDecoder::next_frames`].
    ///
    /// # Errors
    /// If the peer sent a length that no frame may have.
    pub(crate) fn arrived_frames(&mut self) -> Result<Vec<Bytes>, FrameError> {
        self.decoder.next_frames()
    }

    /// How many bytes have arrived that belong to a frame not given out yet.
    pub(crate) fn pending(&self) -> usize {
        self.decoder.pending()
    }

    /// Feeds the decoder what the socket has; how many bytes that was, 0 at the end of the stream.
    ///
    /// The rest of a long frame is read straight into the decoder's buffer. Otherwise
    /// the buffer is on the stack of the thread that polls, and gone while we
    /// wait; then at most `most` bytes are read, those of further frames among them. Bytes are fed in the poll that
    /// reads them, so a caller that stops waiting loses none.
    // ANCHOR: poll_feed
    pub(crate) fn poll_feed(
        &mut self,
        context: &mut Context<'_>,
        most: usize,
    ) -> Poll<io::Result<usize>> {
        if self.decoder.missing() >= READ_SIZE {
            let mut room = self.decoder.room();
            return pin!(self.reader.read_buf(&mut room)).poll(context);
        }
        let mut space = [const { MaybeUninit::uninit() }; READ_SIZE];
        let mut buffer = ReadBuf::uninit(&mut space[..most.min(READ_SIZE)]);
        ready!(Pin::new(&mut self.reader).poll_read(context, &mut buffer))?;
        let arrived = buffer.filled();
        self.decoder.feed(arrived);
        Poll::Ready(Ok(arrived.len()))
    }
    // ANCHOR_END: poll_feed
}
