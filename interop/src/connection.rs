//! Frames over a socket.

use std::io::{self, ErrorKind, Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

use anyhow::{Context as _, Result};

use crate::parity::Step;

/// The longest answer that is read.
const FRAME_MAX: usize = 64 << 20;

/// A connection that requests are written to as bytes.
#[derive(Debug)]
pub struct Connection {
    stream: TcpStream,
}

impl Connection {
    /// Connects. Every read and write may take `patience`.
    ///
    /// # Errors
    /// When nobody listens.
    pub fn open(address: SocketAddr, patience: Duration) -> Result<Connection> {
        let stream = TcpStream::connect_timeout(&address, patience).context("connecting")?;
        stream.set_nodelay(true)?;
        stream.set_read_timeout(Some(patience))?;
        stream.set_write_timeout(Some(patience))?;
        Ok(Connection { stream })
    }

    /// Sends `frame` with its length in front. A peer that has closed is no error
    /// here: reading finds it out.
    ///
    /// # Errors
    /// When the peer does not take it.
    pub fn send(&mut self, frame: &[u8]) -> Result<()> {
        let length = u32::try_from(frame.len())?;
        let mut bytes = length.to_be_bytes().to_vec();
        bytes.extend_from_slice(frame);
        self.send_raw(&bytes)
    }

    /// Sends `bytes` as they are.
    ///
    /// # Errors
    /// As [`send`](Connection::send).
    pub fn send_raw(&mut self, bytes: &[u8]) -> Result<()> {
        match self.stream.write_all(bytes) {
            Err(error) if !closed(&error) => Err(error).context("sending"),
            _ => Ok(()),
        }
    }

    /// The next frame without its length, or None when the connection ends.
    ///
    /// # Errors
    /// When none comes in time ([`timed_out`](Connection::timed_out)).
    pub fn receive(&mut self) -> io::Result<Option<Vec<u8>>> {
        let mut length = [0; 4];
        let mut frame = Vec::new();
        let result = self.stream.read_exact(&mut length).and_then(|()| {
            let length = usize::try_from(u32::from_be_bytes(length)).unwrap_or(usize::MAX);
            frame.resize(length.min(FRAME_MAX), 0);
            self.stream.read_exact(&mut frame)
        });
        match result {
            Ok(()) => Ok(Some(frame)),
            Err(error) if closed(&error) => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// The answer to `step`, not decoded.
    ///
    /// # Errors
    /// When there is none.
    pub fn exchange(&mut self, step: &Step) -> Result<Vec<u8>> {
        self.send(&step.frame)?;
        let frame = self.receive().context("waiting for an answer")?;
        frame.context("the connection was closed")
    }

    /// Whether `error` is that no answer came in time.
    #[must_use]
    pub fn timed_out(error: &io::Error) -> bool {
        [ErrorKind::WouldBlock, ErrorKind::TimedOut].contains(&error.kind())
    }
}

fn closed(error: &io::Error) -> bool {
    use ErrorKind::{BrokenPipe, ConnectionAborted, ConnectionReset, UnexpectedEof};
    [
        BrokenPipe,
        ConnectionAborted,
        ConnectionReset,
        UnexpectedEof,
    ]
    .contains(&error.kind())
}
