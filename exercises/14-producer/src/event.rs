//! What the sender is told, and what it wants to be done.

use message_model::Moment;

use crate::batch::{Batch, BatchId, Slot};
use crate::number::{Identity, Number};
use crate::outcome::{Answer, Failure, Outcome};

/// What the sender is told, by the accumulator, the brokers' answers and the clock.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Event {
    /// The accumulator gives a batch.
    Batch(Batch),
    /// The producer's id, or its next epoch, which was asked for with [`Effect::Renew`].
    Identity(Identity),
    /// An attempt to send a batch has ended.
    Answer {
        /// The batch that the attempt has sent.
        batch: BatchId,
        /// The batch's partition.
        slot: Slot,
        /// Which attempt, as in [`Effect::Send`].
        attempt: u32,
        /// What the broker said, or that it said nothing.
        answer: Answer,
    },
    /// Time has passed.
    Tick,
    /// Nothing can be delivered any more; everything fails with this.
    Stop(Failure),
}

/// What the producer must do, in this order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Effect {
    /// Send the batch. Its answer comes back with the same number of the attempt.
    Send {
        /// The batch to send.
        batch: BatchId,
        /// The partition to whose leader it is sent.
        slot: Slot,
        /// 1 for the first attempt.
        attempt: u32,
        /// What the batch's header says of its producer.
        number: Option<Number>,
        /// When nobody waits for the answer any more.
        deliver_by: Moment,
    },
    /// The records of the batch have this outcome, once and for all.
    Done(Batch, Outcome),
    /// The records of the first one are now those of the other two: the first has as
    /// many of the records as it says, from the first one on.
    Split(BatchId, [Batch; 2]),
    /// A producer id is needed, or the next epoch of this one.
    Renew(Option<Identity>),
}
