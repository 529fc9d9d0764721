//! Answers that a client has asked for and not yet taken.

use std::mem;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use bytes::Bytes;
use networking::{Chunk, Requests, Share};
use tokio::sync::Notify;

/// An answer with fewer bytes of its own is not counted: a connection takes more than that.
const COUNTED_MIN: usize = 1024;

/// A connection with so many bytes of answers to write begins no further request. One
/// answer may be larger; so a client that reads nothing costs this and one answer.
const UNWRITTEN_MAX: usize = 1024 * 1024;

/// How many bytes of answers one connection has made and not written.
#[derive(Debug, Default)]
pub(crate) struct Unwritten {
    bytes: AtomicUsize,
    /// There are fewer now.
    freed: Notify,
}

/// Bytes of an answer, and what they hold.
struct Counted {
    bytes: Bytes,
    size: usize,
    unwritten: Arc<Unwritten>,
    _share: Share,
}

impl AsRef<[u8]> for Counted {
    fn as_ref(&self) -> &[u8] {
        &self.bytes
    }
}

impl Drop for Counted {
    fn drop(&mut self) {
        // Relaxed: nothing else is read because of the number.
        self.unwritten.bytes.fetch_sub(self.size, Ordering::Relaxed);
        self.unwritten.freed.notify_one();
    }
}

impl Unwritten {
    /// Lets `share` be of the size of the answer, and counts it here too, until its last
    /// bytes are written.
    pub(crate) fn count(self: Arc<Self>, chunks: &mut [Chunk], mut share: Share) {
        let mut own = chunks.iter_mut().filter_map(|chunk| match chunk {
            Chunk::Bytes(bytes) => Some(bytes),
            Chunk::File(_) => None,
        });
        let Some(mut last) = own.next() else { return };
        let mut size = last.len();
        for bytes in own {
            size += bytes.len();
            last = bytes;
        }
        if size < COUNTED_MIN {
            return;
        }
        share.grow(size.saturating_sub(share.held()));
        share.shrink_to(size);
        self.bytes.fetch_add(size, Ordering::Relaxed);
        *last = Bytes::from_owner(Counted {
            bytes: mem::take(last),
            size,
            unwritten: self,
            _share: share,
        });
    }

    fn is_full(&self) -> bool {
        self.bytes.load(Ordering::Relaxed) >= UNWRITTEN_MAX
    }
}

/// The requests of a connection, as fast as its client takes the answers.
pub(crate) struct Paced<R> {
    pub(crate) requests: R,
    pub(crate) unwritten: Arc<Unwritten>,
}

impl<R: Requests + Send> Requests for Paced<R> {
    type Request = R::Request;
    type Error = R::Error;

    async fn next(&mut self, idle: Duration) -> Result<Option<R::Request>, R::Error> {
        while self.unwritten.is_full() {
            tokio::select! {
                () = self.unwritten.freed.notified() => {}
                closed = self.requests.closed() => return closed.map(|()| None),
            }
        }
        self.requests.next(idle).await
    }

    async fn closed(&mut self) -> Result<(), R::Error> {
        self.requests.closed().await
    }
}
