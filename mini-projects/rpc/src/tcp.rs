//! Calls to one server, over a connection that is made when it is wanted, and made again when it is lost.

use std::io;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use async_model::Clock;
use client::{Session as _, Want, keep_connected};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio::sync::{mpsc, oneshot};
use tokio::time::{timeout, timeout_at};

use crate::connection::Connection;
use crate::part::Error;
use crate::settings::ClientSettings;
use crate::streaming::Items;
use crate::transport::{Outcome, Request, Transport};

/// How many calls may wait for a connection; those behind them wait their turn.
const WANTS_MAX: usize = 128;

/// Calls one server over one connection, which is made with the first call, and made again
/// when it is lost.
///
/// When this is dropped, what is queued is still written.
#[derive(Debug)]
pub struct Tcp {
    /// Goes to a task that dials: a call that gives up stops no other one's dial.
    wants: mpsc::Sender<Want<Connection, Error>>,
    /// The connection that calls take without asking the task.
    current: Mutex<Option<Arc<Connection>>>,
}

impl Tcp {
    /// Returns a transport to the server at `address`, such as `127.0.0.1:7000`. Must be
    /// called inside a tokio runtime.
    #[must_use]
    pub fn new(address: impl Into<String>, settings: ClientSettings) -> Tcp {
        let address: Arc<str> = Arc::from(address.into());
        Tcp::over(settings, move || {
            let address = Arc::clone(&address);
            async move {
                let stream = TcpStream::connect(&*address).await?;
                stream.set_nodelay(true)?;
                Ok(stream.into_split())
            }
        })
    }

    /// Returns a transport over what `connect` returns: the two halves of a stream, such as
    /// a Unix socket's. Must be called inside a tokio runtime.
    #[must_use]
    pub fn over<R, W, F>(settings: ClientSettings, connect: impl Fn() -> F + Send + 'static) -> Tcp
    where
        R: AsyncRead + Send + 'static,
        W: AsyncWrite + Send + 'static,
        F: Future<Output = io::Result<(R, W)>> + Send + 'static,
    {
        let clock = Clock::start();
        let dial = move || {
            let connected = timeout(settings.dial, connect());
            async move {
                match connected.await.unwrap_or_else(|late| Err(late.into())) {
                    Ok((incoming, outgoing)) => {
                        Ok(Connection::new(incoming, outgoing, clock, settings))
                    }
                    Err(error) => {
                        tracing::debug!(%error, "cannot connect");
                        Err(Error::Unreachable)
                    }
                }
            }
        };
        let (wants, wanted) = mpsc::channel(WANTS_MAX);
        let (backoff, jitter) = (settings.backoff, fastrand::f64);
        tokio::spawn(keep_connected(wanted, dial, backoff, clock, jitter));
        Tcp {
            wants,
            current: Mutex::new(None),
        }
    }

    /// Returns how many calls are in flight on the connection.
    #[must_use]
    pub fn in_flight(&self) -> usize {
        let living = self.living();
        living.map_or(0, |connection| connection.in_flight())
    }

    /// Returns the connection, which is made if there is none. Then `request` has waited for it.
    async fn connection(&self, request: &mut Request<'_>) -> Result<Arc<Connection>, Error> {
        if let Some(living) = self.living() {
            return Ok(living);
        }
        let wanted = async {
            let (want, dialled) = oneshot::channel();
            let wanted = self.wants.send(want).await;
            wanted.map_err(|_| Error::Unreachable)?;
            dialled.await.unwrap_or(Err(Error::Unreachable))
        };
        let dialled = timeout_at(request.deadline, wanted).await;
        let connection = dialled.unwrap_or(Err(Error::DeadlinePassed))?;
        *self.current() = Some(Arc::clone(&connection));
        *request = request.renewed();
        Ok(connection)
    }

    fn living(&self) -> Option<Arc<Connection>> {
        let current = self.current();
        let living = current.as_ref().filter(|current| !current.is_closed());
        living.cloned()
    }

    fn current(&self) -> MutexGuard<'_, Option<Arc<Connection>>> {
        self.current.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Transport for Tcp {
    async fn call(&self, mut request: Request<'_>) -> Outcome {
        let connection = self.connection(&mut request).await?;
        connection.call(&request).await
    }

    async fn stream(&self, mut request: Request<'_>) -> Result<Items, Error> {
        let connection = self.connection(&mut request).await?;
        connection.stream(&request).await
    }
}
