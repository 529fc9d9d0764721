//! The leader shares out, the group is stored, and each member gets its share.

use std::collections::BTreeMap;
use std::mem::take;
use std::sync::Arc;

use bytes::Bytes;
use message_model::Moment;

use crate::call::{Effect, Joined, Sync, Synced};
use crate::group::Group;
use crate::member::Joining;
use crate::nouns::{CallId, MemberId, Refusal, StoreId};
use crate::phase::{Phase, Shares};
use crate::standing::State;

impl Group {
    /// Takes a SyncGroup. Its answer is among the effects of this call or of a later one.
    ///
    /// - `check_sync` says whether it is refused.
    /// - In a stable group the member gets its share at once.
    /// - Between join and sync it is parked. The leader's brings the shares, which are stored.
    pub fn sync(&mut self, now: Moment, call: CallId, sync: Sync) -> Vec<Effect> {
        // task 15.3: a member asks for its share; the leader brings all of them
        if let Err(refusal) = self.check_sync(&sync) {
            let answer = Err(refusal);
            self.effects.push(Effect::Synced { call, answer });
            return take(&mut self.effects);
        }
        let id = sync.identity.member.clone();
        self.park_sync(call, &id);
        if self.state() == State::Stable {
            self.answer_sync(now, &id, None);
        } else if self.leader.as_ref() == Some(&id) {
            self.store_shares(sync.assignments);
        }
        take(&mut self.effects)
        // end
    }

    /// Returns whether `sync` is one of this generation.
    fn check_sync(&self, sync: &Sync) -> Result<(), Refusal> {
        let state = self.state();
        if state == State::Dead {
            return Err(Refusal::NotAvailable);
        }
        self.roster.identify(&sync.identity)?;
        if sync.generation != self.generation {
            return Err(Refusal::IllegalGeneration);
        }
        let other_type = sync.protocol_type.as_ref();
        let other_type = other_type.is_some_and(|one| *one != self.protocol_type);
        let other_name = sync.protocol.is_some() && sync.protocol != self.protocol;
        if other_type || other_name {
            return Err(Refusal::InconsistentProtocol);
        }
        let bytes: usize = sync.assignments.iter().map(|(_, share)| share.len()).sum();
        match state {
            State::PreparingRebalance => Err(Refusal::RebalanceInProgress),
            _ if self.bytes() + bytes > self.settings.bytes_max => Err(Refusal::GroupFull),
            _ => Ok(()),
        }
    }

    /// Parks `call` as the SyncGroup of the member `id`.
    fn park_sync(&mut self, call: CallId, id: &MemberId) {
        let mut replaced = None;
        self.roster.change(id, |member| {
            replaced = member.syncing.replace(call);
            member.has_synced = true;
        });
        self.roster.set_timer(id, None);
        if let Some(call) = replaced {
            let answer = Err(Refusal::RebalanceInProgress);
            self.effects.push(Effect::Synced { call, answer });
        }
        if let Phase::Stable { until } = &mut self.phase
            && self.roster.all_synced()
        {
            *until = None;
        }
    }

    /// Asks for the leader's shares to be stored, unless they are being stored.
    fn store_shares(&mut self, assignments: Vec<(MemberId, Bytes)>) {
        let Phase::Completing {
            until,
            shares: None,
        } = self.phase
        else {
            return;
        };
        let of_members = assignments.into_iter();
        let of_members = of_members.filter(|(id, _)| self.roster.get(id).is_some());
        let assignments: BTreeMap<MemberId, Bytes> = of_members.collect();
        let store = self.store(|id, _| assignments.get(id).cloned().unwrap_or_default());
        let shares = Some(Shares { store, assignments });
        self.phase = Phase::Completing { until, shares };
    }

    /// The store `id` is done, or has failed if `is_stored` is false. What waited for it goes
    /// on, unless the group has gone on without it.
    ///
    /// - If the shares of this generation waited for it: each member has its share, the
    ///   group is stable, and every parked SyncGroup is answered. The phase still ends at its
    ///   deadline for members that have not synced; if all have, nothing ends it.
    /// - If that store has failed: every parked SyncGroup is refused as `NotAvailable`, and the
    ///   members are asked to join again.
    /// - `answer_returning` answers a static member that waited for it.
    pub fn stored(&mut self, now: Moment, id: StoreId, is_stored: bool) -> Vec<Effect> {
        // task 15.3: shares are handed out when they are stored
        if let Phase::Completing { until, shares } = &mut self.phase
            && shares.as_ref().is_some_and(|waiting| waiting.store == id)
        {
            let until = *until;
            let shares = shares.take();
            if is_stored {
                let mut assignments = shares.map(|one| one.assignments).unwrap_or_default();
                self.roster.assign(&mut assignments);
                let until = (!self.roster.all_synced()).then_some(until);
                self.phase = Phase::Stable { until };
                self.answer_syncs(now, None);
            } else {
                self.answer_syncs(now, Some(Refusal::NotAvailable));
                self.begin_rebalance(now);
            }
        }
        self.answer_returning(now, id, is_stored);
        take(&mut self.effects)
        // end
    }

    /// Answers the static member whose return was stored as `id`, if the group is still stable.
    fn answer_returning(&mut self, now: Moment, id: StoreId, is_stored: bool) {
        let at = self.returning.iter().position(|one| one.store == id);
        let Some(returning) = at.map(|at| self.returning.swap_remove(at)) else {
            return;
        };
        let member = self.roster.get(&returning.member);
        let Some(Joining::Parked(call)) = member.map(|member| member.joining) else {
            return;
        };
        if self.state() != State::Stable {
            return;
        }
        self.roster.change(&returning.member, |member| {
            member.joining = Joining::NotYet;
            member.is_new = false;
            member.knows_id = true;
        });
        self.start_session(now, &returning.member);
        let answer = is_stored.then(|| Joined {
            generation: self.generation,
            protocol_type: self.protocol_type.clone(),
            protocol: self.protocol.clone().unwrap_or_else(|| Arc::from("")),
            leader: returning.leader,
            members: Vec::new(),
        });
        self.effects.push(Effect::Joined {
            call,
            member: returning.member,
            answer: answer.ok_or(Refusal::NotAvailable),
        });
    }

    /// Answers every parked SyncGroup: with `refusal`, or each with its member's share. Each
    /// member's session begins now, unless its JoinGroup is parked.
    pub(crate) fn answer_syncs(&mut self, now: Moment, refusal: Option<Refusal>) {
        for id in self.roster.ids() {
            self.answer_sync(now, &id, refusal);
        }
    }

    /// Answers the parked SyncGroup of the member `id`, if there is one.
    fn answer_sync(&mut self, now: Moment, id: &MemberId, refusal: Option<Refusal>) {
        let member = self.roster.get(id);
        let Some((call, share)) = member.and_then(|one| Some((one.syncing?, &one.assignment)))
        else {
            return;
        };
        let share = Synced {
            protocol_type: self.protocol_type.clone(),
            protocol: self.protocol.clone().unwrap_or_else(|| Arc::from("")),
            assignment: share.clone(),
        };
        self.roster.change(id, |member| member.syncing = None);
        self.heard_of(now, id);
        let answer = refusal.map_or(Ok(share), Err);
        self.effects.push(Effect::Synced { call, answer });
    }
}
