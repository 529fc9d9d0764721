//! The chapter through its public API, over real loopback sockets.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod accept;
mod chunks;
mod connection;
mod frames;
mod gathered;
mod in_flight;
mod serving;
mod shortage;
mod traces;

use std::time::Duration;

use tokio::net::{TcpListener, TcpStream};

/// How long anything may take; nothing here does unless it is broken.
const LIMIT: Duration = Duration::from_secs(20);

/// Fails the test instead of waiting for ever.
async fn soon<T>(what: &str, work: impl Future<Output = T>) -> T {
    match tokio::time::timeout(LIMIT, work).await {
        Ok(done) => done,
        Err(_) => panic!("{what}: not within {LIMIT:?}"),
    }
}

/// The two ends of one loopback connection.
async fn socket_pair() -> (TcpStream, TcpStream) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let (here, there) = tokio::join!(TcpStream::connect(address), listener.accept());
    (here.unwrap(), there.unwrap().0)
}
