//! Partitions are added to a transaction. The first one begins it.

use std::mem::take;

use message_model::TopicPartition;

use crate::effect::Effect;
use crate::metadata::State;
use crate::nouns::{CallId, Instance, Now, Refusal, WorkId};
use crate::transactions::Transactions;
use crate::work::{Beginning, Change};

impl Transactions {
    /// Takes an AddPartitionsToTxn, or an AddOffsetsToTxn with the partition of the group's
    /// offsets. Its answer is among the effects of this call or of a later one.
    pub fn add_partitions(
        &mut self,
        now: Now,
        call: CallId,
        producer: Instance,
        partitions: Vec<TopicPartition>,
    ) -> Vec<Effect> {
        let taken = self.try_add(now, call, producer, partitions);
        self.end_step(call, taken)
    }

    /// Adds `partitions` to the transaction of `producer`; an error is the answer of `call`. The
    /// first that applies:
    ///
    /// - The call is not of the instance that counts: what `check_instance` says.
    /// - Something is under way, or markers are being written: `ConcurrentTransactions`.
    /// - The transaction would have more partitions than the settings say: `TooManyPartitions`.
    ///
    /// If no transaction is open, one begins now, even without partitions. It is stored, and then
    /// the partitions are told. If all of them are in it already, they are told again, and
    /// nothing is stored.
    fn try_add(
        &mut self,
        now: Now,
        call: CallId,
        producer: Instance,
        partitions: Vec<TopicPartition>,
    ) -> Result<(), Refusal> {
        // task 20.3: a transaction is stored with its partitions before they are told of it
        self.check_instance(producer)?;
        if self.is_busy() || self.current.state.is_prepare() {
            return Err(Refusal::ConcurrentTransactions);
        }
        let mut next = self.current.clone();
        next.partitions.extend(partitions.iter().cloned());
        if next.partitions.len() > self.settings.partitions_max {
            return Err(Refusal::TooManyPartitions);
        }
        let is_open = self.current.state == State::Ongoing;
        if is_open && next.partitions.len() == self.current.partitions.len() {
            self.begin(Some(call), partitions);
            return Ok(());
        }
        if !is_open {
            next.state = State::Ongoing;
            next.started = now.wall;
        }
        next.updated = now.wall;
        self.store(Some(call), Change::Add { next, partitions });
        Ok(())
        // end
    }

    /// Asks for `partitions` to be told that they are in the transaction.
    pub(crate) fn begin(&mut self, call: Option<CallId>, partitions: Vec<TopicPartition>) {
        let work = self.next_work();
        self.beginning = Some(Beginning { work, call });
        self.effects.push(Effect::Begin {
            work,
            producer: self.current.producer,
            partitions,
        });
    }

    /// The [`Begin`](Effect::Begin) `work` is done, or has failed if `is_begun` is false.
    pub fn begun(&mut self, work: WorkId, is_begun: bool) -> Vec<Effect> {
        if let Some(beginning) = self.beginning.take_if(|one| one.work == work) {
            let answer = match is_begun {
                true => Ok(self.current.producer),
                false => Err(Refusal::NotAvailable),
            };
            self.answer(beginning.call, answer);
        }
        take(&mut self.effects)
    }
}
