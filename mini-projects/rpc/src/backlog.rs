//! What waits to be written, over all connections of a server.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use futures_util::future::AbortHandle;

/// What a connection has before it counts, in bytes, and what it counts in.
const PIECE: usize = 4 * 1024;

/// The connections that have much to write, and how much they may have together.
///
/// A client that reads slowly makes its replies wait here. When there are too many bytes, the
/// connection with the most is closed: so nothing waits for room, and a client that reads is
/// not the one to go.
#[derive(Debug)]
pub(crate) struct Backlog {
    bytes_max: usize,
    /// How many bytes wait, and on which connections.
    waiting: Mutex<(usize, Connections)>,
}

/// By the number of each connection: how many of its bytes wait, and what closes it.
type Connections = BTreeMap<u64, (usize, AbortHandle)>;

impl Backlog {
    pub(crate) fn new(bytes_max: usize) -> Backlog {
        Backlog {
            bytes_max,
            waiting: Mutex::default(),
        }
    }

    fn set(&self, number: u64, bytes: usize, close: &AbortHandle) {
        let mut waiting = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
        let (all, connections) = &mut *waiting;
        let before = match bytes {
            0 => connections.remove(&number),
            _ => connections.insert(number, (bytes, close.clone())),
        };
        *all += bytes;
        *all -= before.map_or(0, |(before, _)| before);
        while *all > self.bytes_max
            && let Some((&most, _)) = connections.iter().max_by_key(|(_, (held, _))| *held)
            && let Some((held, close)) = connections.remove(&most)
        {
            *all -= held;
            tracing::info!(
                number = most,
                held,
                "closing a connection: no room for replies"
            );
            close.abort();
        }
    }
}

/// What one connection has to write. When it is dropped, that is nothing.
#[derive(Debug)]
pub(crate) struct Waits {
    backlog: Arc<Backlog>,
    number: u64,
    close: AbortHandle,
    /// Up to a piece less than there is.
    counted: usize,
}

impl Waits {
    pub(crate) fn new(backlog: Arc<Backlog>, number: u64, close: AbortHandle) -> Waits {
        Waits {
            backlog,
            number,
            close,
            counted: 0,
        }
    }

    /// There are so many bytes to write now. Costs nothing as long as they are few.
    pub(crate) fn set(&mut self, bytes: usize) {
        if bytes > self.counted + PIECE || bytes < self.counted {
            self.counted = bytes / PIECE * PIECE;
            self.backlog.set(self.number, self.counted, &self.close);
        }
    }
}

impl Drop for Waits {
    fn drop(&mut self) {
        self.set(0);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_connection_with_the_most_is_closed_and_one_that_is_gone_has_nothing() {
        let backlog = Arc::new(Backlog::new(10 * PIECE));
        let waits = |number| {
            let (close, closed) = AbortHandle::new_pair();
            let waits = Waits::new(Arc::clone(&backlog), number, close);
            (waits, futures_util::future::Abortable::new((), closed))
        };
        let (mut gone, _) = waits(1);
        gone.set(10 * PIECE);
        drop(gone);
        let ((mut few, few_closed), (mut most, most_closed)) = (waits(2), waits(3));
        most.set(7 * PIECE);
        few.set(3 * PIECE);
        assert!(!most_closed.is_aborted());
        few.set(5 * PIECE);
        assert!(most_closed.is_aborted() && !few_closed.is_aborted());
        drop(most);
        few.set(10 * PIECE);
        assert!(!few_closed.is_aborted());
        drop(few);
        assert_eq!(backlog.waiting.lock().unwrap().0, 0);
    }
}
