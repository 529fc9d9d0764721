//! From a connection to answers, one at a time and in order.

use std::future::Future;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use networking::Chunk;
use tokio::net::TcpStream;
use tokio::net::tcp::OwnedWriteHalf;
use tokio::sync::Semaphore;
use wire_protocol::{ApiKey, Malformed, RequestHeader, Wire};

/// A request of an API and a version that we advertise.
#[derive(Debug)]
pub struct Request {
    /// Which API.
    pub api: ApiKey,
    /// Its header.
    pub header: RequestHeader,
    /// Who sent it.
    pub peer: SocketAddr,
    /// Header and body.
    payload: Vec<u8>,
}

impl Request {
    /// Whether the version is served; if not, it is a [canary](wire_protocol::CANARIES).
    #[must_use]
    pub fn is_served(&self) -> bool {
        self.api.versions().contains(&self.header.api_version)
    }

    /// The body.
    ///
    /// # Errors
    /// When the bytes are no such request; the connection is to be closed then.
    pub fn decode<R: wire_protocol::Request>(&self) -> Result<R, Malformed> {
        todo!()
    }

    /// A response to it, as a frame.
    #[must_use]
    pub fn answer<B: Wire>(&self, response: &B) -> Answer {
        let _ = response;
        todo!()
    }
}

/// What the connection does next.
#[derive(Debug)]
pub enum Answer {
    /// Sends this: a whole frame.
    Reply(Vec<Chunk>),
    /// Sends nothing: the client asked for no answer (`acks=0`).
    Silence,
    /// Closes: an answer in a form that the client can read does not exist.
    Close,
}

/// How many bytes of large requests may be in memory at a time, over all
/// connections that share it. A request that does not fit waits unread.
#[derive(Debug, Clone)]
pub struct FrameBudget {
    bytes: Arc<Semaphore>,
}

impl FrameBudget {
    /// A budget of this many bytes.
    #[must_use]
    pub fn new(bytes: u32) -> FrameBudget {
        let _ = bytes;
        todo!()
    }
}

/// Limits of one connection.
#[derive(Debug, Clone)]
pub struct ConnectionLimits {
    /// `socket.request.max.bytes`: a longer request closes the connection.
    pub request_bytes_max: usize,
    /// `queued.max.request.bytes`: what all connections together may hold of large requests.
    pub budget: FrameBudget,
    /// `connections.max.idle.ms`: a peer that sends nothing for longer is closed.
    pub idle: Duration,
    /// How long the peer may take to send a request from its first byte on, or
    /// to make room for an answer.
    pub transfer: Duration,
}

/// Serves one connection until the peer closes it, breaks the protocol, falls
/// silent, or `stop` completes (then the request in progress is still answered).
///
/// Like Kafka it takes the next request only when the last one is answered:
/// answers keep the order of the requests, and a client that sends faster than
/// it reads is stopped by TCP.
///
/// `answer` does the work, and says that a body is malformed with an error.
/// `write` puts an answer on the wire and gives the connection back.
pub async fn serve_connection<Stop, AnswerRequest, Answering, Write, Writing>(
    stream: TcpStream,
    limits: ConnectionLimits,
    stop: Stop,
    answer: AnswerRequest,
    write: Write,
) where
    Stop: Future<Output = ()>,
    AnswerRequest: Fn(Request) -> Answering,
    Answering: Future<Output = Result<Answer, Malformed>>,
    Write: Fn(OwnedWriteHalf, Vec<Chunk>) -> Writing,
    Writing: Future<Output = io::Result<OwnedWriteHalf>>,
{
    let _ = (stream, limits, stop, answer, write);
    todo!()
}
