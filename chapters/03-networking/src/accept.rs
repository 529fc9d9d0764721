//! Taking connections in, and letting them finish.

use std::future::Future;
use std::io;
use std::net::SocketAddr;
use std::pin::pin;
use std::time::Duration;

use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;

/// How long nothing is accepted after a failure of the listener, such as
/// running out of file descriptors: the connection that waits would fail again at once.
const PAUSE: Duration = Duration::from_millis(100);

/// Limits of the accept loop.
#[derive(Debug, Clone, Copy)]
pub struct AcceptLimits {
    /// How many connections are served at a time; a further one is closed at once.
    pub connections_max: usize,
    /// How long running connections may go on after `stop`.
    pub drain: Duration,
}

/// Serves each connection of `listener` in a task of its own until `stop` completes.
///
/// Then nothing new is accepted, and those that are open get [`AcceptLimits::drain`]
/// to finish; what is left then is cut off. `serve` must watch for the stop
/// itself if it wants to end early.
///
/// A failure to accept is logged and does not end the loop.
pub async fn accept_until<Stop, Serve, Served>(
    listener: TcpListener,
    limits: AcceptLimits,
    stop: Stop,
    serve: Serve,
) where
    Stop: Future<Output = ()>,
    Serve: Fn(TcpStream, SocketAddr) -> Served,
    Served: Future<Output = ()> + Send + 'static,
{
    let mut stop = pin!(stop);
    let mut running = JoinSet::new();
    let mut was_full = false;
    // ANCHOR: loop
    loop {
        // In this order: one that has ended must not count as open.
        let accepted = tokio::select! {
            biased;
            () = &mut stop => break,
            Some(_) = running.join_next() => continue,
            accepted = accept(&listener) => accepted,
        };
        let is_full = running.len() >= limits.connections_max;
        match accepted {
            Some((stream, peer)) if !is_full => {
                running.spawn(serve(stream, peer));
            }
            Some((_closed_here, peer)) if !was_full => {
                tracing::warn!(%peer, open = running.len(), "closing connections: too many are open");
            }
            _ => {}
        }
        was_full = is_full;
    }
    // ANCHOR_END: loop
    drop(listener);
    let all_ended = async { while running.join_next().await.is_some() {} };
    if tokio::time::timeout(limits.drain, all_ended).await.is_err() {
        tracing::warn!(
            open = running.len(),
            "cutting off connections that did not end"
        );
    }
    running.shutdown().await;
}

/// The next connection; `None` after a failure, once it makes sense to go on.
///
/// May be dropped while it waits.
async fn accept(listener: &TcpListener) -> Option<(TcpStream, SocketAddr)> {
    match listener.accept().await {
        Ok((stream, peer)) => {
            // It fails only when the peer is gone, which serving it finds out.
            let _ = stream.set_nodelay(true);
            Some((stream, peer))
        }
        Err(error) if is_of_one_connection(&error) => None,
        Err(error) => {
            tracing::warn!(%error, "cannot accept connections");
            tokio::time::sleep(PAUSE).await;
            None
        }
    }
}

/// Whether the failure is about a connection that has gone while it waited to be accepted.
fn is_of_one_connection(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::ConnectionAborted
            | io::ErrorKind::ConnectionReset
            | io::ErrorKind::Interrupted
    )
}
