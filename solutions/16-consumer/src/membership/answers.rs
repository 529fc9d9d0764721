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
        match answer {
            Ok(joined) => {
                self.member_id = joined.member_id;
                self.generation = joined.generation;
                self.heard_at = now;
                self.heartbeat_at = now.plus(self.settings.heartbeat_interval);
                let ticket = self.next_ticket();
                self.call = Some(ticket);
                self.is_joining = false;
                effects.push(Effect::Sync {
                    ticket,
                    member_id: self.member_id.clone(),
                    generation: self.generation,
                    is_leader: joined.is_leader,
                });
            }
            Err(Problem::MemberIdRequired(id)) => {
                self.member_id = id;
                self.wants_join = true;
            }
            Err(problem) => {
                if problem == Problem::RebalanceInProgress {
                    self.retry_at = now.plus(self.settings.retry_backoff);
                }
                self.wants_join = true;
                self.refused(now, problem, effects);
            }
        }
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
        match answer {
            Ok(share) => {
                self.heard_at = now;
                let gone: BTreeSet<P> = self.owned.difference(&share).cloned().collect();
                let new: BTreeSet<P> = share.difference(&self.owned).cloned().collect();
                if !gone.is_empty() {
                    self.callbacks.push_back(Callback::Revoke(gone));
                    self.wants_join = true;
                }
                self.callbacks.push_back(Callback::Assign(new));
            }
            Err(problem) => {
                self.wants_join = true;
                self.refused(now, problem, effects);
            }
        }
        // end
    }

    /// The coordinator has refused a call of the member's generation, or could not be
    /// asked. With `RebalanceInProgress` the session begins anew, because the coordinator
    /// has heard of the member; with `Retriable` it runs on.
    pub(super) fn refused(&mut self, now: Moment, problem: Problem, effects: &mut Vec<Effect<P>>) {
        // task 16.5: which refusals cost the partitions, the id, or the membership
        match problem {
            Problem::RebalanceInProgress => {
                self.heard_at = now;
                self.wants_join = true;
            }
            Problem::Retriable | Problem::MemberIdRequired(_) => {
                self.retry_at = now.plus(self.settings.retry_backoff);
            }
            Problem::IllegalGeneration => self.lose_all(),
            Problem::UnknownMember => {
                self.member_id.clear();
                self.lose_all();
            }
            Problem::FencedInstance | Problem::Fatal => {
                self.member_id.clear();
                self.lose_all();
                self.wants_join = false;
                self.phase = Phase::Over;
                effects.push(Effect::Fail(problem));
            }
        }
        // end
    }

    /// The member is in no generation any more: what it owns is lost, calls and heartbeats
    /// of the old generation mean nothing, and it wants to join again.
    pub(super) fn lose_all(&mut self) {
        // task 16.5: out of the generation
        self.generation = -1;
        self.call = None;
        self.heartbeat = None;
        self.wants_join = true;
        self.callbacks.clear();
        self.callbacks.push_back(Callback::LoseAll);
        // end
    }
}
