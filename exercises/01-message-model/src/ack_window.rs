//! What may be committed when several workers share one partition.

use std::collections::VecDeque;

use crate::Offset;

/// The messages of one partition that were handed out to workers, from the
/// first one that is not acked yet on.
///
/// A group remembers one number per partition: everything below it is done. Workers
/// that run side by side finish in any order, so the number that may be committed,
/// the *frontier*, has to be worked out.
///
/// # Invariants
/// - The frontier is never above a message that was handed out and is not acked.
/// - The frontier never goes back, and is as high as the first invariant allows.
/// - No message is handed out that is `span_max` or more above the frontier: no more
///   is done again after a crash, and no more is remembered here.
// ANCHOR: state
#[derive(Debug, Clone)]
pub struct AckWindow {
    /// What was handed out, in ascending order; the first one is not acked. There
    /// may be gaps: in a compacted log not every offset has a message.
    window: VecDeque<HandedOut>,
    /// One above the highest offset that was handed out.
    next: Offset,
    /// How far above the frontier a message may be handed out, in offsets.
    span_max: i64,
}

#[derive(Debug, Clone, Copy)]
struct HandedOut {
    offset: Offset,
    is_acked: bool,
}
// ANCHOR_END: state

impl AckWindow {
    /// Returns a window from which nothing was handed out. `committed` is the group's
    /// committed offset, `span_max` how many offsets above the frontier may be worked on.
    #[must_use]
    pub fn new(committed: Offset, span_max: u32) -> AckWindow {
        AckWindow {
            window: VecDeque::new(),
            next: committed,
            span_max: i64::from(span_max),
        }
    }

    /// Returns whether the message at `offset` may go to a worker, and if so notes it.
    ///
    /// It may not if it is `span_max` or more above the frontier, or not above
    /// everything that was handed out before.
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

    /// Returns the new frontier, which may be committed, if this ack of the message at
    /// `offset` has moved it.
    ///
    /// An ack of a message that is not in the window changes nothing: the message was
    /// acked before, or handed out before a restart.
    pub fn ack(&mut self, offset: Offset) -> Option<Offset> {
        // task 1.3: note the ack, and return the frontier when it has moved, over all that is done
        todo!("1.3: note the ack, and return the frontier when it has moved, over all that is done")
        // end
    }

    /// Returns the offset below which everything is done: the lowest one that was handed
    /// out and is not acked, or one above all that were handed out.
    #[must_use]
    pub fn frontier(&self) -> Offset {
        self.window.front().map_or(self.next, |first| first.offset)
    }

    /// Returns how many messages are in the window, acked or not.
    #[must_use]
    pub fn len(&self) -> usize {
        self.window.len()
    }

    /// Returns whether everything that was handed out is acked.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.window.is_empty()
    }
}
