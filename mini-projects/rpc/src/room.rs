//! What the arguments of calls hold in memory.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use crate::server::NO_CONNECTION;
use crate::session::Session;

/// What each connection has for itself, in bytes: what others hold refuses no call that fits in.
const OWN: usize = 16 * 1024;

/// What the arguments of one call hold, from its begin to its end. Dropping it gives it back.
pub(crate) struct Room {
    session: Arc<Session>,
    /// In bytes.
    held: usize,
}

// Relaxed: nothing else follows from these numbers.
impl Room {
    /// `None` if the connection would hold more than its own room, and all connections more than
    /// there is room for.
    pub(crate) fn take(session: &Arc<Session>, held: usize) -> Option<Room> {
        let (server, session) = (&session.server, Arc::clone(session));
        let before = session.held.fetch_add(held, Ordering::Relaxed);
        let room = Room { session, held };
        let shared = room.shared(before);
        let fits = shared == 0
            || server.held.fetch_add(shared, Ordering::Relaxed) + shared <= server.room();
        fits.then_some(room)
    }

    /// Returns how much of it is taken from all, if its connection holds `others` bytes besides.
    fn shared(&self, others: usize) -> usize {
        let own = match self.session.number {
            NO_CONNECTION => 0,
            _ => OWN,
        };
        (others + self.held).saturating_sub(own) - others.saturating_sub(own)
    }

    /// Whether its call must end so that others can begin: there is hardly any room, and it holds
    /// at least half of what each call may hold if all hold the same.
    pub(crate) fn is_needed(&self) -> bool {
        let server = &self.session.server;
        let (held, room) = (server.held.load(Ordering::Relaxed), server.room());
        let running = server.running.load(Ordering::Relaxed);
        held > room / 4 * 3 && self.held.saturating_mul(2 * running) >= room
    }
}

impl Drop for Room {
    fn drop(&mut self) {
        let before = self.session.held.fetch_sub(self.held, Ordering::Relaxed);
        let shared = self.shared(before - self.held);
        if shared > 0 {
            let server = &self.session.server;
            server.held.fetch_sub(shared, Ordering::Relaxed);
        }
    }
}
