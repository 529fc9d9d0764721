//! What a call of a member is answered in each state of its group.

use crate::nouns::{Identity, Refusal};

/// The state of a group, with the names that Kafka gives them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum State {
    /// It has no members. It may have committed offsets.
    Empty,
    /// Its members are asked to join again. JoinGroup calls are parked.
    PreparingRebalance,
    /// A generation has begun, and its leader shares out the partitions. SyncGroup calls are
    /// parked.
    CompletingRebalance,
    /// Each member has its share.
    Stable,
    /// It is deleted.
    Dead,
}

/// What a call meets: where the group is, and what the group knows of the caller.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Standing {
    /// The group's state when the call came.
    pub state: State,
    /// The group's generation.
    pub generation: i32,
    /// Whether the caller's names are those of a member: `Ok`, [`Refusal::UnknownMember`] or
    /// [`Refusal::FencedInstance`].
    pub known: Result<(), Refusal>,
}

/// An OffsetCommit or a TxnOffsetCommit, as far as a group looks at it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Commit<'a> {
    /// What the consumer says it is.
    pub identity: &'a Identity,
    /// The generation that it says it is in; negative if it is in no group.
    pub generation: i32,
    /// Whether it is part of a transaction.
    pub transactional: bool,
}

impl State {
    /// Returns the name that Kafka's clients know.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            State::Empty => "Empty",
            State::PreparingRebalance => "PreparingRebalance",
            State::CompletingRebalance => "CompletingRebalance",
            State::Stable => "Stable",
            State::Dead => "Dead",
        }
    }
}

impl Standing {
    /// Returns whether a heartbeat of a member of `generation` is in order.
    ///
    /// # Errors
    /// The first that applies: `NotAvailable` if the group is dead; what is wrong with the
    /// caller's names; `IllegalGeneration`; `RebalanceInProgress` while the members are asked
    /// to join again. Between join and sync all is in order.
    pub fn heartbeat(self, generation: i32) -> Result<(), Refusal> {
        // task 15.2: what a heartbeat is answered in each state
        todo!("15.2: what a heartbeat is answered in each state")
        // end
    }

    /// Returns whether `commit` may be stored.
    ///
    /// - A consumer without a group (negative generation) may commit while the group is
    ///   empty, whatever names it brings.
    /// - A commit with a generation, a member id or an instance id is of a member: its names
    ///   and its generation must be the group's.
    /// - A commit with none of these is refused as `UnknownMember`, if the group is not
    ///   empty. A transactional one is let through, because old producers know no group.
    /// - Between join and sync a member has a new generation and no share of it yet, so
    ///   what it commits is of the old one: `RebalanceInProgress`, unless it is
    ///   transactional. While members are asked to join again, they still finish what they had.
    ///
    /// # Errors
    /// `NotAvailable` if the group is dead, else the first rule that is broken.
    pub fn commit(self, commit: Commit<'_>) -> Result<(), Refusal> {
        // task 15.2: whose commit is taken, and when
        todo!("15.2: whose commit is taken, and when")
        // end
    }
}
