//! One connection of a server: from its messages to methods, and back.

use std::future::{pending, poll_fn};
use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use bytes::Bytes;
use futures_util::future::{AbortHandle, Abortable};
use networking::{PREFIX_SIZE, ReadError, RequestLimits, RequestReader};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::sync::Semaphore;
use tokio::task::yield_now;
use tokio::time::{Instant, timeout_at};
use tracing::{Instrument as _, Span, debug_span};

use crate::codec::Unfit;
use crate::method::{Ending, Method, Sink};
use crate::outbox::{FULL, KEPT, Outbox};
use crate::part::{Call, CallId, Error, HEADER_MAX, Hello, ToClient, ToServer, get, put};
use crate::room::Room;
use crate::running::{Control, Place, Running};
use crate::scratch;
use crate::served::{SERVED, Served};
use crate::server::Server;
use crate::trace;

/// The answers to fewer bytes of requests are not worth a write of their own.
const WRITE_MIN: usize = 1024;

/// What the calls of a connection share.
#[derive(Debug)]
pub(crate) struct Session {
    pub(crate) server: Arc<Server>,
    /// Of the connection.
    pub(crate) number: u64,
    pub(crate) outbox: Outbox<Running>,
    has_greeted: AtomicBool,
    /// What the arguments of its calls hold, in bytes.
    pub(crate) held: AtomicUsize,
}

/// Serves a connection until the client closes it, breaks the protocol or falls silent.
/// After `stop` no further call is begun.
pub(crate) async fn serve_session<R, W>(
    session: Arc<Session>,
    incoming: R,
    mut outgoing: W,
    stop: impl Future<Output = ()>,
) where
    R: AsyncRead + Unpin + Send,
    W: AsyncWrite + Unpin + Send,
{
    let session = &StopsCalls(session).0;
    let settings = session.server.settings;
    let requests = RequestReader::new(
        incoming,
        RequestLimits {
            frame_bytes_max: settings.frame_bytes_max,
            progress: settings.progress,
            budget: session.server.budget.clone(),
        },
    );
    let outbox = &session.outbox;
    outbox.step(|queue| queue.put(&ToClient::Hello(Hello::OURS), &[]));
    let stopping = async {
        stop.await;
        outbox.step(|queue| {
            queue.state.is_stopping = true;
            queue.put(&ToClient::GoAway, &[]);
        });
        // The client closes the connection when its calls have ended.
        pending().await
    };
    let mut writing = pin!(outbox.write_to(&mut outgoing, settings.progress));
    let ended = tokio::select! {
        biased;
        () = stopping => return,
        read = session.read(requests) => {
            session.close();
            let _ = writing.await;
            read
        }
        written = &mut writing => written.map_err(ReadError::Io),
    };
    let number = session.number;
    match ended {
        Ok(()) => tracing::debug!(number, "a connection has ended"),
        Err(reason) => tracing::info!(number, %reason, "closing a connection"),
    }
}

impl Session {
    pub(crate) fn new(server: Arc<Server>, number: u64) -> Arc<Session> {
        Arc::new(Session {
            server,
            number,
            outbox: Outbox::new(Running::default()),
            has_greeted: AtomicBool::new(false),
            held: AtomicUsize::new(0),
        })
    }

    /// The largest result or item, in bytes.
    pub(crate) fn body_bytes_max(&self) -> usize {
        self.server
            .settings
            .frame_bytes_max
            .saturating_sub(HEADER_MAX)
    }

    /// Takes in messages until there are no more. What can be answered at once leaves with
    /// the answers to what came with it, in two writes: the client goes on after the first.
    async fn read<R>(self: &Arc<Self>, mut requests: RequestReader<R>) -> Result<(), ReadError>
    where
        R: AsyncRead + Unpin + Send,
    {
        let mut replies = Vec::new();
        loop {
            let (payloads, mut share) = match requests.next_batch(self.server.settings.idle).await {
                Ok(Some(batch)) => batch,
                Ok(None) => return Ok(()),
                Err(ReadError::Idle(_)) if self.outbox.step(|queue| queue.state.count) > 0 => {
                    continue;
                }
                Err(error) => return Err(error),
            };
            let arrived = Instant::now();
            let mut left = share.held();
            let (mut begun_at, half) = (left, (left / 2).max(WRITE_MIN));
            for payload in payloads {
                left -= PREFIX_SIZE + payload.len();
                self.take_in(payload, arrived, &mut replies)?;
                if begun_at - left >= half || replies.len() >= FULL {
                    begun_at = left;
                    share.shrink_to(left);
                    self.send(&mut replies).await;
                    // They leave while the rest is taken in.
                    yield_now().await;
                }
            }
            drop(share);
            self.send(&mut replies).await;
        }
    }

    async fn send(&self, replies: &mut Vec<u8>) {
        self.outbox.step(|queue| queue.messages.append(replies));
        replies.shrink_to(KEPT);
        self.outbox.room().await;
    }

    /// Does what a message says; an error means that the client has broken the protocol.
    fn take_in(
        self: &Arc<Self>,
        payload: Bytes,
        arrived: Instant,
        replies: &mut Vec<u8>,
    ) -> Result<(), ReadError> {
        let breach = || ReadError::Io(io::Error::other("the client has broken the protocol"));
        let (message, body) = get(payload).map_err(|_| breach())?;
        let has_greeted = self.has_greeted.load(Ordering::Relaxed);
        match message {
            ToServer::Hello(hello) if !has_greeted && hello == Hello::OURS => {
                self.has_greeted.store(true, Ordering::Relaxed);
            }
            ToServer::Hello(_) => return Err(breach()),
            _ if !has_greeted => return Err(breach()),
            ToServer::Call(call) => {
                let max = self.server.settings.running_max;
                let ended = match self
                    .outbox
                    .step(|queue| queue.state.admission(call.id, max))
                {
                    Err(Error::Closed) => return Err(breach()),
                    Err(error) => Some(Err(error)),
                    Ok(()) => self.call(&call, &body, arrived),
                };
                if let Some(ending) = ended {
                    self.reply(call.id, ending, replies);
                }
            }
            ToServer::Cancel(id) => self.outbox.step(|queue| queue.state.stop(id)),
            ToServer::Credit(id, count) => {
                self.outbox.step(|queue| queue.state.add_credit(id, count));
            }
            ToServer::Ping => put(&ToClient::Pong, &[], replies),
        }
        Ok(())
    }

    /// Runs a method as far as that goes at once. `None`: it goes on in a task of its own,
    /// so that no call waits for another one.
    fn call(self: &Arc<Self>, call: &Call, body: &[u8], arrived: Instant) -> Option<Ending> {
        let is_one_way = call.id == CallId::ONE_WAY;
        let one_way = || Arc::clone(&self.server.one_way).try_acquire_owned();
        let Ok(permit) = is_one_way.then(one_way).transpose() else {
            return Some(Err(Error::Overloaded));
        };
        // Nothing takes the items of a one-way call, or says how many there is room for.
        let has_items = call.credit > 0 && !is_one_way;
        let credit = has_items.then(|| Arc::new(Semaphore::new(call.credit as usize)));
        let sink = credit.as_ref().map(|credit| Sink {
            session: Arc::clone(self),
            id: call.id,
            credit: Arc::clone(credit),
        });
        // ANCHOR: call
        let work = match self.begin(call, body, arrived, sink) {
            Ok(work) => work,
            Err(ending) => return Some(ending),
        };
        let (stop, stopped) = AbortHandle::new_pair();
        let place = Place::new(Arc::clone(self), call.id, Control { stop, credit });
        let (session, id) = (Arc::clone(self), call.id);
        let work = async move {
            // Its room is given back, and now its place. Then its client may call again.
            let ending = work.await;
            drop((place, permit));
            let outbox = &session.outbox;
            outbox.step(|queue| session.reply(id, ending, &mut queue.messages));
        };
        tokio::spawn(Abortable::new(work, stopped));
        None
        // ANCHOR_END: call
    }

    /// Runs a method as far as that goes at once. Returns the rest of it, or how it ended.
    fn begin(
        self: &Arc<Self>,
        call: &Call,
        body: &[u8],
        arrived: Instant,
        sink: Option<Sink>,
    ) -> Result<impl Future<Output = Ending> + Send + use<>, Ending> {
        let found = self.server.methods.find(call.target);
        let Method { name, start } = found.map_err(Err)?;
        let trace = trace::of_call(call.trace);
        let span = match trace::is_on() {
            true => {
                let trace = format_args!("{trace:016x}");
                debug_span!(
                    "serve",
                    trace,
                    method = name,
                    id = call.id.0,
                    number = self.number
                )
            }
            false => Span::none(),
        };
        let _entered = span.enter();
        let patience = Duration::from_millis(call.patience_ms.into());
        let deadline = arrived + patience.min(self.server.settings.patience_max);
        let served = Served { deadline, trace };
        // ANCHOR: poll
        // It wakes nobody: a method that waits is polled again, in its own task.
        let mut nobody = Context::from_waker(Waker::noop());
        let begun = catching(|| {
            SERVED.sync_scope(served, || {
                let started = start(body, self, sink).map_err(|Unfit| Err(Error::BadRequest));
                let (mut method, held) = started?;
                let room = Room::take(self, held).ok_or(Err(Error::Overloaded))?;
                match method.as_mut().poll(&mut nobody) {
                    Poll::Ready(ending) => Err(ending),
                    Poll::Pending => Ok((method, room)),
                }
            })
        });
        let (mut method, room) = begun.map_err(Err)??;
        let work = poll_fn(move |context| {
            let polled = catching(|| method.as_mut().poll(context));
            polled.unwrap_or_else(|panicked| Poll::Ready(Err(panicked)))
        });
        let work = SERVED.scope(served, work);
        let progress = self.server.settings.progress;
        let work = in_time(room, progress, (arrived, deadline), work);
        Ok(work.instrument(span.clone()))
        // ANCHOR_END: poll
    }

    /// Runs a method to its end.
    pub(crate) async fn answer(self: &Arc<Self>, call: &Call, body: &[u8]) -> Ending {
        let ending = match self.begin(call, body, Instant::now(), None) {
            Ok(work) => work.await,
            Err(ending) => ending,
        };
        self.fitting(ending)
    }

    fn reply(&self, id: CallId, ending: Ending, replies: &mut Vec<u8>) {
        if id == CallId::ONE_WAY {
            return;
        }
        match self.fitting(ending) {
            Ok((side, body)) => {
                put(&ToClient::Reply(id, Ok(side)), &body, replies);
                scratch::give_back(body);
            }
            Err(error) => put(&ToClient::Reply(id, Err(error)), &[], replies),
        }
    }

    /// Returns `ending`, if its body is not too large.
    fn fitting(&self, ending: Ending) -> Ending {
        match ending {
            Ok((_, body)) if body.len() > self.body_bytes_max() => Err(Error::TooLarge),
            ending => ending,
        }
    }

    /// Takes no further messages, and stops the calls that something answers.
    fn close(&self) {
        self.outbox.step(|queue| {
            queue.is_closed = true;
            queue.state.stop_all();
        });
    }
}

/// Returns how `work` ends: at its deadline at the latest, and before that if others need its
/// room. It has that for `progress` at least.
async fn in_time(
    room: Room,
    progress: Duration,
    (arrived, deadline): (Instant, Instant),
    work: impl Future<Output = Ending>,
) -> Ending {
    let mut work = pin!(work);
    let mut look = arrived;
    loop {
        let next = look.checked_add(progress);
        look = next.map_or(deadline, |next| next.min(deadline));
        match timeout_at(look, &mut work).await {
            Ok(ending) => return ending,
            Err(_) if look == deadline || room.is_needed() => return Err(Error::DeadlinePassed),
            Err(_) => {}
        }
    }
}

/// Returns what `run` does; a panic is an error of the call.
fn catching<T>(run: impl FnOnce() -> T) -> Result<T, Error> {
    catch_unwind(AssertUnwindSafe(run)).map_err(|_| Error::Panicked)
}

/// Closes the session when it is dropped: when the connection ends, by whatever way.
struct StopsCalls(Arc<Session>);

impl Drop for StopsCalls {
    fn drop(&mut self) {
        self.0.close();
        // What nothing writes any more. One-way calls may hold the session for long.
        self.0.outbox.step(|queue| {
            queue.messages = Vec::new();
            queue.waits = None;
        });
    }
}
