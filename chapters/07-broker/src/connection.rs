//! From a connection to its requests, and from their answers back to it.

use std::future::Future;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use networking::{
    Answer, ByteBudget, Chunk, ChunkWriter, Closing, Frame, Order, ReadError, RequestLimits,
    RequestReader, Terms, serve_requests,
};
use tokio::net::TcpStream;
use wire_protocol::{ApiKey, Malformed, RequestHeader, Support, encode_unknown_api_versions};

use crate::request::Request;
use crate::services::Services;
use crate::serving::Serving;
use crate::unwritten::{Paced, Unwritten};

/// Limits of one connection.
#[derive(Debug, Clone)]
pub struct ConnectionLimits {
    /// `socket.request.max.bytes`: a longer request closes the connection.
    pub request_bytes_max: usize,
    /// `queued.max.request.bytes`: what the requests of all connections together may hold.
    pub budget: ByteBudget,
    /// `connections.max.idle.ms`: a peer that sends nothing for longer is closed.
    pub idle: Duration,
    /// How long a transfer may stand still.
    pub progress: Duration,
    /// How many requests may wait for their answers.
    pub pending_max: usize,
}

/// Serves one connection until the peer closes it, breaks the protocol, falls
/// silent, or `stop` completes (then the requests that have begun are still answered).
///
/// `begin` does the work. A request begins when those before it have taken
/// effect; answers keep the order of the requests, as in Kafka.
// ANCHOR: serve_connection
pub async fn serve_connection<Stop, Begin, Beginning>(
    stream: TcpStream,
    services: Arc<Services>,
    limits: ConnectionLimits,
    stop: Stop,
    begin: Begin,
) where
    Stop: Future<Output = ()>,
    Begin: Fn(Request) -> Beginning,
    Beginning: Future<Output = Result<Answer<Vec<Chunk>>, Malformed>>,
{
    let Ok(peer) = stream.peer_addr() else {
        return; // The peer is gone before it has sent anything.
    };
    let (incoming, outgoing) = stream.into_split();
    let request_limits = RequestLimits {
        frame_bytes_max: limits.request_bytes_max,
        progress: limits.progress,
        budget: limits.budget.clone(),
    };
    let cold = move |range| {
        let services = Arc::clone(&services);
        async move { services.read_cold(range).await }
    };
    let unwritten = Arc::new(Unwritten::default());
    let requests = Paced {
        requests: RequestReader::new(incoming, request_limits),
        unwritten: Arc::clone(&unwritten),
    };
    let closing = serve_requests(
        requests,
        ChunkWriter::new(outgoing, limits.progress, limits.budget, cold),
        Terms {
            order: Order::AsRequested,
            pending_max: limits.pending_max,
            idle: limits.idle,
        },
        |frame: Frame| {
            let serving = Serving::new(peer, &frame.payload);
            let request = request(peer, frame, Arc::clone(&unwritten));
            serving
                .clone()
                .scope(begin_request(peer, serving, request, &begin))
        },
        stop,
    )
    .await;
    log(peer, &closing);
}
// ANCHOR_END: serve_connection

/// Begins a request, if it is one of ours.
async fn begin_request<Begin, Beginning>(
    peer: SocketAddr,
    serving: Serving,
    request: Result<Known, Malformed>,
    begin: &Begin,
) -> Answer<Vec<Chunk>>
where
    Begin: Fn(Request) -> Beginning,
    Beginning: Future<Output = Result<Answer<Vec<Chunk>>, Malformed>>,
{
    let answer = match request {
        Ok(Known::Served(request)) => begin(request).await,
        Ok(Known::Answered(frame)) => Ok(Answer::Now(frame)),
        Ok(Known::Unsupported {
            api_key,
            api_version,
        }) => {
            tracing::warn!(
                "{peer} sent API {api_key} in version {api_version}, which we never offered"
            );
            Ok(Answer::Close)
        }
        Err(malformed) => Err(malformed),
    };
    match answer {
        Ok(Answer::Later(answer)) => Answer::Later(Box::pin(serving.scope(answer))),
        Ok(answer) => answer,
        Err(malformed) => {
            tracing::warn!("{peer} sent a malformed request: {malformed}");
            Answer::Close
        }
    }
}

/// What a frame's header says.
enum Known {
    Served(Request),
    /// It needs no handler.
    Answered(Vec<Chunk>),
    Unsupported {
        api_key: i16,
        api_version: i16,
    },
}

fn request(peer: SocketAddr, frame: Frame, unwritten: Arc<Unwritten>) -> Result<Known, Malformed> {
    let (header, _) = RequestHeader::decode(&frame.payload)?;
    Ok(match header.support() {
        Support::Served(api) | Support::Canary(api) => {
            Known::Served(Request::new(api, header, peer.ip(), frame, unwritten))
        }
        Support::UnknownVersion(ApiKey::ApiVersions) => {
            Known::Answered(encode_unknown_api_versions(header.correlation_id))
        }
        Support::UnknownVersion(_) | Support::UnknownApi => Known::Unsupported {
            api_key: header.api_key,
            api_version: header.api_version,
        },
    })
}

/// A warning, unless it is an ordinary end.
fn log(peer: SocketAddr, closing: &Closing<ReadError>) {
    match closing {
        Closing::Read(ReadError::Frame(_) | ReadError::CutOff | ReadError::Stalled { .. }) => {
            tracing::warn!("closed the connection from {peer}: {closing}");
        }
        _ => tracing::debug!("closed the connection from {peer}: {closing}"),
    }
}
