//! From a connection to answers, one at a time and in order.

use std::future::Future;
use std::net::SocketAddr;
use std::time::Duration;

use networking::Chunk;
use tokio::net::TcpStream;

/// A request as it came in.
#[derive(Debug)]
pub struct Request {
    /// The payload of its frame: header and body.
    pub payload: Vec<u8>,
    /// Who sent it.
    pub peer: SocketAddr,
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

/// Limits of one connection.
#[derive(Debug, Clone, Copy)]
pub struct ConnectionLimits {
    /// `socket.request.max.bytes`: a longer request closes the connection.
    pub request_bytes_max: usize,
    /// `connections.max.idle.ms`: a peer that is silent for longer is closed.
    pub idle: Duration,
    /// How long the peer may take to make room for an answer.
    pub write: Duration,
}

/// Serves one connection until the peer closes it, breaks the protocol, falls
/// silent, or `stop` completes (then the request in progress is still answered).
///
/// Like Kafka it takes the next request only when the last one is answered:
/// answers keep the order of the requests, and a client that sends faster than
/// it reads is stopped by TCP.
///
/// `answer` does the work; `write` puts an answer on the wire.
pub async fn serve_connection<Stop, AnswerRequest, Answering, Write, Writing>(
    stream: TcpStream,
    limits: ConnectionLimits,
    stop: Stop,
    answer: AnswerRequest,
    write: Write,
) where
    Stop: Future<Output = ()>,
    AnswerRequest: Fn(Request) -> Answering,
    Answering: Future<Output = Answer>,
{
    let _ = (stream, limits, stop, answer, write);
    todo!()
}
