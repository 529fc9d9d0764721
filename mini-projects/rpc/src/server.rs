//! The end that is called.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};

use async_model::Lane;
use futures_util::future::{AbortHandle, Abortable};
use networking::{AcceptLimits, ByteBudget, accept_until};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpListener;
use tokio::sync::{Semaphore, watch};
use tokio::time::{Instant, timeout_at};

use crate::backlog::{Backlog, Waits};
use crate::codec::{Codec, Json};
use crate::method::{Ending, Method};
use crate::part::{Call, DispatchTable, Duplicate};
use crate::session::{Session, serve_session};
use crate::settings::ServerSettings;

/// Takes the place of a connection's number.
pub(crate) const NO_CONNECTION: u64 = 0;

/// An object whose methods can be called. The attribute [`service`](crate::service) makes
/// one of every implementation of its trait.
pub trait Service: Send + Sync + 'static {
    /// What calls name the service by.
    const NAME: &'static str;
    /// What arguments and results are written in.
    type Codec: Codec;

    /// Returns its methods, for arguments and results that are written in `C`.
    fn methods<C: Codec>(self: &Arc<Self>) -> Vec<Method>;
}

/// Services behind one address.
#[derive(Debug)]
pub struct Server {
    pub(crate) settings: ServerSettings,
    pub(crate) methods: DispatchTable<Method>,
    codecs: BTreeMap<u8, &'static str>,
    pub(crate) budget: ByteBudget,
    pub(crate) backlog: Arc<Backlog>,
    /// What arguments hold, beyond what each connection has for itself.
    pub(crate) held: AtomicUsize,
    /// How many calls go on, over all connections.
    pub(crate) running: AtomicUsize,
    /// A permit for each one-way call that goes on.
    pub(crate) one_way: Arc<Semaphore>,
    /// For methods that block; its keys are numbers of connections.
    pub(crate) blocking: Lane<u64>,
    connections: AtomicU64,
}

impl Server {
    /// Returns a server without services.
    ///
    /// # Panics
    /// If [`blocking_max`](ServerSettings::blocking_max) is 0.
    #[must_use]
    pub fn new(settings: ServerSettings) -> Server {
        Server {
            settings,
            methods: DispatchTable::default(),
            codecs: BTreeMap::new(),
            budget: ByteBudget::new(settings.calls_bytes_max / 2),
            backlog: Arc::new(Backlog::new(settings.replies_bytes_max)),
            held: AtomicUsize::new(0),
            running: AtomicUsize::new(0),
            one_way: Arc::new(Semaphore::new(settings.one_way_max)),
            blocking: Lane::new(settings.blocking_max),
            connections: AtomicU64::new(NO_CONNECTION + 1),
        }
    }

    /// Adds a service, which takes calls in its own codec and in [`Json`].
    ///
    /// # Errors
    /// If calls could not tell the service, a method or the codec from another one.
    pub fn with_service<S: Service>(mut self, service: S) -> Result<Server, Duplicate> {
        let service = Arc::new(service);
        self.add_methods::<S, S::Codec>(&service)?;
        if S::Codec::ID != Json::ID {
            self.add_methods::<S, Json>(&service)?;
        }
        Ok(self)
    }

    fn add_methods<S: Service, C: Codec>(&mut self, service: &Arc<S>) -> Result<(), Duplicate> {
        let name = std::any::type_name::<C>();
        let there = *self.codecs.entry(C::ID).or_insert(name);
        if there != name {
            return Err(Duplicate(there, name));
        }
        for method in service.methods::<C>() {
            self.methods.add(S::NAME, method.name, C::ID, method)?;
        }
        Ok(())
    }

    /// Returns the budget of which requests hold their bytes until their calls have begun.
    #[must_use]
    pub fn budget(&self) -> &ByteBudget {
        &self.budget
    }

    /// How much the arguments of calls may hold, in bytes. The other half is for what arrives.
    pub(crate) fn room(&self) -> usize {
        self.settings.calls_bytes_max / 2
    }

    /// Serves the connections of `listener` until `stop` completes. Then no further
    /// connection or call is taken, and the calls that run, also one-way calls, have
    /// [`drain`](ServerSettings::drain) to end; each client closes its connection when its
    /// own have.
    pub async fn serve(self, listener: TcpListener, stop: impl Future<Output = ()>) {
        let server = Arc::new(self);
        let limits = AcceptLimits {
            connections_max: server.settings.connections_max,
            drain: server.settings.drain,
        };
        let (stopping, stopped) = watch::channel(None);
        let stop = async {
            stop.await;
            stopping.send_replace(Some(Instant::now()));
        };
        accept_until(listener, limits, stop, |stream, peer| {
            let (server, mut stopped) = (Arc::clone(&server), stopped.clone());
            async move {
                let stop = async {
                    // The sender is gone only when the server is.
                    let _ = stopped.wait_for(Option::is_some).await;
                };
                tracing::debug!(%peer, "a client has connected");
                let (incoming, outgoing) = stream.into_split();
                server.serve_connection(incoming, outgoing, stop).await;
            }
        })
        .await;
        let stopped = *stopped.borrow();
        server.one_way_calls_end(stopped).await;
    }

    /// One-way calls have no connection that waits for them.
    async fn one_way_calls_end(&self, stopped: Option<Instant>) {
        let all = u32::try_from(self.settings.one_way_max).unwrap_or(u32::MAX);
        let end = stopped.and_then(|stopped| stopped.checked_add(self.settings.drain));
        let ended = self.one_way.acquire_many(all);
        // It fails when they have had their time.
        let _ = match end {
            Some(end) => timeout_at(end, ended).await.is_ok(),
            None => ended.await.is_ok(),
        };
    }

    /// Returns how a call ends that came over no connection. Its patience begins now. A call of
    /// a stream ends as [`Error::BadRequest`](crate::Error::BadRequest).
    pub async fn answer(self: &Arc<Self>, call: &Call, arguments: &[u8]) -> Ending {
        let session = Session::new(Arc::clone(self), NO_CONNECTION);
        session.answer(call, arguments).await
    }

    /// Serves one connection, such as one of a Unix socket, until the client closes it.
    /// After `stop` no further call is taken.
    pub async fn serve_connection<R, W>(
        self: Arc<Self>,
        incoming: R,
        outgoing: W,
        stop: impl Future<Output = ()>,
    ) where
        R: AsyncRead + Unpin + Send,
        W: AsyncWrite + Unpin + Send,
    {
        // Relaxed: nothing else follows from a number.
        let number = self.connections.fetch_add(1, Ordering::Relaxed);
        let (close, closed) = AbortHandle::new_pair();
        let waits = Waits::new(Arc::clone(&self.backlog), number, close);
        let session = Session::new(self, number);
        session.outbox.step(|queue| queue.waits = Some(waits));
        // It fails only when the backlog closes it, which says so itself.
        let serving = serve_session(session, incoming, outgoing, stop);
        let _ = Abortable::new(serving, closed).await;
    }
}
