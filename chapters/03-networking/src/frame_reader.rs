//! Frames from a socket, with limits on what the peer may make us hold or wait for.

use std::io;
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncReadExt};

use crate::part::{FrameDecoder, FrameError};

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
#[derive(Debug)]
pub struct FrameReader<R> {
    reader: R,
    decoder: FrameDecoder,
    scratch: Vec<u8>,
}

impl<R: AsyncRead + Unpin> FrameReader<R> {
    /// A reader of payloads of at most `limit` bytes.
    #[must_use]
    pub fn new(reader: R, limit: usize) -> FrameReader<R> {
        FrameReader {
            reader,
            decoder: FrameDecoder::new(limit),
            scratch: vec![0; READ_SIZE],
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
            let read = tokio::time::timeout(idle, self.reader.read(&mut self.scratch)).await;
            match read.map_err(|_| ReadError::Idle(idle))?? {
                0 if self.decoder.pending() == 0 => return Ok(None),
                0 => return Err(ReadError::CutOff),
                count => self.decoder.feed(&self.scratch[..count]),
            }
        }
    }
}
