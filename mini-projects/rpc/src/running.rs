//! The calls of one connection that go on at the server.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use futures_util::future::AbortHandle;
use tokio::sync::Semaphore;

use crate::part::{CallId, Error};
use crate::session::Session;

/// More credit than this is not kept: nobody has room for so many items.
const CREDIT_MAX: usize = u32::MAX as usize;

/// The calls that have begun, and wait for something.
#[derive(Debug, Default)]
pub(crate) struct Running {
    /// No further call is begun.
    pub(crate) is_stopping: bool,
    pub(crate) count: usize,
    /// Those that something answers.
    calls: BTreeMap<CallId, Control>,
}

#[derive(Debug)]
pub(crate) struct Control {
    pub(crate) stop: AbortHandle,
    /// Of a stream.
    pub(crate) credit: Option<Arc<Semaphore>>,
}

impl Running {
    // ANCHOR: admission
    /// Whether a call may begin; [`Error::Closed`]: the client has broken the protocol.
    pub(crate) fn admission(&self, id: CallId, max: usize) -> Result<(), Error> {
        if self.calls.contains_key(&id) {
            Err(Error::Closed)
        } else if self.is_stopping {
            Err(Error::Stopping)
        } else if self.count >= max {
            Err(Error::Overloaded)
        } else {
            Ok(())
        }
    }
    // ANCHOR_END: admission

    /// The client does not want the call's end any more.
    pub(crate) fn stop(&self, id: CallId) {
        if let Some(control) = self.calls.get(&id) {
            control.stop.abort();
        }
    }

    /// Stops all calls that something answers.
    pub(crate) fn stop_all(&self) {
        let calls = self.calls.values();
        calls.for_each(|control| control.stop.abort());
    }

    /// The client has room for `count` more items.
    pub(crate) fn add_credit(&self, id: CallId, count: u32) {
        let control = self.calls.get(&id);
        if let Some(credit) = control.and_then(|control| control.credit.as_ref()) {
            let room = CREDIT_MAX.saturating_sub(credit.available_permits());
            credit.add_permits(room.min(count as usize));
        }
    }
}

/// A call that runs. Dropping it makes room for another one.
pub(crate) struct Place(Arc<Session>, CallId);

impl Place {
    pub(crate) fn new(session: Arc<Session>, id: CallId, control: Control) -> Place {
        session.server.running.fetch_add(1, Ordering::Relaxed);
        session.outbox.step(|queue| {
            queue.state.count += 1;
            if id != CallId::ONE_WAY {
                queue.state.calls.insert(id, control);
            }
        });
        Place(session, id)
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        self.0.server.running.fetch_sub(1, Ordering::Relaxed);
        self.0.outbox.step(|queue| {
            queue.state.count -= 1;
            queue.state.calls.remove(&self.1);
        });
    }
}
