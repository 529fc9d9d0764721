//! The calling side of a duplex connection.

use std::sync::Arc;
use std::time::Duration;

use async_model::Clock;
use bytes::{Buf as _, Bytes};
use tokio::net::TcpStream;
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::sync::{Notify, mpsc, oneshot};
use tokio::task::JoinSet;

use crate::calls::{Calls, CloseOnDrop};
use crate::frame_reader::FrameReader;
use crate::part::{CallId, Gathered, write_coalesced};

/// How many payloads may wait to be written; a caller behind them waits its turn.
const QUEUE_LENGTH: usize = 1024;

/// About how much goes out in one write, in bytes.
const BATCH_SIZE: usize = 64 * 1024;

/// How long what is queued may take to be written once the last clone of the connection is gone.
const LINGER: Duration = Duration::from_secs(5);

/// Calls have deadlines, so the connection may be silent for as long as it likes.
const IDLE: Duration = Duration::MAX;

/// Why a call has no reply.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum CallError {
    /// Its deadline passed; whether the peer acted on it is unknown.
    #[error("no reply before the deadline")]
    DeadlinePassed,
    /// The connection closed; whether the peer acted on it is unknown.
    #[error("the connection closed before the reply came")]
    Closed,
    /// It was not sent: too many calls were in flight.
    #[error("too many calls are in flight on this connection")]
    Refused,
}

/// Limits of one connection.
#[derive(Debug, Clone, Copy)]
pub struct ConnectionLimits {
    /// The largest reply that is taken in, in bytes.
    pub frame_bytes_max: usize,
    /// How many calls may wait for a reply at a time.
    pub in_flight_max: usize,
}

/// One socket, many calls: they go out together, and replies are paired by id.
///
/// A payload carries its [`CallId`] where the protocol says; a reply begins
/// with it (`i32`, big-endian). Cheap to clone; when the last clone is dropped,
/// what is queued is still written, and the connection closes.
#[derive(Debug, Clone)]
pub struct Connection {
    calls: Arc<Calls>,
    outgoing: mpsc::Sender<Gathered>,
    _last: Arc<LastClone>,
}

/// Notifies the connection's task when it is dropped with the last clone.
#[derive(Debug)]
struct LastClone(Arc<Notify>);

impl Drop for LastClone {
    fn drop(&mut self) {
        self.0.notify_one();
    }
}

impl Connection {
    /// Starts to speak over `stream`. Must be called inside a tokio runtime.
    #[must_use]
    pub fn new(stream: TcpStream, limits: ConnectionLimits) -> Connection {
        // It fails only when the peer is gone, which reading finds out.
        let _ = stream.set_nodelay(true);
        let (incoming, socket) = stream.into_split();
        let replies = FrameReader::new(incoming, limits.frame_bytes_max);
        let calls = Arc::new(Calls::new(Clock::start(), limits.in_flight_max));
        let (outgoing, queue) = mpsc::channel(QUEUE_LENGTH);
        let dropped = Arc::new(Notify::new());
        // ANCHOR: tasks
        let mut tasks = JoinSet::new();
        tasks.spawn(write(queue, socket));
        tasks.spawn(read(Arc::clone(&calls), replies));
        tasks.spawn(end_overdue(Arc::clone(&calls)));
        tasks.spawn(linger(Arc::clone(&dropped)));
        tokio::spawn(close_when_one_ends(tasks, CloseOnDrop(Arc::clone(&calls))));
        // ANCHOR_END: tasks
        Connection {
            calls,
            outgoing,
            _last: Arc::new(LastClone(dropped)),
        }
    }

    /// Sends what `payload` makes of the call's id, and waits for the reply: the
    /// payload of its frame, id included. Long pieces of what is sent are not copied.
    ///
    /// May be dropped while it waits: the reply is then thrown away.
    ///
    /// # Errors
    /// See [`CallError`]. It never waits longer than `patience`.
    // ANCHOR: call
    pub async fn call<Payload: Into<Gathered>>(
        &self,
        patience: Duration,
        payload: impl FnOnce(CallId) -> Payload,
    ) -> Result<Bytes, CallError> {
        let deadline = self.calls.now().plus(patience);
        let place = self.place_in_queue(patience).await?;
        let (waiter, ended) = oneshot::channel();
        let waiting = self.calls.begin(deadline, waiter);
        if let Some(waiting) = &waiting {
            place.send(frame(payload(waiting.id()).into()));
        }
        let ended = ended.await;
        if let Some(waiting) = waiting {
            waiting.has_ended();
        }
        ended.unwrap_or(Err(CallError::Closed))
    }
    // ANCHOR_END: call

    /// Sends what `payload` makes of an id that no call in flight has; the peer
    /// does not answer it.
    ///
    /// # Errors
    /// When it could not be queued within `patience`. Whether it arrives is not known.
    pub async fn send<Payload: Into<Gathered>>(
        &self,
        patience: Duration,
        payload: impl FnOnce(CallId) -> Payload,
    ) -> Result<(), CallError> {
        let place = self.place_in_queue(patience).await?;
        let (waiter, mut ended) = oneshot::channel();
        match self.calls.begin(self.calls.now().plus(patience), waiter) {
            Some(waiting) => {
                place.send(frame(payload(waiting.id()).into()));
                Ok(())
            }
            None => ended
                .try_recv()
                .map_or(Err(CallError::Closed), |ended| ended.map(drop)),
        }
    }

    async fn place_in_queue(
        &self,
        patience: Duration,
    ) -> Result<mpsc::Permit<'_, Gathered>, CallError> {
        tokio::time::timeout(patience, self.outgoing.reserve())
            .await
            .map_err(|_| CallError::DeadlinePassed)?
            .map_err(|_| CallError::Closed)
    }

    /// Whether the connection is gone, so that every further call fails.
    #[must_use]
    pub fn is_closed(&self) -> bool {
        self.outgoing.is_closed()
    }

    /// How many calls wait for a reply.
    #[must_use]
    pub fn in_flight(&self) -> usize {
        self.calls.len()
    }
}

/// Returns `payload` with its length in front.
///
/// # Panics
/// When the payload is longer than an `i32` can say (2 GiB).
fn frame(payload: Gathered) -> Gathered {
    let length = i32::try_from(payload.remaining()).expect("a payload is below 2 GiB");
    let mut framed = Gathered::from(length.to_be_bytes().to_vec());
    framed.push(payload);
    framed
}

/// Writes what is queued, until the last sender is gone or the socket fails.
async fn write(mut queue: mpsc::Receiver<Gathered>, mut socket: OwnedWriteHalf) {
    // A failure needs no report: the connection closes, and every call says so.
    let _ = write_coalesced(&mut queue, &mut socket, BATCH_SIZE).await;
}

/// Hands replies to their callers, until the socket ends or fails, or a reply has no id.
async fn read(calls: Arc<Calls>, mut replies: FrameReader<OwnedReadHalf>) {
    while let Ok(Some(payload)) = replies.next(IDLE).await {
        if !calls.reply(payload) {
            return;
        }
    }
}

/// Ends calls as they run out of time.
async fn end_overdue(calls: Arc<Calls>) {
    calls.end_overdue().await;
}

/// Ends [`LINGER`] after the last clone of the connection is gone: a peer that
/// reads nothing would hold up the writer for ever.
async fn linger(dropped: Arc<Notify>) {
    dropped.notified().await;
    tokio::time::sleep(LINGER).await;
}

/// `calls` is closed when this ends, by whatever way it ends.
async fn close_when_one_ends(mut tasks: JoinSet<()>, calls: CloseOnDrop) {
    tasks.join_next().await;
    tasks.shutdown().await;
    drop(calls);
}
