//! The caller's end of a connection.

use std::io;
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::time::timeout;

use crate::frame::{Answer, Call, Malformed, call_frame, get_answer, take_frame};

/// The longest answer, in bytes.
const FRAME_BYTES_MAX: i32 = 4 * 1024 * 1024;

/// Connects to a server of the original.
///
/// # Errors
/// If that is refused, or takes longer than `patience`.
pub async fn connect(address: &str, patience: Duration) -> io::Result<TcpStream> {
    timeout(patience, TcpStream::connect(address)).await?
}

/// Makes a call over a connection on which no other call is under way, and returns how it
/// ended on the server. The answer has the call's id.
///
/// # Errors
/// If there is no answer within `patience`, if the connection is gone, or if what comes is no
/// answer to this call. The connection is of no use then.
pub async fn call(
    stream: &mut (impl AsyncRead + AsyncWrite + Unpin),
    id: i32,
    call: &Call,
    patience: Duration,
) -> io::Result<Answer> {
    let answered = async {
        stream.write_all(&call_frame(id, call)).await?;
        let next = next_frame(stream, &mut BytesMut::new(), FRAME_BYTES_MAX).await?;
        let (answers, rest) = next.ok_or(io::ErrorKind::UnexpectedEof)?;
        let answer = get_answer(rest).filter(|_| answers == id);
        Ok(answer.ok_or(Malformed)?)
    };
    timeout(patience, answered).await?
}

/// Returns the next frame; `None`: the peer has closed the connection behind a whole one. May
/// be dropped while it waits.
async fn next_frame(
    stream: &mut (impl AsyncRead + Unpin),
    buffer: &mut BytesMut,
    max: i32,
) -> io::Result<Option<(i32, Bytes)>> {
    loop {
        if let Some(frame) = take_frame(buffer, max)? {
            return Ok(Some(frame));
        }
        if stream.read_buf(buffer).await? == 0 {
            let is_whole = buffer.is_empty();
            return is_whole.then_some(None).ok_or(Malformed.into());
        }
    }
}

impl From<Malformed> for io::Error {
    fn from(malformed: Malformed) -> io::Error {
        io::Error::new(io::ErrorKind::InvalidData, malformed)
    }
}
