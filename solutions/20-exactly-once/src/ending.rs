//! It is decided how a transaction ends.

use message_model::ProducerEpoch;

use crate::effect::Effect;
use crate::metadata::State;
use crate::nouns::{CallId, Instance, Now, Outcome, Refusal};
use crate::transactions::Transactions;
use crate::work::Change;

impl Transactions {
    /// Takes an EndTxn. Its answer is among the effects of this call or of a later one.
    pub fn end(
        &mut self,
        now: Now,
        call: CallId,
        producer: Instance,
        outcome: Outcome,
    ) -> Vec<Effect> {
        let taken = self.try_end(now, call, producer, outcome);
        self.end_step(call, taken)
    }

    /// Ends the transaction of `producer`; an error is the answer of `call`. The first that
    /// applies:
    ///
    /// - The call is not of the instance that counts: what `check_instance` says.
    /// - Something is under way: `ConcurrentTransactions`.
    /// - Nothing has begun, or the other outcome is decided: `InvalidTransactionState`.
    /// - This outcome is decided, and markers are being written: `ConcurrentTransactions`.
    ///
    /// If this outcome is decided and all markers are written, the answer is that all is done.
    /// If a transaction is open, its outcome is decided now: that is stored, and nothing else is
    /// done before.
    fn try_end(
        &mut self,
        now: Now,
        call: CallId,
        producer: Instance,
        outcome: Outcome,
    ) -> Result<(), Refusal> {
        // task 20.3: the outcome is stored, and never changed
        self.check_instance(producer)?;
        if self.is_busy() {
            return Err(Refusal::ConcurrentTransactions);
        }
        let state = self.current.state;
        match state.outcome() {
            None if state == State::Ongoing => {
                let mut next = self.current.clone();
                next.state = State::prepare(outcome);
                next.updated = now.wall;
                self.store(Some(call), Change::End { next });
            }
            Some(decided) if decided == outcome => {
                if state.is_prepare() {
                    return Err(Refusal::ConcurrentTransactions);
                }
                self.answer(Some(call), Ok(producer));
            }
            _ => return Err(Refusal::InvalidTransactionState),
        }
        Ok(())
        // end
    }

    /// Aborts the open transaction, and fences its producer: an epoch that no instance gets is
    /// stored with the abort, and is that of the markers.
    pub(crate) fn fence(&mut self, now: Now, call: Option<CallId>) {
        // task 20.3: an abort that the producer has not asked for takes its epoch away
        let mut next = self.current.clone();
        let epoch = next.producer.epoch.0.saturating_add(1);
        next.producer.epoch = ProducerEpoch(epoch);
        next.state = State::PrepareAbort;
        next.updated = now.wall;
        self.store(call, Change::Fence { next });
        // end
    }
}
