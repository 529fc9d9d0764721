//! One connection of a client: its task, and the calls over it.

use std::pin::pin;
use std::sync::Arc;

use async_model::Clock;
use bytes::Bytes;
use client::Session;
use networking::{FrameReader, ReadError};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::sync::{mpsc, oneshot};

use crate::calls::{Calls, Waiter};
use crate::part::{CallId, Error, Hello, Side, ToServer};
use crate::settings::ClientSettings;
use crate::streaming::Items;
use crate::transport::{Outcome, Request};

/// One connection, many calls. When it is dropped, what is queued is still written.
#[derive(Debug)]
pub(crate) struct Connection(Arc<Calls>);

impl Connection {
    /// Starts to speak. Must be called inside a tokio runtime.
    pub(crate) fn new<R, W>(
        incoming: R,
        outgoing: W,
        clock: Clock,
        settings: ClientSettings,
    ) -> Connection
    where
        R: AsyncRead + Send + 'static,
        W: AsyncWrite + Send + 'static,
    {
        let calls = Arc::new(Calls::new(clock, settings));
        calls.put(&ToServer::Hello(Hello::OURS));
        let closes = CloseOnDrop(Arc::clone(&calls));
        tokio::spawn(async move {
            let calls = &closes.0;
            let (incoming, mut outgoing) = (pin!(incoming), pin!(outgoing));
            tokio::select! {
                biased;
                // First: what comes without a pause would use up the task's turns.
                () = calls.end_overdue() => {}
                () = read(calls, incoming) => {}
                // A failure needs no report: every call says that the connection is closed.
                _ = calls.outbox.write_to(&mut outgoing, settings.progress) => {}
            }
        });
        Connection(calls)
    }

    // ANCHOR: call
    /// Makes a call that has one reply, or none. May be dropped while it waits: the call is then
    /// stopped on the server.
    pub(crate) async fn call(self: Arc<Self>, request: &Request<'_>) -> Outcome {
        if request.is_one_way {
            self.0.send(request, 0, None).await?;
            return Ok((Side::Value, Bytes::new()));
        }
        let (waiter, outcome) = oneshot::channel();
        let id = self.0.send(request, 0, Some(Waiter::Reply(waiter))).await?;
        let mut call = InFlight {
            connection: self,
            id,
            has_ended: false,
        };
        let outcome = outcome.await;
        call.has_ended = true;
        outcome.unwrap_or(Err(Error::Closed))
    }
    // ANCHOR_END: call

    /// Makes a call that has a stream of items.
    pub(crate) async fn stream(self: Arc<Self>, request: &Request<'_>) -> Result<Items, Error> {
        let window = self.0.settings.stream_window.max(1);
        let (waiter, events) = mpsc::channel(window as usize + 1);
        let sent = self.0.send(request, window, Some(Waiter::Items(waiter)));
        let call = InFlight {
            id: sent.await?,
            connection: self,
            has_ended: false,
        };
        Ok(Items { events, call })
    }

    /// Returns how many calls are in flight.
    pub(crate) fn in_flight(&self) -> usize {
        self.0.in_flight()
    }
}

impl Session for Connection {
    fn is_closed(&self) -> bool {
        self.0.refuses()
    }
}

impl Drop for Connection {
    fn drop(&mut self) {
        self.0.outbox.close();
    }
}

/// A call in flight, and its permit. Dropped before its end the call is taken back, and
/// stopped on the server.
#[derive(Debug)]
pub(crate) struct InFlight {
    connection: Arc<Connection>,
    id: CallId,
    has_ended: bool,
}

impl InFlight {
    /// The caller has taken an item of its stream.
    pub(crate) fn taken(&self) {
        self.connection.0.taken(self.id);
    }
}

// ANCHOR: drop
impl Drop for InFlight {
    fn drop(&mut self) {
        if !self.has_ended {
            self.connection.0.take_back(self.id);
        }
    }
}
// ANCHOR_END: drop

/// Takes in what the server sends, until it is gone, silent or breaks the protocol.
async fn read(calls: &Calls, incoming: impl AsyncRead + Unpin) {
    let mut frames = FrameReader::new(incoming, calls.settings.frame_bytes_max);
    let mut is_asked = false;
    loop {
        match frames.next_batch(calls.settings.heartbeat).await {
            Ok(Some(payloads)) => {
                is_asked = false;
                if !calls.receive(payloads) {
                    return;
                }
            }
            Err(ReadError::Idle(_)) if !is_asked => {
                is_asked = true;
                calls.put(&ToServer::Ping);
            }
            _ => return,
        }
    }
}

// ANCHOR: close
/// Ends every call when it is dropped: when the connection ends, when its task panics, and
/// when the runtime shuts down.
struct CloseOnDrop(Arc<Calls>);

impl Drop for CloseOnDrop {
    fn drop(&mut self) {
        self.0.close();
    }
}
// ANCHOR_END: close
