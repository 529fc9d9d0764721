//! What may be committed when several workers share one partition.

use std::collections::VecDeque;

use crate::Offset;

/// The messages of one partition that were handed out to workers, from the
/// first one that is not acked yet on.
///
/// A group has one number per partition to remember: everything below it is done.
/// Workers that run side by side are not done in that order, so somebody has
/// to say which number may be committed: the *frontier*.
///
/// # Invariants
/// - The frontier is never above a message that was handed out and is not acked.
/// - It never goes back, and it is as far ahead as the first one allows.
/// - No message is handed out that lies `span_max` or more above the frontier:
///   so much at most is done again after a crash, or is remembered here.
// ANCHOR: state
#[derive(Debug, Clone)]
pub struct AckWindow {
    /// Handed out, in ascending order; the first one is not acked.
    /// There may be gaps: not every offset has a message in a compacted log.
    window: VecDeque<HandedOut>,
    /// Above everything that was handed out.
    next: Offset,
    /// In offsets.
    span_max: i64,
}

#[derive(Debug, Clone, Copy)]
struct HandedOut {
    offset: Offset,
    is_acked: bool,
}
// ANCHOR_END: state

impl AckWindow {
    /// Nothing is handed out yet; `committed` is where the group stands, and
    /// `span_max` how many offsets work may reach ahead of the frontier.
    #[must_use]
    pub fn new(committed: Offset, span_max: u32) -> AckWindow {
        AckWindow {
            window: VecDeque::new(),
            next: committed,
            span_max: i64::from(span_max),
        }
    }

    /// Notes that the message at `offset` goes to a worker.
    ///
    /// False, and it must not go, when it lies too far above the frontier, or
    /// below something that was handed out before.
    #[must_use]
    pub fn hand_out(&mut self, offset: Offset) -> bool {
        let is_in_order = offset >= self.next;
        let is_near = self.window.is_empty() || offset.since(self.frontier()) < self.span_max;
        if is_in_order && is_near {
            self.next = offset.plus(1);
            self.window.push_back(HandedOut {
                offset,
                is_acked: false,
            });
        }
        is_in_order && is_near
    }

    /// A worker is done with the message at `offset`. Says the new frontier, to
    /// be committed, if it has moved.
    ///
    /// An ack for what is not in the window changes nothing: the message was acked
    /// before, or handed out before a restart.
    pub fn ack(&mut self, offset: Offset) -> Option<Offset> {
        // task 1.3: note the ack, and move the frontier over all that is done
        let at = self
            .window
            .binary_search_by_key(&offset, |message| message.offset)
            .ok()?;
        let before = self.frontier();
        self.window[at].is_acked = true;
        while self.window.front().is_some_and(|first| first.is_acked) {
            self.window.pop_front();
        }
        let after = self.frontier();
        (after > before).then_some(after)
        // end
    }

    /// Everything below is done: the lowest offset that was handed out and is
    /// not acked, or if there is none, the one above all that were handed out.
    #[must_use]
    pub fn frontier(&self) -> Offset {
        self.window.front().map_or(self.next, |first| first.offset)
    }

    /// How many messages it remembers: handed out, at or above the frontier.
    #[must_use]
    pub fn len(&self) -> usize {
        self.window.len()
    }

    /// Whether everything that was handed out is acked.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.window.is_empty()
    }
}
