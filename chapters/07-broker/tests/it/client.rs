//! A client at the byte level, and a server of one connection for it.

use std::future::Future;
use std::io;
use std::sync::Arc;
use std::time::Duration;

use broker::api::{self, Acknowledgement};
use broker::{ConnectionLimits, Request, Services, serve_connection};
use bytes::Bytes;
use networking::{Answer, ByteBudget, Chunk};
use sim_disk::SimDisk;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::JoinHandle;
use wire_protocol::message::{
    ApiVersionsRequest, FindCoordinatorRequest, FindCoordinatorResponse, MetadataRequest,
};
use wire_protocol::{ApiKey, ErrorCode, Malformed, encode_request};

use crate::support::{self, Broker};

/// The longest that a test waits for anything.
pub(crate) const PATIENCE: Duration = Duration::from_secs(20);

/// What a handler returns.
pub(crate) type Answered = Result<Answer<Vec<Chunk>>, Malformed>;

pub(crate) fn limits() -> ConnectionLimits {
    ConnectionLimits {
        request_bytes_max: 1_000_000,
        budget: ByteBudget::new(1_000_000),
        idle: PATIENCE,
        progress: PATIENCE,
        pending_max: 16,
    }
}

/// Serves one connection with `answer`. The client's end, the task, and what stops it.
pub(crate) async fn serve<F, Answering>(
    answer: F,
) -> (TcpStream, JoinHandle<()>, watch::Sender<bool>)
where
    F: Fn(Request) -> Answering + Send + Sync + 'static,
    Answering: Future<Output = Answered> + Send + 'static,
{
    serve_on(support::services(&SimDisk::new(7)), limits(), answer).await
}

/// The same for a connection of a broker.
pub(crate) async fn serve_on<F, Answering>(
    services: Arc<Services>,
    limits: ConnectionLimits,
    answer: F,
) -> (TcpStream, JoinHandle<()>, watch::Sender<bool>)
where
    F: Fn(Request) -> Answering + Send + Sync + 'static,
    Answering: Future<Output = Answered> + Send + 'static,
{
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let client = TcpStream::connect(listener.local_addr().unwrap())
        .await
        .unwrap();
    client.set_nodelay(true).unwrap();
    let (server, _) = listener.accept().await.unwrap();
    let (stop, mut stopped) = watch::channel(false);
    let stopped = async move {
        let _ = stopped.wait_for(|stop| *stop).await;
    };
    let serving = serve_connection(server, services, limits, stopped, answer);
    (client, tokio::spawn(serving), stop)
}

/// Answers what needs no broker.
pub(crate) async fn simple(request: Request) -> Answered {
    Ok(match request.api {
        ApiKey::ApiVersions => {
            let (_, reply) = request.decode::<ApiVersionsRequest>()?;
            reply.now(&api::api_versions())
        }
        ApiKey::FindCoordinator => {
            let (_, reply) = request.decode::<FindCoordinatorRequest>()?;
            reply.now(&FindCoordinatorResponse {
                error_code: ErrorCode::COORDINATOR_NOT_AVAILABLE,
                ..FindCoordinatorResponse::default()
            })
        }
        ApiKey::Metadata => {
            request.decode::<MetadataRequest>()?;
            Answer::Silence
        }
        _ => Answer::Close,
    })
}

/// What the-queue does for some of its APIs.
pub(crate) async fn with_broker(broker: Arc<Broker>, request: Request) -> Answered {
    Ok(match request.api {
        ApiKey::Produce => {
            let (body, reply) = request.decode()?;
            match api::produce(&broker, body).await {
                Acknowledgement::Now(response) => reply.now(&response),
                Acknowledgement::Later(response) => reply.later(response),
                Acknowledgement::Silence => Answer::Silence,
                Acknowledgement::Close => Answer::Close,
            }
        }
        ApiKey::Fetch => {
            let (body, reply) = request.decode()?;
            reply.later_with_share(|share| async move { api::fetch(&broker, body, share).await })
        }
        ApiKey::DescribeConfigs => {
            let (body, reply) = request.decode()?;
            reply.now(&api::describe_configs(&broker, body))
        }
        ApiKey::Metadata => {
            let (body, reply) = request.decode()?;
            let response = api::metadata(&broker, &reply.peer, body).await;
            reply.now(&response)
        }
        _ => return simple(request).await,
    })
}

pub(crate) async fn send(client: &mut TcpStream, payload: &[u8]) {
    client.write_all(&networking::frame(payload)).await.unwrap();
}

pub(crate) async fn receive(client: &mut TcpStream) -> Bytes {
    let receive = async {
        let length = client.read_i32().await.unwrap();
        let mut payload = vec![0; usize::try_from(length).unwrap()];
        client.read_exact(&mut payload).await.unwrap();
        payload.into()
    };
    tokio::time::timeout(PATIENCE, receive)
        .await
        .expect("an answer comes")
}

/// Waits until the broker has closed the connection, without an answer.
pub(crate) async fn closed(client: &mut TcpStream) {
    let read = tokio::time::timeout(PATIENCE, client.read_u8()).await;
    let error = read
        .expect("the connection is closed")
        .expect_err("no answer comes");
    let kinds = [io::ErrorKind::UnexpectedEof, io::ErrorKind::ConnectionReset];
    assert!(kinds.contains(&error.kind()), "{error}");
}

pub(crate) fn api_versions(version: i16, correlation_id: i32) -> Vec<u8> {
    encode_request(
        &ApiVersionsRequest::default(),
        version,
        correlation_id,
        "test",
    )
}

pub(crate) fn correlation_id(payload: &[u8]) -> i32 {
    i32::from_be_bytes(*payload.first_chunk().unwrap())
}
