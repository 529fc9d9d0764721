//! The calling side of a duplex connection.

use std::time::Duration;

use tokio::net::TcpStream;

use crate::part::CallId;

/// Why a call has no reply.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum CallError {
    /// Its deadline passed; whether the peer acted on it is unknown.
    #[error("no reply before the deadline")]
    DeadlinePassed,
    /// The connection closed; whether the peer acted on it is unknown.
    #[error("the connection closed before the reply came")]
    Closed,
    /// It was not sent: too many calls were in flight.
    #[error("too many calls are in flight on this connection")]
    Refused,
}

/// Limits of one connection.
#[derive(Debug, Clone, Copy)]
pub struct ConnectionLimits {
    /// The largest reply that is taken in, in bytes.
    pub frame_bytes_max: usize,
    /// How many calls may wait for a reply at a time.
    pub in_flight_max: usize,
}

/// One socket, many calls: they go out together, and replies are paired by id.
///
/// A payload carries its [`CallId`] where the protocol says; a reply begins
/// with it (`i32`, big-endian). Cheap to clone; closes when the last clone is dropped.
#[derive(Debug, Clone)]
pub struct Connection {}

impl Connection {
    /// Starts to speak over `stream`. Must be called inside a tokio runtime.
    #[must_use]
    pub fn new(stream: TcpStream, limits: ConnectionLimits) -> Connection {
        let _ = (stream, limits);
        todo!()
    }

    /// Sends what `payload` makes of the call's id, and waits for the reply: the
    /// payload of its frame, id included.
    ///
    /// # Errors
    /// See [`CallError`]. It never waits longer than `patience`.
    pub async fn call(
        &self,
        patience: Duration,
        payload: impl FnOnce(CallId) -> Vec<u8>,
    ) -> Result<Vec<u8>, CallError> {
        let _ = (patience, payload);
        todo!()
    }

    /// Whether the connection is gone, so that every further call fails.
    #[must_use]
    pub fn is_closed(&self) -> bool {
        todo!()
    }
}
