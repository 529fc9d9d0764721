//! From a connection to answers, one at a time and in order.

use std::future::Future;
use std::io;
use std::net::SocketAddr;
use std::pin::pin;
use std::time::Duration;

use networking::{Chunk, FrameReader};
use tokio::net::TcpStream;
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use wire_protocol::{
    ApiKey, Asked, Malformed, RequestHeader, Wire, encode_response, encode_unknown_api_versions,
};

use crate::closing::Closing;
use crate::frame_budget::{FrameBudget, Share};
use crate::serving::Serving;

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
    /// Its part of the budget, held until the request is dropped.
    _share: Share,
}

impl Request {
    /// Whether the version is served; if not, it is a [canary](wire_protocol::CANARIES).
    #[must_use]
    pub fn is_served(&self) -> bool {
        self.api.serves(self.header.api_version)
    }

    /// The body.
    ///
    /// # Errors
    /// When the bytes are no such request; the connection is to be closed then.
    pub fn decode<R: wire_protocol::Request>(&self) -> Result<R, Malformed> {
        let (_, mut body) = RequestHeader::decode(&self.payload)?;
        R::decode(&mut body)
    }

    /// A response to it, as a frame.
    #[must_use]
    pub fn answer<B: Wire>(&self, response: &B) -> Answer {
        let RequestHeader {
            api_version,
            correlation_id,
            ..
        } = self.header;
        Answer::Reply(encode_response(
            self.api,
            api_version,
            correlation_id,
            response,
        ))
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
// ANCHOR: serve_connection
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
    let mut stop = pin!(stop);
    let Ok(peer) = stream.peer_addr() else {
        return; // It is gone before it has said anything.
    };
    let (mut incoming, mut writer) = split(stream, limits);
    let closing = loop {
        let payload = tokio::select! {
            biased;
            () = &mut stop => break Closing::Stop,
            payload = incoming.next() => payload,
        };
        let answer = match payload {
            Ok((payload, share)) => {
                let serving = Serving::new(peer, &payload);
                serving.scope(serve(peer, payload, share, &answer)).await
            }
            Err(closing) => Err(closing),
        };
        let frame = match answer {
            Ok(Answer::Reply(frame)) => frame,
            Ok(Answer::Silence) => continue,
            Ok(Answer::Close) => break Closing::Unanswerable,
            Err(closing) => break closing,
        };
        let written = tokio::time::timeout(incoming.limits.transfer, write(writer, frame)).await;
        writer = match written {
            Ok(Ok(writer)) => writer,
            Ok(Err(error)) => break Closing::Write(error),
            Err(_) => break Closing::WriteTimeout,
        };
    };
    closing.log(peer);
}
// ANCHOR_END: serve_connection

/// The receiving half of a connection.
struct Incoming {
    reader: FrameReader<OwnedReadHalf>,
    limits: ConnectionLimits,
}

fn split(stream: TcpStream, limits: ConnectionLimits) -> (Incoming, OwnedWriteHalf) {
    if let Err(error) = stream.set_nodelay(true) {
        tracing::debug!("answers may be held back for a moment: {error}");
    }
    let (reader, writer) = stream.into_split();
    let reader = FrameReader::new(reader, limits.request_bytes_max);
    (Incoming { reader, limits }, writer)
}

impl Incoming {
    /// The next request, and its share of the budget. May be dropped while it
    /// waits: nothing that has arrived is lost.
    async fn next(&mut self) -> Result<(Vec<u8>, Share), Closing> {
        let limits = &self.limits;
        let length = self.reader.next_length(limits.idle).await?;
        let length = length.ok_or(Closing::Peer)?.min(limits.request_bytes_max);
        let share = tokio::time::timeout(limits.transfer, limits.budget.share(length));
        let share = share.await.map_err(|_| Closing::NoRoom { length })?;
        let payload = self.reader.next(limits.idle);
        let payload = tokio::time::timeout(limits.transfer, payload).await;
        let payload = payload.map_err(|_| Closing::ReadTimeout { length })??;
        Ok((payload.ok_or(Closing::Peer)?, share))
    }
}

async fn serve<AnswerRequest, Answering>(
    peer: SocketAddr,
    payload: Vec<u8>,
    share: Share,
    answer: &AnswerRequest,
) -> Result<Answer, Closing>
where
    AnswerRequest: Fn(Request) -> Answering,
    Answering: Future<Output = Result<Answer, Malformed>>,
{
    let (header, _) = RequestHeader::decode(&payload)?;
    let api = match header.asked() {
        Asked::Served(api) | Asked::Canary(api) => api,
        Asked::UnknownVersion(ApiKey::ApiVersions) => {
            let frame = encode_unknown_api_versions(header.correlation_id);
            return Ok(Answer::Reply(frame));
        }
        Asked::UnknownVersion(_) | Asked::UnknownApi => {
            let RequestHeader {
                api_key,
                api_version,
                ..
            } = header;
            return Err(Closing::Unsupported {
                api_key,
                api_version,
            });
        }
    };
    let request = Request {
        api,
        header,
        peer,
        payload,
        _share: share,
    };
    Ok(answer(request).await?)
}
