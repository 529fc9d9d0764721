//! The receiving half of a connection that is served: frames, within limits.

use std::future::{pending, poll_fn};
use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use tokio::io::AsyncRead;
use tokio::time::{Instant, timeout_at};

use crate::byte_budget::{Arriving, ByteBudget, Share};
use crate::frame_reader::{FrameReader, READ_SIZE, ReadError};
use crate::part::{PREFIX_SIZE, Requests};
use crate::shortage::{Movement, SHORTAGE_WINDOW};

/// A whole request, as it arrived.
#[derive(Debug)]
pub struct Frame {
    /// What was behind its length prefix.
    pub payload: Bytes,
    /// The client that sent it.
    pub peer: Peer,
    /// What it holds of the budget; to be kept as long as the payload, or what was made of it.
    pub share: Share,
}

/// Limits on what a peer may make us hold or wait for.
#[derive(Debug, Clone)]
pub struct RequestLimits {
    /// A longer payload closes the connection, in bytes.
    pub frame_bytes_max: usize,
    /// How long a frame that has begun to arrive may stay without a further byte.
    pub progress: Duration,
    /// Shared by all connections.
    pub budget: ByteBudget,
}

/// Reads requests as [`serve_requests`](crate::serve_requests) wants them.
#[derive(Debug)]
pub struct RequestReader<R> {
    frames: FrameReader<R>,
    arriving: Arriving,
    progress: Duration,
    /// When the last bytes came.
    arrived_at: Instant,
    movement: Movement,
    peer: Peer,
}

/// Whether a peer is still there, as far as its connection has looked. Cheap to clone.
#[derive(Debug, Clone, Default)]
pub struct Peer(Arc<AtomicBool>);

impl Peer {
    /// Whether the peer has closed the connection: its requests still take effect,
    /// but work that only its client wants may end early.
    #[must_use]
    pub fn is_gone(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }
}

impl<R: AsyncRead + Unpin> RequestReader<R> {
    /// The requests that come from `reader`.
    #[must_use]
    pub fn new(reader: R, limits: RequestLimits) -> RequestReader<R> {
        RequestReader {
            frames: FrameReader::new(reader, limits.frame_bytes_max),
            arriving: Arriving::new(limits.budget),
            progress: limits.progress,
            arrived_at: Instant::now(),
            movement: Movement::new(),
            peer: Peer::default(),
        }
    }

    /// The payloads of all requests that have arrived whole, at least one, and what they
    /// hold together; `None` when the peer has closed the connection between requests.
    ///
    /// Waits as [`next`](Requests::next) does, and costs less than to take them one by one.
    ///
    /// # Errors
    /// See [`ReadError`]. After [`ReadError::Idle`] it may be called again.
    pub async fn next_batch(
        &mut self,
        idle: Duration,
    ) -> Result<Option<(Vec<Bytes>, Share)>, ReadError> {
        loop {
            let payloads = self.frames.arrived_frames()?;
            if !payloads.is_empty() {
                let held = payloads.iter().map(|payload| PREFIX_SIZE + payload.len());
                let held = held.sum();
                return Ok(Some((payloads, self.arriving.complete(held))));
            }
            if self.has_ended(idle).await? {
                return Ok(None);
            }
        }
    }

    /// Waits for the next bytes; whether the peer has closed the connection instead.
    async fn has_ended(&mut self, idle: Duration) -> Result<bool, ReadError> {
        match self.feed(idle).await? {
            0 if self.frames.pending() == 0 => Ok(true),
            0 => Err(ReadError::CutOff),
            _ => Ok(false),
        }
    }

    /// Waits for the next bytes, at most `idle` if they are the first of a
    /// frame; how many they were, 0 at the end of the stream.
    async fn feed(&mut self, idle: Duration) -> Result<usize, ReadError> {
        let arrived = self.frames.pending();
        let idle_until = Instant::now().checked_add(idle);
        loop {
            let until = match arrived {
                0 => idle_until,
                _ if self.is_slow_in_a_shortage() => return Err(ReadError::Stalled { arrived }),
                _ => self.progress_until(),
            };
            let read = poll_fn(|context| self.poll_feed(context));
            let Some(until) = until else {
                return Ok(read.await?);
            };
            if let Ok(count) = timeout_at(until, read).await {
                return Ok(count?);
            }
            match arrived {
                0 => return Err(ReadError::Idle(idle)),
                _ if self.arrived_at.elapsed() < self.progress => {}
                _ if self.arriving.waits() => return Err(ReadError::NoRoom { arrived }),
                _ => return Err(ReadError::Stalled { arrived }),
            }
        }
    }

    /// When to look again whether the frame that is arriving moves.
    fn progress_until(&self) -> Option<Instant> {
        let look = self.progress.min(SHORTAGE_WINDOW);
        Instant::now().checked_add(look)
    }

    /// Whether others wait for room while this frame holds some and hardly moves.
    fn is_slow_in_a_shortage(&mut self) -> bool {
        let is_short = !self.arriving.waits() && self.arriving.is_short();
        self.movement.is_slow_in_a_shortage(is_short)
    }

    /// Reads in the same poll in which there is room, so that no room is used twice.
    ///
    /// Without room it reads no further than the next length: the end of the
    /// stream must be noticed, also when requests that wait hold all the room.
    // ANCHOR: poll_feed
    fn poll_feed(&mut self, context: &mut Context<'_>) -> Poll<io::Result<usize>> {
        let has_room = self.arriving.poll_room(context).is_ready();
        let read = match self.frames.pending() {
            _ if has_room => self.frames.poll_feed(context, READ_SIZE),
            0 => self.frames.poll_feed(context, PREFIX_SIZE),
            _ => Poll::Pending,
        };
        match &read {
            Poll::Ready(Ok(count @ 1..)) => {
                self.arriving.arrive(*count);
                self.arrived_at = Instant::now();
                self.movement.moved(*count);
            }
            _ if has_room => self.arriving.pass_on(),
            _ => {}
        }
        read
    }
    // ANCHOR_END: poll_feed
}

impl<R: AsyncRead + Unpin + Send> Requests for RequestReader<R> {
    type Request = Frame;
    type Error = ReadError;

    async fn next(&mut self, idle: Duration) -> Result<Option<Frame>, ReadError> {
        loop {
            if let Some(payload) = self.frames.arrived_frame()? {
                let share = self.arriving.complete(PREFIX_SIZE + payload.len());
                let peer = self.peer.clone();
                return Ok(Some(Frame {
                    payload,
                    peer,
                    share,
                }));
            }
            if self.has_ended(idle).await? {
                return Ok(None);
            }
        }
    }

    /// Reads once ahead: what comes then is the beginning of a request, and the
    /// end of the stream is behind it.
    async fn closed(&mut self) -> Result<(), ReadError> {
        let read = match self.frames.pending() {
            0 => self.feed(Duration::MAX).await,
            arrived => Ok(arrived),
        };
        // Relaxed: nothing else is read because of it.
        self.peer
            .0
            .store(!matches!(read, Ok(1..)), Ordering::Relaxed);
        if read? == 0 {
            return Ok(());
        }
        self.arriving.pass_on();
        pending().await
    }
}
