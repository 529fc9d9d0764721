//! One broker's connection for one kind of request.

use std::future::Future;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use async_model::Clock;
use message_model::Moment;
use networking::CallError;
use tokio::sync::{mpsc, oneshot};

use crate::broker::Broker;
use crate::error::Error;
use crate::part::{Backoff, Session, Want, keep_connected};

/// How many calls may wait for one connection; those behind them wait their turn.
const WANTS_MAX: usize = 128;

impl Session for Broker {
    fn is_closed(&self) -> bool {
        Broker::is_closed(self)
    }
}

/// The connection to a broker, made when it is wanted, and made again when it is lost.
///
/// A task of its own dials, so a call that gives up stops no other one's dial. The task
/// ends when the link is dropped.
#[derive(Debug)]
pub(crate) struct Link {
    clock: Clock,
    wants: mpsc::Sender<Want<Broker, Error>>,
    /// The connection that calls take without asking the task.
    current: Mutex<Option<Arc<Broker>>>,
    /// The last dial failed.
    is_failing: AtomicBool,
}

impl Link {
    /// Returns a link that is not connected. Must be called inside a tokio runtime.
    pub(crate) fn new<D>(
        clock: Clock,
        backoff: Backoff,
        dial: impl FnMut() -> D + Send + 'static,
    ) -> Link
    where
        D: Future<Output = Result<Broker, Error>> + Send + 'static,
    {
        let (wants, wanted) = mpsc::channel(WANTS_MAX);
        tokio::spawn(keep_connected(wanted, dial, backoff, clock, fastrand::f64));
        Link {
            clock,
            wants,
            current: Mutex::new(None),
            is_failing: AtomicBool::new(false),
        }
    }

    /// Returns the connection if there is one.
    pub(crate) fn living(&self) -> Option<Arc<Broker>> {
        let current = self.current.lock().unwrap_or_else(PoisonError::into_inner);
        current
            .as_ref()
            .filter(|broker| !broker.is_closed())
            .cloned()
    }

    /// Whether the last attempt to connect failed.
    pub(crate) fn is_failing(&self) -> bool {
        self.is_failing.load(Ordering::Relaxed)
    }

    /// Returns the connection, which is made if there is none.
    ///
    /// # Errors
    /// As the dial; [`CallError::DeadlinePassed`] if that takes longer.
    pub(crate) async fn connection(&self, deadline: Moment) -> Result<Arc<Broker>, Error> {
        if let Some(broker) = self.living() {
            return Ok(broker);
        }
        let left = deadline.since(self.clock.now());
        let dialled = tokio::time::timeout(left, self.want())
            .await
            .unwrap_or(Err(CallError::DeadlinePassed.into()));
        self.is_failing.store(dialled.is_err(), Ordering::Relaxed);
        let broker = dialled?;
        let mut current = self.current.lock().unwrap_or_else(PoisonError::into_inner);
        *current = Some(Arc::clone(&broker));
        Ok(broker)
    }

    async fn want(&self) -> Result<Arc<Broker>, Error> {
        let (want, dialled) = oneshot::channel();
        let gone = |_| Error::Call(CallError::Closed);
        self.wants.send(want).await.map_err(|_| CallError::Closed)?;
        dialled.await.map_err(gone)?
    }
}
