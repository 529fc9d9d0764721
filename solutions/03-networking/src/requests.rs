//! What a connection is served with: where requests come from, what they are
//! answered with, where answers go.

use std::future::Future;
use std::io;
use std::pin::Pin;
use std::time::Duration;

/// Where the requests of a connection come from.
pub trait Requests {
    /// A whole request.
    type Request;
    /// Why no further request can be read.
    type Error;

    /// The next request; `None` when the peer has closed the connection between requests.
    ///
    /// An error when its first byte does not come within `idle`; with
    /// [`Duration::MAX`] it waits for ever. The future may be dropped while it
    /// waits: nothing that has arrived is lost.
    fn next(
        &mut self,
        idle: Duration,
    ) -> impl Future<Output = Result<Option<Self::Request>, Self::Error>> + Send;

    /// Ends when the peer has closed the connection and nothing of a further
    /// request has arrived. It takes no request in.
    ///
    /// The future may be dropped while it waits.
    fn closed(&mut self) -> impl Future<Output = Result<(), Self::Error>> + Send;
}

/// Where the answers of a connection go.
pub trait Answers {
    /// A whole answer.
    type Answer;

    /// Writes a whole answer. A future that is dropped while it waits, and an
    /// error, leave half an answer on the wire: no other one may follow.
    fn write(&mut self, answer: Self::Answer) -> impl Future<Output = io::Result<()>> + Send;
}

/// An answer that is not there yet. Dropping it withdraws whatever it waits for.
pub type Later<A> = Pin<Box<dyn Future<Output = A> + Send>>;

/// What a request is answered with, once it has taken effect.
pub enum Answer<A> {
    /// This, at once.
    Now(A),
    /// What this future returns; it waits for the disk, for data or for other clients.
    Later(Later<A>),
    /// Nothing: the protocol has no answer to this request.
    Silence,
    /// No answer that the peer could read exists: the connection closes.
    Close,
}

/// The order in which answers leave.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Order {
    /// In the order of their requests, as Kafka's do.
    AsRequested,
    /// As soon as they are ready: the peer pairs them with its requests by an id.
    AsReady,
}

/// How a connection is served.
#[derive(Debug, Clone, Copy)]
pub struct Terms {
    /// The order in which answers leave.
    pub order: Order,
    /// How many requests may be begun and not answered; at least 1.
    pub pending_max: usize,
    /// How long a connection on which nothing is pending may be silent.
    pub idle: Duration,
}

/// Why a connection is no longer served.
#[derive(Debug, thiserror::Error)]
pub enum Closing<E> {
    /// The peer closed it between requests.
    #[error("the peer closed it")]
    Peer,
    /// The server stops.
    #[error("the server stops")]
    Stop,
    /// The next request cannot be read.
    #[error(transparent)]
    Read(E),
    /// An answer cannot be written.
    #[error("an answer could not be sent: {0}")]
    Write(io::Error),
    /// A request was answered with [`Answer::Close`].
    #[error("a request has no answer that the peer could read")]
    Unanswerable,
}
