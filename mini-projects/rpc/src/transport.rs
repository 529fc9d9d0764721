//! What carries calls to a server.

use std::time::Duration;

use bytes::Bytes;
use tokio::time::Instant;

use crate::part::{Call, CallId, Error, Side, Target, whole_millis};
use crate::streaming::Items;

/// A call, as a transport gets it.
#[derive(Debug, Clone, Copy)]
pub struct Request<'a> {
    /// What is called.
    pub target: Target,
    /// When the caller gives up. It was fixed when the call was made.
    pub deadline: Instant,
    /// How long that is from now on, as far as the clock was read. It travels to the server.
    pub patience: Duration,
    /// Travels to the server, the same with each try; see [`Call::trace`](crate::Call::trace).
    pub trace: u64,
    /// Whether the method may run twice: `#[rpc(idempotent)]`.
    pub is_idempotent: bool,
    /// Whether nothing answers the call.
    pub is_one_way: bool,
    /// What consistent hashing goes by; `None`: any server will do.
    pub key: Option<u64>,
    /// Encoded.
    pub arguments: &'a [u8],
}

impl Request<'_> {
    /// Returns the call as it travels, with this id. The server may be `credit` items ahead of
    /// the caller.
    #[must_use]
    pub fn call(&self, id: CallId, credit: u32) -> Call {
        Call {
            id,
            patience_ms: whole_millis(self.patience),
            credit,
            target: self.target,
            trace: self.trace,
        }
    }

    /// Returns how long the caller still waits.
    #[must_use]
    pub fn left(&self) -> Duration {
        self.deadline.saturating_duration_since(Instant::now())
    }

    /// Returns the request with the patience that is left now: after a wait, and for another try.
    #[must_use]
    pub fn renewed(self) -> Self {
        let patience = self.left();
        Request { patience, ..self }
    }
}

/// How a call ended: what its method returned, or why that is not known.
pub type Outcome<B = Bytes> = Result<(Side, B), Error>;

// ANCHOR: transport
/// Carries calls to a server, or to one of many. Each of them ends by its deadline.
pub trait Transport: Send + Sync + 'static {
    /// Makes a call that has one reply, or none: then its outcome is an empty value, as soon as
    /// it is queued. When its future is dropped the call is given up.
    fn call(&self, request: Request<'_>) -> impl Future<Output = Outcome> + Send;

    /// Makes a call that has a stream of items.
    ///
    /// # Errors
    /// [`Error::NoStreams`] from a transport that carries none.
    fn stream(&self, request: Request<'_>) -> impl Future<Output = Result<Items, Error>> + Send;
}
// ANCHOR_END: transport
