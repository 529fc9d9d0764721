//! Frames of the original, as those of chapter 03.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use tokio::io::{AsyncRead, ReadBuf};

/// A length, in bytes.
const PREFIX: usize = size_of::<i32>();
/// How much is read at a time, in bytes.
const READ_SIZE: usize = 4 * 1024;

/// Reads what `incoming` does, but for the length of each frame: that of the original counts
/// itself, and what is returned does not. So the reader of chapter 03 reads such frames, within
/// its limits.
pub(crate) struct Lengths<R> {
    incoming: R,
    prefix: [u8; PREFIX],
    /// How much of the prefix has come, and how much of it was handed on.
    come: usize,
    handed_on: usize,
    /// How much of the frame is still to come.
    left: usize,
}

impl<R: AsyncRead + Unpin> Lengths<R> {
    pub(crate) fn new(incoming: R) -> Lengths<R> {
        Lengths {
            incoming,
            prefix: [0; PREFIX],
            come: 0,
            handed_on: 0,
            left: 0,
        }
    }

    /// Reads the rest of a length; whether there is one, and not the end of the stream.
    fn poll_prefix(&mut self, context: &mut Context<'_>) -> Poll<io::Result<bool>> {
        while self.come < PREFIX {
            let mut rest = ReadBuf::new(&mut self.prefix[self.come..]);
            ready!(Pin::new(&mut self.incoming).poll_read(context, &mut rest))?;
            match rest.filled().len() {
                0 if self.come == 0 => return Poll::Ready(Ok(false)),
                0 => return Poll::Ready(Err(io::ErrorKind::UnexpectedEof.into())),
                count => self.come += count,
            }
            if self.come == PREFIX {
                // One that is too small becomes negative, which no reader takes.
                let behind = i32::from_be_bytes(self.prefix).saturating_sub(4);
                self.prefix = behind.to_be_bytes();
                self.left = usize::try_from(behind).unwrap_or(0);
            }
        }
        Poll::Ready(Ok(true))
    }
}

impl<R: AsyncRead + Unpin> AsyncRead for Lengths<R> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        if self.left == 0 && self.handed_on == PREFIX {
            (self.come, self.handed_on) = (0, 0);
        }
        if !ready!(self.poll_prefix(context))? {
            return Poll::Ready(Ok(()));
        }
        if self.handed_on < PREFIX {
            let count = buffer.remaining().min(PREFIX - self.handed_on);
            buffer.put_slice(&self.prefix[self.handed_on..][..count]);
            self.handed_on += count;
            return Poll::Ready(Ok(()));
        }
        let mut space = [0; READ_SIZE];
        let most = buffer.remaining().min(self.left).min(READ_SIZE);
        let mut read = ReadBuf::new(&mut space[..most]);
        ready!(Pin::new(&mut self.incoming).poll_read(context, &mut read))?;
        buffer.put_slice(read.filled());
        self.left -= read.filled().len();
        Poll::Ready(Ok(()))
    }
}
