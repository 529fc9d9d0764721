//! What is on disk has its effect.

use std::mem::take;
use std::sync::Arc;

use message_model::ProducerEpoch;

use crate::effect::Effect;
use crate::metadata::{State, TransactionMetadata};
use crate::nouns::{CallId, Instance, Now, Refusal, WorkId};
use crate::transactions::{Ending, Settings, Transactions};
use crate::work::Change;

impl Transactions {
    /// The store `work` is done, or has failed if `is_stored` is false. What waited for it goes
    /// on. A store that nothing waits for changes nothing.
    ///
    /// If it has failed, nothing has changed. The call is refused as `NotAvailable`. If no call
    /// waits, what was due is due again after the backoff.
    pub fn stored(&mut self, now: Now, work: WorkId, is_stored: bool) -> Vec<Effect> {
        let Some(storing) = self.storing.take_if(|one| one.work == work) else {
            return Vec::new();
        };
        match (is_stored, storing.call) {
            (true, call) => self.apply(now, call, storing.change),
            (false, Some(call)) => self.answer(Some(call), Err(Refusal::NotAvailable)),
            (false, None) => self.due = Some(now.moment.plus(self.settings.retry_backoff)),
        }
        take(&mut self.effects)
    }

    /// `change` is stored.
    ///
    /// - Init: the call is answered with the new instance.
    /// - Add: the partitions of the call are told.
    /// - End: the markers are written. The call waits for them, for `answer_timeout` at most.
    /// - Fence: the markers are written, and nobody may go on from the epoch before. The call is
    ///   answered with `ConcurrentTransactions`.
    /// - Delete: the state is `Dead`, and the producer [`Instance::NONE`].
    fn apply(&mut self, now: Now, call: Option<CallId>, change: Change) {
        // task 20.3: what is on disk has its effect, and not before
        todo!("20.3: what is on disk has its effect, and not before")
        // end
    }

    /// The transactional id is from now on as `next` says, and `due` says when that ends by itself.
    ///
    /// - The timeout of a transaction begins with its first partition.
    /// - Without a transaction the time until the id expires begins anew, with each change.
    /// - Nothing ends by itself while markers are being written, or when the id is dead.
    pub(crate) fn enter(&mut self, now: Now, next: TransactionMetadata) {
        // task 20.3: when a state ends by itself
        todo!("20.3: when a state ends by itself")
        // end
    }

    /// Returns the transactional id that was stored as `stored`, and what it wants done.
    #[must_use]
    pub fn restore(
        now: Now,
        settings: Arc<Settings>,
        stored: TransactionMetadata,
    ) -> (Transactions, Vec<Effect>) {
        let mut restored = Transactions::new(now, settings);
        restored.current = stored;
        restored.resume(now);
        let effects = take(&mut restored.effects);
        (restored, effects)
    }

    /// Goes on from what is stored.
    ///
    /// - An open transaction goes on: its partitions are told again, and it has as much time as
    ///   it had left. The wall clock says how much that is; if that was set back, it is all.
    /// - What is decided is carried out: every partition that is stored gets a marker.
    ///   Some may have one already.
    /// - Otherwise the time goes on that is left until the id expires.
    fn resume(&mut self, now: Now) {
        // task 20.3: after a crash all goes on from what is stored
        todo!("20.3: after a crash all goes on from what is stored")
        // end
    }
}
