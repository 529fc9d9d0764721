//! What leaves a server in one write.

use std::future::pending;
use std::io;
use std::pin::Pin;
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll};

use rpc::{Call, CallId, Hello, Postcard, ServerSettings, Target, ToServer, name_id, put};
use tokio::io::AsyncWrite;

use crate::fixture::Place;

/// Takes all bytes, and notes how many each write has.
#[derive(Default, Clone)]
struct Writes(Arc<Mutex<Vec<usize>>>);

impl AsyncWrite for Writes {
    fn poll_write(
        self: Pin<&mut Self>,
        _: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        self.0.lock().unwrap().push(bytes.len());
        Poll::Ready(Ok(bytes.len()))
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }
}

/// Returns how many bytes each write has with which a server answers `calls` calls that come together.
async fn answers_to(calls: u32) -> Vec<usize> {
    let mut together = Vec::new();
    put(&ToServer::Hello(Hello::OURS), &[], &mut together);
    for id in 1..=calls {
        let call = ToServer::Call(Call {
            id: CallId(id),
            patience_ms: 10_000,
            credit: 0,
            target: Target {
                service: name_id("Kinds"),
                method: name_id("echo"),
                codec: <Postcard as rpc::Codec>::ID,
            },
            trace: 0,
        });
        put(&call, b"\x04text", &mut together);
    }
    let (place, writes) = (Place::new(ServerSettings::default()), Writes::default());
    let server = Arc::clone(&place.server);
    server
        .serve_connection(&together[..], writes.clone(), pending())
        .await;
    let writes = writes.0.lock().unwrap();
    writes.clone()
}

#[tokio::test]
async fn few_replies_leave_in_one_write_and_many_in_two() {
    assert_eq!(answers_to(20).await.len(), 1);
    let writes = answers_to(100).await;
    let [first, second] = writes[..] else {
        panic!("{writes:?}");
    };
    assert!(first.abs_diff(second) < 100, "{writes:?}");
}
