//! A transactional id: its state, and what may be asked of it at any time.

use std::collections::BTreeSet;
use std::mem::take;
use std::sync::Arc;
use std::time::Duration;

use message_model::{Moment, ProducerEpoch, ProducerId, Timestamp, TopicPartition};

use crate::effect::Effect;
use crate::metadata::{State, TransactionMetadata};
use crate::nouns::{CallId, Instance, Now, Refusal, WorkId};
use crate::work::{Beginning, Change, Storing};

/// What all transactional ids of a coordinator have in common.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Settings {
    /// `transaction.max.timeout.ms`: how long a transaction may be open at most.
    pub timeout_max: Duration,
    /// `transactional.id.expiration.ms`: how long an id is kept that nobody uses.
    pub id_expiration: Duration,
    /// The most partitions of one transaction.
    pub partitions_max: usize,
    /// How long the answer to an EndTxn waits for markers, once it is decided how the
    /// transaction ends.
    pub answer_timeout: Duration,
    /// How long to wait before a marker or a store that has failed is tried again.
    pub retry_backoff: Duration,
}

// ANCHOR: state
/// The transactions of one transactional id, one after the other, as the coordinator sees
/// them.
///
/// It has no clock, no disk and no random numbers. Each method is told the time, and returns
/// the [`Effect`]s that it wants. After each call [`next_deadline`](Transactions::next_deadline)
/// says when [`expire`](Transactions::expire) is due.
///
/// # Invariants
/// - Each call is answered exactly once, if the work that is asked for ends.
/// - A transaction ends one way in all of its partitions: what is decided is stored before
///   the first marker is written, and is never changed.
/// - A transaction has all its markers before the next one begins.
/// - Of all instances only the newest may begin, write or end a transaction.
#[derive(Debug, Clone)]
pub struct Transactions {
    pub(crate) settings: Arc<Settings>,
    /// What is stored, beside two differences: when all markers are written the state is a
    /// complete one at once, and a partition is taken out when its marker is written.
    pub(crate) current: TransactionMetadata,
    /// The epoch that the newest instance had before it went on after an error; `NONE` if it
    /// is a new process.
    pub(crate) recovered_from: ProducerEpoch,
    /// The store that is under way. Until it has ended, nothing else begins.
    pub(crate) storing: Option<Storing>,
    /// The partitions that are being told. Until they are, nothing else begins.
    pub(crate) beginning: Option<Beginning>,
    /// The last one that was asked for.
    pub(crate) last_work: WorkId,
    /// When the state ends by itself: an open transaction is aborted, failed markers are
    /// written again, an id that nobody uses is deleted.
    pub(crate) due: Option<Moment>,
    /// The partitions whose marker could not be written.
    pub(crate) failed: BTreeSet<TopicPartition>,
    /// The EndTxn that waits for the markers.
    pub(crate) ending: Option<Ending>,
    /// What the call in hand wants done, in order.
    pub(crate) effects: Vec<Effect>,
}

/// An EndTxn whose outcome is stored.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Ending {
    pub(crate) call: CallId,
    /// When it is answered, although markers are missing.
    pub(crate) until: Moment,
}
// ANCHOR_END: state

impl Transactions {
    /// Returns a transactional id that nothing is known of.
    #[must_use]
    pub fn new(now: Now, settings: Arc<Settings>) -> Transactions {
        let due = Some(now.moment.plus(settings.id_expiration));
        Transactions {
            settings,
            current: TransactionMetadata {
                producer: Instance::NONE,
                previous: ProducerId::NONE,
                timeout: Duration::ZERO,
                state: State::Empty,
                partitions: BTreeSet::new(),
                started: Timestamp::NONE,
                updated: now.wall,
            },
            recovered_from: ProducerEpoch::NONE,
            storing: None,
            beginning: None,
            last_work: WorkId(0),
            due,
            failed: BTreeSet::new(),
            ending: None,
            effects: Vec::new(),
        }
    }

    /// Returns when [`expire`](Transactions::expire) is due. `None` if nothing ends by time
    /// before the work that is under way has ended.
    #[must_use]
    pub fn next_deadline(&self) -> Option<Moment> {
        let due = self.due.filter(|_| !self.is_busy());
        let answer = self.ending.map(|ending| ending.until);
        due.into_iter().chain(answer).min()
    }

    /// Returns where the transactional id is, as it is described to operators.
    #[must_use]
    pub fn metadata(&self) -> &TransactionMetadata {
        &self.current
    }

    /// Returns whether nothing is lost if the transactional id is forgotten: it is dead, or
    /// nothing of it was ever stored, and nothing is under way.
    #[must_use]
    pub fn is_nothing(&self) -> bool {
        let is_new = self.current.producer == Instance::NONE && !self.is_busy();
        is_new || self.current.state == State::Dead
    }

    /// Checks that a call is of the instance that counts.
    pub(crate) fn check_instance(&self, producer: Instance) -> Result<(), Refusal> {
        if producer.id != self.current.producer.id || producer.id == ProducerId::NONE {
            return Err(Refusal::InvalidProducerIdMapping);
        }
        if producer.epoch != self.current.producer.epoch {
            return Err(Refusal::Fenced);
        }
        Ok(())
    }

    /// Returns whether a store or the telling of partitions is under way.
    pub(crate) fn is_busy(&self) -> bool {
        self.storing.is_some() || self.beginning.is_some()
    }

    /// Returns the number of the next piece of work.
    pub(crate) fn next_work(&mut self) -> WorkId {
        self.last_work = WorkId(self.last_work.0 + 1);
        self.last_work
    }

    // ANCHOR: store
    /// Asks for what `change` stores. `call` waits for it, if a call does.
    pub(crate) fn store(&mut self, call: Option<CallId>, change: Change) {
        let work = self.next_work();
        let metadata = change.next().cloned();
        self.effects.push(Effect::Store { work, metadata });
        self.storing = Some(Storing { work, call, change });
    }
    // ANCHOR_END: store

    /// Answers `call`, if a call waits.
    pub(crate) fn answer(&mut self, call: Option<CallId>, answer: Result<Instance, Refusal>) {
        let answer = call.map(|call| Effect::Answer { call, answer });
        self.effects.extend(answer);
    }

    /// Refuses `call`, if `taken` says so. Returns all that is to be done.
    pub(crate) fn end_step(&mut self, call: CallId, taken: Result<(), Refusal>) -> Vec<Effect> {
        if let Err(refusal) = taken {
            self.answer(Some(call), Err(refusal));
        }
        take(&mut self.effects)
    }
}
