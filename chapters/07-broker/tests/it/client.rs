//! A client at the byte level, and a server of one connection for it.

use std::future::Future;
use std::io;
use std::time::Duration;

use broker::api;
use broker::{Answer, ConnectionLimits, FrameBudget, Request, serve_connection};
use networking::{Chunk, write_chunks};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::JoinHandle;
use wire_protocol::message::{ApiVersionsRequest, MetadataRequest};
use wire_protocol::{ApiKey, Malformed, encode_request};

/// The longest that a test waits for anything.
pub(crate) const PATIENCE: Duration = Duration::from_secs(20);

pub(crate) fn limits() -> ConnectionLimits {
    ConnectionLimits {
        request_bytes_max: 1_000_000,
        budget: FrameBudget::new(1_000_000),
        idle: PATIENCE,
        transfer: PATIENCE,
    }
}

/// Serves one connection with `answer`. The client's end, the task, and what stops it.
pub(crate) async fn serve<F, Answering>(
    limits: ConnectionLimits,
    answer: F,
) -> (TcpStream, JoinHandle<()>, watch::Sender<bool>)
where
    F: Fn(Request) -> Answering + Send + Sync + 'static,
    Answering: Future<Output = Result<Answer, Malformed>> + Send + 'static,
{
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let client = TcpStream::connect(listener.local_addr().unwrap())
        .await
        .unwrap();
    let (server, _) = listener.accept().await.unwrap();
    let (stop, mut stopped) = watch::channel(false);
    let stopped = async move {
        let _ = stopped.wait_for(|stop| *stop).await;
    };
    let write = |mut socket, chunks: Vec<Chunk>| async move {
        write_chunks(&mut socket, chunks).await?;
        Ok(socket)
    };
    let task = tokio::spawn(serve_connection(server, limits, stopped, answer, write));
    (client, task, stop)
}

/// Answers what needs no broker.
pub(crate) async fn simple(request: Request) -> Result<Answer, Malformed> {
    Ok(match request.api {
        ApiKey::ApiVersions => request.answer(&api::api_versions()),
        ApiKey::FindCoordinator => request.answer(&api::find_coordinator(&request.decode()?)),
        ApiKey::Metadata => {
            request.decode::<MetadataRequest>()?;
            Answer::Silence
        }
        _ => Answer::Close,
    })
}

pub(crate) async fn send(client: &mut TcpStream, payload: &[u8]) {
    client.write_all(&networking::frame(payload)).await.unwrap();
}

pub(crate) async fn receive(client: &mut TcpStream) -> Vec<u8> {
    let receive = async {
        let length = client.read_i32().await.unwrap();
        let mut payload = vec![0; usize::try_from(length).unwrap()];
        client.read_exact(&mut payload).await.unwrap();
        payload
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
