//! What a broker and its clients promise.

use std::fmt;
use std::str::FromStr;

use crate::anomaly::Kind;

/// What a broker and its clients promise, the weakest first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Promise {
    /// What is acknowledged stays, and is read in order. A send that is repeated may be there
    /// twice, and one without an answer may arrive late.
    AcksAll,
    /// Besides, each value is there once, in the order of the sends: batches have numbers.
    Idempotent,
    /// Besides, a transaction is there as a whole or not at all.
    Transactional,
}

impl Promise {
    /// Every promise.
    pub const ALL: [Promise; 3] = [
        Promise::AcksAll,
        Promise::Idempotent,
        Promise::Transactional,
    ];

    /// Whether an anomaly of this kind breaks the promise.
    #[must_use]
    pub fn forbids(self, kind: Kind) -> bool {
        match kind {
            // Writes of transactions are not isolated: they interleave in every partition.
            Kind::SendSkip => false,
            Kind::Duplicate | Kind::LateSend => self >= Promise::Idempotent,
            // Without transactions these two do not occur.
            Kind::AbortedRead | Kind::UncommittedRead => true,
            Kind::InconsistentOffset
            | Kind::Phantom
            | Kind::LostWrite
            | Kind::Unseen
            | Kind::PollSkip
            | Kind::NonmonotonicPoll
            | Kind::NonmonotonicSend => true,
        }
    }

    /// Returns its word on the command line.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Promise::AcksAll => "acks-all",
            Promise::Idempotent => "idempotent",
            Promise::Transactional => "transactional",
        }
    }
}

impl fmt::Display for Promise {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.word())
    }
}

/// The word names no promise.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a promise is acks-all, idempotent or transactional")]
pub struct UnknownPromise;

impl FromStr for Promise {
    type Err = UnknownPromise;

    fn from_str(word: &str) -> Result<Promise, UnknownPromise> {
        let mut all = Promise::ALL.into_iter();
        all.find(|promise| promise.word() == word)
            .ok_or(UnknownPromise)
    }
}
