//! What is to be written to a connection: many messages, few writes, nothing allocated for each.

use std::io;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use serde::Serialize;
use tokio::io::{AsyncWrite, AsyncWriteExt as _};
use tokio::sync::Notify;
use tokio::time::timeout;

use crate::backlog::Waits;
use crate::part::put;

/// From so many queued bytes on, further messages wait for room.
pub(crate) const FULL: usize = 256 * 1024;
/// A buffer up to this size is kept when it is empty, in bytes.
pub(crate) const KEPT: usize = 64 * 1024;

/// The messages that wait to be written, and the state of their connection, under one lock:
/// a call takes it once.
///
/// Tasks put messages in, one task writes. While it writes, what is put in queues up,
/// and leaves in the next write: the busier the connection, the more messages a write has.
#[derive(Debug)]
pub(crate) struct Outbox<S> {
    queue: Mutex<Queue<S>>,
    filled: Notify,
    /// Notified when there may be room for what waits in [`until`](Outbox::until).
    freed: Notify,
}

#[derive(Debug)]
pub(crate) struct Queue<S> {
    pub(crate) state: S,
    /// One behind the other.
    pub(crate) messages: Vec<u8>,
    /// How many bytes are being written.
    writing: usize,
    /// Counts what waits; `None`: nothing does.
    pub(crate) waits: Option<Waits>,
    /// Nothing more is put in.
    pub(crate) is_closed: bool,
}

impl<S> Queue<S> {
    /// Puts a message in, whether there is room or not.
    pub(crate) fn put(&mut self, message: &impl Serialize, body: &[u8]) {
        if !self.is_closed {
            put(message, body, &mut self.messages);
        }
    }

    /// Whether a message need not wait: there is room, or nothing to wait for.
    pub(crate) fn has_room(&self) -> bool {
        self.messages.len() < FULL || self.is_closed
    }
}

impl<S> Outbox<S> {
    pub(crate) fn new(state: S) -> Outbox<S> {
        let queue = Queue {
            state,
            messages: Vec::new(),
            writing: 0,
            waits: None,
            is_closed: false,
        };
        Outbox {
            queue: Mutex::new(queue),
            filled: Notify::new(),
            freed: Notify::new(),
        }
    }

    /// Does a step that never waits. What it puts in is written.
    pub(crate) fn step<T>(&self, step: impl FnOnce(&mut Queue<S>) -> T) -> T {
        let mut queue = self.lock();
        let (was_empty, was_closed) = (queue.messages.is_empty(), queue.is_closed);
        let result = step(&mut queue);
        let bytes = queue.messages.len() + queue.writing;
        if let Some(waits) = &mut queue.waits {
            waits.set(bytes);
        }
        let is_filled = was_empty && !queue.messages.is_empty();
        let has_closed = queue.is_closed && !was_closed;
        drop(queue);
        if is_filled || has_closed {
            self.filled.notify_one();
        }
        result
    }

    /// Does a step again and again until it has a result, each time after something was freed.
    pub(crate) async fn until<T>(&self, mut step: impl FnMut(&mut Queue<S>) -> Option<T>) -> T {
        let mut has_waited = false;
        loop {
            if let Some(result) = self.step(&mut step) {
                if has_waited {
                    // There may be room for more than this one: the next one looks, too.
                    self.freed.notify_one();
                }
                return result;
            }
            has_waited = true;
            self.freed.notified().await;
        }
    }

    /// Lets one of those that wait look again.
    pub(crate) fn free(&self) {
        self.freed.notify_one();
    }

    /// Waits until there is room.
    pub(crate) async fn room(&self) {
        self.until(|queue| queue.has_room().then_some(())).await;
    }

    /// Takes no further messages. What is queued is still written.
    pub(crate) fn close(&self) {
        self.step(|queue| queue.is_closed = true);
    }

    /// Writes what is put in, until the outbox is closed and all is written.
    ///
    /// # Errors
    /// - [`io::ErrorKind::TimedOut`] when the writer takes no byte for `progress`;
    /// - as the writer says. Then the connection is to be closed: nothing more is written.
    pub(crate) async fn write_to<W: AsyncWrite + Unpin>(
        &self,
        writer: &mut W,
        progress: Duration,
    ) -> io::Result<()> {
        let mut batch = Vec::new();
        while self.next_batch(&mut batch).await {
            let mut rest = &batch[..];
            while !rest.is_empty() {
                match timeout(progress, writer.write(rest)).await?? {
                    0 => return Err(io::ErrorKind::WriteZero.into()),
                    count => rest = &rest[count..],
                }
            }
            timeout(progress, writer.flush()).await??;
        }
        timeout(progress, writer.shutdown()).await?
    }

    /// Waits for messages, which replace what is in `batch`. Returns whether there are any:
    /// not when the outbox is closed and empty.
    // ANCHOR: next-batch
    async fn next_batch(&self, batch: &mut Vec<u8>) -> bool {
        batch.clear();
        batch.shrink_to(KEPT);
        loop {
            let is_closed = {
                let mut queue = self.lock();
                std::mem::swap(batch, &mut queue.messages);
                queue.writing = batch.len();
                if let Some(waits) = &mut queue.waits {
                    waits.set(batch.len());
                }
                queue.is_closed
            };
            if batch.len() >= FULL {
                self.free();
            }
            if is_closed || !batch.is_empty() {
                return !batch.is_empty();
            }
            self.filled.notified().await;
        }
    }
    // ANCHOR_END: next-batch

    /// A step that panicked in another thread leaves messages and calls behind; calls must
    /// still end.
    fn lock(&self) -> MutexGuard<'_, Queue<S>> {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
