//! An instance of a producer asks for its epoch.

use std::collections::BTreeSet;

use message_model::{ProducerEpoch, Timestamp};

use crate::effect::{Effect, Init};
use crate::metadata::{State, TransactionMetadata};
use crate::nouns::{CallId, Instance, Now, Refusal};
use crate::transactions::Transactions;
use crate::work::Change;

/// The last epoch that an instance gets. One more is left, to fence it.
const LAST_EPOCH: ProducerEpoch = ProducerEpoch(i16::MAX - 1);

impl Transactions {
    /// Takes an InitProducerId. Its answer is among the effects of this call or of a later one.
    pub fn init(&mut self, now: Now, call: CallId, init: &Init) -> Vec<Effect> {
        let taken = self.try_init(now, call, init);
        self.end_step(call, taken)
    }

    /// Takes an InitProducerId; an error is its answer. The first that applies:
    ///
    /// - The timeout is 0, or above that of the settings: `InvalidTransactionTimeout`.
    /// - Something is under way: `ConcurrentTransactions`, so the producer asks again.
    /// - The instance from which the producer wants to go on does not count: what `is_repeated`
    ///   says. So a zombie aborts nothing.
    /// - Markers are being written, or the id is dead: `ConcurrentTransactions`.
    /// - A transaction is open, and it is of the instance before: it is aborted by `fence`, with
    ///   this call. But if the call is repeated, its producer has gone on since, and this is an
    ///   old copy of it: `Fenced`.
    /// - Otherwise an instance is stored, with the timeout of the call: the next one, or, if the
    ///   call is repeated, the one that its producer has already.
    fn try_init(&mut self, now: Now, call: CallId, init: &Init) -> Result<(), Refusal> {
        // task 20.3: a new instance gets the next epoch, when nothing of the one before is open
        todo!("20.3: a new instance gets the next epoch, when nothing of the one before is open")
        // end
    }

    /// Returns whether an InitProducerId of the instance `expected` has been taken before: its
    /// answer was lost. `false` for a new process, which expects nothing.
    ///
    /// # Errors
    /// `Fenced` if `expected` is neither the instance that counts nor the one that this was
    /// before its last error.
    fn is_repeated(&self, expected: Option<Instance>) -> Result<bool, Refusal> {
        let current = self.current.producer;
        let Some(expected) = expected.filter(|_| current != Instance::NONE) else {
            return Ok(false);
        };
        if expected == current {
            return Ok(false);
        }
        let was = self.recovered_from;
        let before = match was >= LAST_EPOCH {
            true => self.current.previous,
            false => current.id,
        };
        let is_the_one_before = was != ProducerEpoch::NONE && expected.epoch == was;
        match is_the_one_before && expected.id == before {
            true => Ok(true),
            false => Err(Refusal::Fenced),
        }
    }

    /// Returns the instance behind the one that counts, and the epoch that it had before.
    ///
    /// - The first one gets the fresh id and the first epoch.
    /// - The next ones get the next epochs. Behind [`LAST_EPOCH`] the fresh id takes the place of
    ///   the id, and its epochs begin anew.
    /// - The epoch before is `NONE` for a new process: then nobody is allowed to go on from it.
    fn next_instance(&self, init: &Init) -> (Instance, ProducerEpoch) {
        // task 20.3: the next epoch, or a new producer id when the epochs are used up
        todo!("20.3: the next epoch, or a new producer id when the epochs are used up")
        // end
    }

    /// Returns what is stored of `producer`, which has begun nothing.
    fn empty(&self, now: Now, init: &Init, producer: Instance) -> TransactionMetadata {
        let current = &self.current;
        let previous = match producer.id == current.producer.id {
            true => current.previous,
            false => current.producer.id,
        };
        TransactionMetadata {
            producer,
            previous,
            timeout: init.timeout,
            state: State::Empty,
            partitions: BTreeSet::new(),
            started: Timestamp::NONE,
            updated: now.wall,
        }
    }
}
