//! Members leave, fall silent, or lose their connection.

use std::mem::take;

use message_model::Moment;

use crate::call::Effect;
use crate::group::Group;
use crate::member::{Joining, Member};
use crate::nouns::{CallId, Identity, MemberId, Refusal};
use crate::phase::Phase;
use crate::roster::Overdue;
use crate::standing::State;

impl Group {
    /// Takes a LeaveGroup of several members: returns what each is answered, in order, and
    /// what the group wants done. A static member may be named by its instance id alone.
    pub fn leave(
        &mut self,
        now: Moment,
        leavers: &[Identity],
    ) -> (Vec<Result<(), Refusal>>, Vec<Effect>) {
        let before = self.roster.len();
        let answers = leavers.iter().map(|one| self.leave_one(one)).collect();
        if self.roster.len() < before {
            self.members_are_gone(now);
        } else {
            self.complete_if_all_joined(now);
        }
        (answers, take(&mut self.effects))
    }

    /// Removes one member that leaves.
    fn leave_one(&mut self, leaver: &Identity) -> Result<(), Refusal> {
        if self.state() == State::Dead {
            return Err(Refusal::NotAvailable);
        }
        if self.roster.forget_pending(&leaver.member) {
            return Ok(());
        }
        let id = match &leaver.instance {
            Some(instance) if leaver.member.is_empty() => {
                let current = self.roster.static_member(instance);
                current.cloned().ok_or(Refusal::UnknownMember)?
            }
            _ => {
                self.roster.identify(leaver)?;
                leaver.member.clone()
            }
        };
        self.remove_member(&id, Refusal::UnknownMember);
        Ok(())
    }

    /// The connection of `call` is gone, so it needs no answer any more. A member that does
    /// not know its id is removed, as it cannot come back. Another one has a session timeout
    /// to come back.
    pub fn gone(&mut self, now: Moment, call: CallId) -> Vec<Effect> {
        if let Some(id) = self.roster.joining(call) {
            let member = self.roster.get(&id);
            let is_lost = member.is_some_and(|one| !one.knows_id && one.instance.is_none());
            let is_preparing = self.state() == State::PreparingRebalance;
            self.roster.change(&id, |member| {
                member.joining = match is_preparing {
                    true => Joining::Gone,
                    false => Joining::NotYet,
                };
            });
            self.start_session(now, &id);
            if is_lost {
                self.remove_member(&id, Refusal::UnknownMember);
                self.members_are_gone(now);
            }
        } else if let Some(id) = self.roster.syncing(call) {
            self.roster.change(&id, |member| member.syncing = None);
            self.start_session(now, &id);
        }
        take(&mut self.effects)
    }

    /// Does what is due at `now`, the earliest first: members that were silent for too long
    /// are removed, member ids that were not used are forgotten, a phase ends. Of a timer and
    /// a phase that are due at the same moment either may be first. Afterwards
    /// [`next_deadline`](Group::next_deadline) is later than `now`.
    ///
    /// A member that is removed is gone for the others, as if it had left. Its JoinGroup, if it
    /// is parked, is refused as `UnknownMember`. A pending id that is forgotten may be the last
    /// thing that was waited for.
    pub fn expire(&mut self, now: Moment) -> Vec<Effect> {
        // task 15.3: what time ends: silent members, unused ids, phases
        todo!("15.3: what time ends: silent members, unused ids, phases")
        // end
    }

    /// The time of the phase is over. While members join, `end_join_phase` decides. After
    /// that, the members that have not synced are removed, static ones too, and the others
    /// share out anew.
    fn end_phase(&mut self, now: Moment) {
        // task 15.3: a phase that has run out of time goes on without those that are late
        todo!("15.3: a phase that has run out of time goes on without those that are late")
        // end
    }

    /// Members were removed: those that are left share out anew.
    fn members_are_gone(&mut self, now: Moment) {
        match self.state() {
            State::CompletingRebalance | State::Stable => self.begin_rebalance(now),
            _ => self.complete_if_all_joined(now),
        }
    }

    /// Removes the member `id`. Its parked calls are answered with `refusal`.
    pub(crate) fn remove_member(&mut self, id: &MemberId, refusal: Refusal) {
        self.take_member(id, refusal);
        if self.leader.as_ref() == Some(id) {
            self.leader = self.roster.iter().next().map(|(id, _)| id.clone());
        }
    }

    /// Takes the member `id` out. Its parked calls are answered with `refusal`.
    pub(crate) fn take_member(&mut self, id: &MemberId, refusal: Refusal) -> Option<Member> {
        let member = self.roster.remove(id)?;
        self.returning.retain(|one| one.member != *id);
        if let Joining::Parked(call) = member.joining {
            // An id that is unknown from now on is not named in the answer.
            let named = match refusal {
                Refusal::UnknownMember => MemberId::new(""),
                _ => id.clone(),
            };
            self.refuse_join(call, named, refusal);
        }
        if let Some(call) = member.syncing {
            let answer = Err(refusal);
            self.effects.push(Effect::Synced { call, answer });
        }
        Some(member)
    }
}
