//! What the producer's handles and its tasks share.

use std::sync::{Arc, Mutex, PoisonError};

use async_model::{Clock, Driver};
use client::Client;
use tokio::sync::mpsc;

use crate::core::{After, Core, Now};
use crate::io::Work;
use crate::settings::Settings;
use crate::transaction::Transaction;

/// The state behind its lock, and what is outside of it.
pub(crate) struct Shared {
    pub(crate) settings: Settings,
    /// Whose transactions the batches belong to, if they do.
    pub(crate) transaction: Option<Transaction>,
    pub(crate) client: Arc<Client>,
    pub(crate) clock: Clock,
    pub(crate) driver: Driver,
    core: Mutex<Core>,
    /// Bounded by the batches that the sender has.
    work: mpsc::UnboundedSender<Work>,
}

impl Shared {
    pub(crate) fn new(
        client: Arc<Client>,
        settings: Settings,
        (core, transaction): (Core, Option<Transaction>),
        work: mpsc::UnboundedSender<Work>,
    ) -> Shared {
        let clock = client.clock();
        Shared {
            settings,
            transaction,
            client,
            clock,
            driver: Driver::new(clock),
            core: Mutex::new(core),
            work,
        }
    }

    /// Runs `change` under the lock, and what follows from it when the lock is free.
    pub(crate) fn with<T>(&self, change: impl FnOnce(&mut Core, Now) -> T) -> T {
        let now = Now {
            moment: self.clock.now(),
            wall: || Clock::start().wall(),
        };
        let mut core = self.core.lock().unwrap_or_else(PoisonError::into_inner);
        let changed = change(&mut core, now);
        let after = core.take_after();
        drop(core);
        if let Some(after) = after {
            self.follow(after);
        }
        changed
    }

    fn follow(&self, after: After) {
        // The task is gone only if the producer is.
        if let Some(last) = after.renew {
            let _ = self.work.send(Work::Renew(last));
        }
        if !after.outbox.is_empty() {
            let _ = self.work.send(Work::Send(after.outbox));
        }
        for (batch, first, count, outcome) in after.settled {
            batch.settle(first, count, outcome);
        }
        for waker in after.wakers {
            waker.wake();
        }
        if let Some(deadline) = after.deadline {
            self.driver.note(deadline);
        }
    }
}
