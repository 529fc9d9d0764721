//! Why a connection ends.

use std::io;
use std::net::SocketAddr;

use networking::ReadError;
use wire_protocol::Malformed;

/// Why we close a connection.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Closing {
    /// The peer has closed it between requests.
    #[error("the peer closed it")]
    Peer,
    /// The broker stops.
    #[error("the broker stops")]
    Stop,
    /// The next request cannot be read.
    #[error("{0}")]
    Read(#[from] ReadError),
    /// The rest of a request did not come in time.
    #[error("a request of {length} bytes did not arrive in time")]
    ReadTimeout {
        /// What its prefix said.
        length: usize,
    },
    /// There was no room for a request.
    #[error("no room for a request of {length} bytes in time: queued.max.request.bytes")]
    NoRoom {
        /// What its prefix said.
        length: usize,
    },
    /// A request is not what its header says.
    #[error("a request is malformed: {0}")]
    Malformed(#[from] Malformed),
    /// A request of an API or a version that we never offered.
    #[error("there is no API {api_key} in version {api_version}")]
    Unsupported {
        /// As sent.
        api_key: i16,
        /// As sent.
        api_version: i16,
    },
    /// The handler found no answer that the client could read.
    #[error("a request without an answer failed (acks=0)")]
    Unanswerable,
    /// An answer cannot be sent.
    #[error("an answer could not be sent: {0}")]
    Write(io::Error),
    /// The peer does not read its answers.
    #[error("the peer did not take an answer in time")]
    WriteTimeout,
}

impl Closing {
    /// The line in the log: a warning unless it is an ordinary end.
    pub(crate) fn log(&self, peer: SocketAddr) {
        match self {
            Closing::Peer
            | Closing::Stop
            | Closing::Write(_)
            | Closing::Read(ReadError::Idle(_) | ReadError::Io(_)) => {
                tracing::debug!("closed the connection from {peer}: {self}");
            }
            _ => tracing::warn!("closed the connection from {peer}: {self}"),
        }
    }
}
