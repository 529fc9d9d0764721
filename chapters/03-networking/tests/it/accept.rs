//! Taking connections in, and letting them finish.

use std::net::SocketAddr;
use std::time::Duration;

use networking::{AcceptLimits, accept_until};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

use crate::{LIMIT, soon};

/// A server that sends back what it gets, until it is stopped.
struct Echo {
    address: SocketAddr,
    stop: oneshot::Sender<()>,
    ended: JoinHandle<()>,
}

async fn echo(connections_max: usize, drain: Duration) -> Echo {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let limits = AcceptLimits {
        connections_max,
        drain,
    };
    let (stop, stopped) = oneshot::channel::<()>();
    let stopped = async move { drop(stopped.await) };
    let ended = tokio::spawn(accept_until(listener, limits, stopped, |stream, _| {
        send_back(stream)
    }));
    Echo {
        address,
        stop,
        ended,
    }
}

async fn send_back(mut stream: TcpStream) {
    assert!(stream.nodelay().unwrap());
    let mut byte = [0];
    while stream.read(&mut byte).await.is_ok_and(|count| count > 0) {
        if stream.write_all(&byte).await.is_err() {
            return;
        }
    }
}

/// Whether a byte comes back; `false` when the connection is closed.
async fn is_served(stream: &mut TcpStream) -> bool {
    let mut byte = [0];
    let _ = stream.write_all(b"x").await;
    soon("an answer", stream.read(&mut byte))
        .await
        .is_ok_and(|count| count == 1)
}

#[tokio::test]
async fn a_connection_above_the_limit_is_closed_and_room_is_used_again() {
    let server = echo(2, LIMIT).await;
    let mut first = TcpStream::connect(server.address).await.unwrap();
    let mut second = TcpStream::connect(server.address).await.unwrap();
    assert!(is_served(&mut first).await && is_served(&mut second).await);
    let mut third = TcpStream::connect(server.address).await.unwrap();
    assert!(!is_served(&mut third).await);
    assert!(is_served(&mut first).await, "the others are still served");
    drop(first);
    soon("room for another", async {
        loop {
            let mut next = TcpStream::connect(server.address).await.unwrap();
            if is_served(&mut next).await {
                break;
            }
        }
    })
    .await;
}

#[tokio::test]
async fn after_the_stop_open_connections_may_finish_and_no_other_begins() {
    let server = echo(10, LIMIT * 10).await;
    let mut open = TcpStream::connect(server.address).await.unwrap();
    assert!(is_served(&mut open).await);
    server.stop.send(()).unwrap();
    soon("the listener to go", async {
        while TcpStream::connect(server.address).await.is_ok() {}
    })
    .await;
    assert!(is_served(&mut open).await);
    drop(open);
    soon("the end", server.ended).await.unwrap();
}

#[tokio::test]
async fn what_does_not_finish_in_time_is_cut_off() {
    let server = echo(10, Duration::from_millis(20)).await;
    let mut open = TcpStream::connect(server.address).await.unwrap();
    assert!(is_served(&mut open).await);
    server.stop.send(()).unwrap();
    soon("the end", server.ended).await.unwrap();
    assert!(!is_served(&mut open).await);
}
