//! The rules by which a broker refuses a producer's batch.
//!
//! Both look at one entry, of one producer in one partition, and change nothing. Over an
//! entry the order is: the [fence](fence), the duplicates of chapter 19, the
//! [sequence](sequence), the transactions of chapter 20. Each can be left out alone.

use crate::standing::{Numbered, Standing};
use message_model::ProducerEpoch;

/// Why a batch is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Refusal {
    /// A newer instance of the producer has been here (47, `INVALID_PRODUCER_EPOCH`).
    Fenced,
    /// The batch is not the next one (45, `OUT_OF_ORDER_SEQUENCE_NUMBER`).
    OutOfOrder,
}

/// Refuses the batch of an instance that is older than the newest one that the partition
/// has seen. The first batch of a newer instance passes.
///
/// # Errors
/// [`Refusal::Fenced`].
pub fn fence(standing: &Standing, batch: Numbered) -> Result<(), Refusal> {
    // task 18.1: nothing of an instance that has a successor
    todo!("18.1: nothing of an instance that has a successor")
    // end
}

/// Refuses a batch that does not follow on the producer's last record. `standing` is what
/// was known before the batch; `None`: nothing.
///
/// - Nothing is known of the producer (or its entry has no epoch): any number may be the
///   first. The records that were before it may have been deleted.
/// - In a newer epoch the first number is 0.
/// - In the same epoch it is the one behind the last; 0 if there is no last one, and 0
///   behind [`i32::MAX`].
/// - The numbers of an older epoch mean nothing here. Whether the batch passes is up to
///   the [fence].
///
/// # Errors
/// [`Refusal::OutOfOrder`].
pub fn sequence(standing: Option<&Standing>, batch: Numbered) -> Result<(), Refusal> {
    // task 18.2: only the next batch, if it is known which one that is
    todo!("18.2: only the next batch, if it is known which one that is")
    // end
}

/// Returns what is known once the batch, whose records have numbers, is in the log. It can
/// have been appended although a rule was left out: then its last number is the known one
/// all the same.
///
/// A batch of an older epoch changes nothing that is known.
#[must_use]
pub fn note(standing: Option<&Standing>, batch: Numbered) -> Standing {
    // task 18.2: the newest epoch, and the last number in it
    todo!("18.2: the newest epoch, and the last number in it")
    // end
}
