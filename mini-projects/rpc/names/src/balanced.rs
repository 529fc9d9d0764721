//! Calls to the servers that a name service knows.

use std::collections::HashMap;
use std::num::NonZeroU32;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use async_model::Clock;
use client::{Attempts, Backoff};
use rpc::{Balancer, CallOutcome, Ejection, Error, Items, Outcome, Picked, Policy};
use rpc::{Request, ServerId, Transport};
use tokio::time::timeout_at;

use crate::names::Names;

const EJECTION: Ejection = Ejection {
    failures: NonZeroU32::MIN.saturating_add(2),
    pause: Duration::from_millis(500),
    max_pause: Duration::from_secs(30),
};
/// The pauses of a call that was tried at every server.
const BACKOFF: Backoff = Backoff {
    first: Duration::from_millis(50),
    max: Duration::from_secs(2),
};
/// What a call says about its server as long as nothing has answered it.
const NOTHING: CallOutcome = CallOutcome::Cancelled;

/// Calls the servers of a service, each call the one whose turn it is.
///
/// - A call that a server certainly did not begin goes to another one, and so does a call whose
///   fate is unknown if its method is idempotent. When all were tried, the call is made again
///   after a pause, until its deadline.
/// - While no server is known, calls wait for one. The last servers of a service stay known
///   when they leave, until others come.
/// - As far as the balance is concerned, a stream is in flight until it has begun.
pub struct Balanced<T> {
    service: String,
    connect: Box<dyn Fn(&str) -> T + Send + Sync>,
    clock: Clock,
    state: Mutex<State<T>>,
}

/// The lock is not held over an await.
struct State<T> {
    names: Names,
    /// How many servers the balancer has.
    servers: usize,
    balancer: Balancer,
    /// To the servers that were needed so far.
    links: HashMap<ServerId, Arc<T>>,
}

impl<T: Transport> Balanced<T> {
    /// Returns a transport to the servers of `service`. Each is called over what `connect`
    /// returns for its address, such as a [`Tcp`](rpc::Tcp).
    #[must_use]
    pub fn new(
        names: Names,
        service: &str,
        policy: Policy,
        connect: impl Fn(&str) -> T + Send + Sync + 'static,
    ) -> Balanced<T> {
        Balanced {
            service: service.to_owned(),
            connect: Box::new(connect),
            clock: Clock::start(),
            state: Mutex::new(State {
                names,
                servers: 0,
                balancer: Balancer::new(policy, EJECTION),
                links: HashMap::new(),
            }),
        }
    }

    /// Makes attempts until the call ends. `sent` is what an attempt that went well says about
    /// its server.
    async fn try_servers<R>(
        &self,
        mut request: Request<'_>,
        sent: CallOutcome,
        attempt: impl AsyncFn(&T, Request<'_>) -> Result<R, Error>,
    ) -> Result<R, Error> {
        let mut attempts = Attempts::new(BACKOFF, self.clock.at(request.deadline));
        let mut tried = Vec::new();
        loop {
            let Some((link, mut turn)) = self.turn(request.key, &tried) else {
                if timeout_at(request.deadline, self.changed()).await.is_err() {
                    tracing::warn!("no server of {} is known", self.service);
                    return Err(Error::Unreachable);
                }
                request = request.renewed();
                continue;
            };
            // ANCHOR: try
            let result = attempt(&link, request).await;
            let outcome = result.as_ref().map_or_else(|error| blame(*error), |_| sent);
            let server = turn.ended(outcome);
            if !matches!(&result, Err(error) if error.may_try_again(request.is_idempotent)) {
                return result;
            }
            tried.extend(server);
            if tried.len() >= self.state().servers {
                tried.clear();
                let Some(next) = attempts.failed(self.clock.now(), fastrand::f64()) else {
                    return result;
                };
                tokio::select! {
                    () = self.clock.sleep_until(next) => {}
                    () = self.changed() => {}
                }
            }
            request = request.renewed();
        }
        // ANCHOR_END: try
    }

    /// Returns the turn of one attempt, and the link for it; `None`: there is no server.
    fn turn(&self, key: Option<u64>, tried: &[ServerId]) -> Option<(Arc<T>, Turn<'_, T>)> {
        let state = &mut *self.state();
        let (balancer, links) = (&mut state.balancer, &mut state.links);
        if state.servers == 0 || state.names.leases.has_changed().unwrap_or(false) {
            state.names.leases.mark_unchanged();
            let living = state.names.living(&self.service);
            // No servers are no help: those that were known may still be there.
            if !living.is_empty() {
                balancer.set_servers(&living);
                links.retain(|server, _| balancer.address(*server).is_some());
                state.servers = living.len();
            }
        }
        let picked = balancer.pick(key, tried, self.clock.now())?;
        let address = balancer.address(picked.server)?;
        let link = links.entry(picked.server);
        let link = link.or_insert_with(|| Arc::new((self.connect)(address)));
        Some((Arc::clone(link), Turn(self, Some(picked))))
    }

    /// Returns when there may be other servers than when the last turn was taken.
    async fn changed(&self) {
        let mut names = self.state().names.clone();
        names.changed().await;
    }

    fn state(&self) -> MutexGuard<'_, State<T>> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// One attempt of a call. If it is dropped before it has ended, the caller has given up.
struct Turn<'a, T: Transport>(&'a Balanced<T>, Option<Picked>);

impl<T: Transport> Turn<'_, T> {
    fn ended(&mut self, outcome: CallOutcome) -> Option<ServerId> {
        let picked = self.1.take()?;
        let (server, now) = (picked.server, self.0.clock.now());
        self.0.state().balancer.ended(picked, outcome, now);
        Some(server)
    }
}

impl<T: Transport> Drop for Turn<'_, T> {
    fn drop(&mut self) {
        self.ended(CallOutcome::Cancelled);
    }
}

/// Returns what a failure says about the server.
fn blame(error: Error) -> CallOutcome {
    match error {
        Error::Unreachable
        | Error::Closed
        | Error::DeadlinePassed
        | Error::NoProvider
        | Error::Overloaded
        | Error::Stopping => CallOutcome::Failed,
        _ => NOTHING,
    }
}

impl<T: Transport> Transport for Balanced<T> {
    async fn call(&self, request: Request<'_>) -> Outcome {
        let call = async |link: &T, request: Request<'_>| link.call(request).await;
        let sent = match request.is_one_way {
            true => NOTHING,
            false => CallOutcome::Worked,
        };
        self.try_servers(request, sent, call).await
    }

    async fn stream(&self, request: Request<'_>) -> Result<Items, Error> {
        let stream = async |link: &T, request: Request<'_>| link.stream(request).await;
        self.try_servers(request, NOTHING, stream).await
    }
}
