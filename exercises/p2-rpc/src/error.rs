//! Why a call has no result.

use serde::{Deserialize, Serialize};

/// Why a call has no result, whatever its method does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error, Serialize, Deserialize)]
pub enum Error {
    /// No reply came before the deadline; whether the server acted on the call is unknown.
    #[error("no reply before the deadline")]
    DeadlinePassed,
    /// The connection closed first; whether the server acted on the call is unknown.
    #[error("the connection closed before the reply came")]
    Closed,
    /// The server could not be reached; nothing was sent.
    #[error("the server cannot be reached")]
    Unreachable,
    /// Too many calls run, and this one was not begun.
    #[error("too many calls run")]
    Overloaded,
    /// The server stops, and did not begin the call.
    #[error("the server is stopping")]
    Stopping,
    /// The server has no such service.
    #[error("the server does not have this service")]
    NoProvider,
    /// The service has no such method.
    #[error("the service does not have this method")]
    NoMethod,
    /// The server cannot read the arguments.
    #[error("the server cannot read the arguments")]
    BadRequest,
    /// The method panicked.
    #[error("the method panicked")]
    Panicked,
    /// Arguments or result are larger than a frame may be.
    #[error("the arguments or the result are too large")]
    TooLarge,
    /// The reply is not what the method returns.
    #[error("the reply cannot be read")]
    BadReply,
    /// The codec has no form for the arguments.
    #[error("the arguments cannot be encoded")]
    Unencodable,
    /// The transport carries no streams.
    #[error("this transport carries no streams")]
    NoStreams,
}

impl Error {
    // ANCHOR: may-try-again
    /// Whether the call may be made again, at the same server or another one: the method
    /// certainly did not begin, or it may run twice. No call is made again that would fail
    /// in the same way.
    #[must_use]
    pub fn may_try_again(self, is_idempotent: bool) -> bool {
        match self {
            Error::Unreachable | Error::Overloaded | Error::Stopping => true,
            Error::Closed => is_idempotent,
            _ => false,
        }
    }
    // ANCHOR_END: may-try-again
}
