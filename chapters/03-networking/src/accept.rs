//! Taking connections in, and letting them finish.

use std::future::Future;
use std::net::SocketAddr;
use std::time::Duration;

use tokio::net::{TcpListener, TcpStream};

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
    let _ = (listener, limits, stop, serve);
    todo!()
}
