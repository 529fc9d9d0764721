//! What the coordinator's answers mean for a member.

use std::collections::BTreeSet;

use message_model::Moment;

use super::{Callback, Membership, Phase};
use crate::membership_words::{Effect, Joined, Problem};

impl<P: Ord + Clone> Membership<P> {
    /// A JoinGroup was answered: then comes the SyncGroup, or another try. An
    /// [`Event::Rejoin`](crate::Event::Rejoin) that has come since the JoinGroup was sent is
    /// not forgotten: the member joins again when it knows its partitions.
    pub(super) fn joined(
        &mut self,
        now: Moment,
        answer: Result<Joined, Problem>,
        effects: &mut Vec<Effect<P>>,
    ) {
        // task 16.5: build the membership of a consumer
        todo!("16.5: build the membership of a consumer")
        // end
    }

    /// A SyncGroup was answered: the member learns which partitions are its own, and which
    /// of those that it has are not any more.
    pub(super) fn synced(
        &mut self,
        now: Moment,
        answer: Result<BTreeSet<P>, Problem>,
        effects: &mut Vec<Effect<P>>,
    ) {
        // task 16.5: what goes, what comes, and whether to join again
        todo!("16.5: what goes, what comes, and whether to join again")
        // end
    }

    /// The coordinator has refused a call of the member's generation, or could not be
    /// asked. With `RebalanceInProgress` the session begins anew, because the coordinator
    /// has heard of the member; with `Retriable` it runs on.
    pub(super) fn refused(&mut self, now: Moment, problem: Problem, effects: &mut Vec<Effect<P>>) {
        // task 16.5: which refusals cost the partitions, the id, or the membership
        todo!("16.5: which refusals cost the partitions, the id, or the membership")
        // end
    }

    /// The member is in no generation any more: what it owns is lost, calls and heartbeats
    /// of the old generation mean nothing, and it wants to join again.
    pub(super) fn lose_all(&mut self) {
        // task 16.5: out of the generation
        todo!("16.5: out of the generation")
        // end
    }
}
