//! Members join, and a generation begins when all have.
//!
//! The life of a rebalance: `begin_rebalance` asks all members to join again,
//! `complete_if_all_joined` looks whether they have, and `complete_join` begins the
//! next generation. Each JoinGroup is parked from `park_join` on.

use std::mem::take;
use std::sync::Arc;

use message_model::Moment;

use crate::call::{Effect, Join, Joined};
use crate::group::{Group, Returning};
use crate::member::{Joining, Member};
use crate::nouns::{CallId, MemberId, Refusal};
use crate::phase::{Initial, Phase};
use crate::protocols::select_protocol;
use crate::standing::State;

impl Group {
    /// Takes a JoinGroup. Its answer is among the effects of this call or of a later one.
    pub fn join(&mut self, now: Moment, call: CallId, join: Join) -> Vec<Effect> {
        let asked_as = join.identity.member.clone();
        let taken = match self.admit(&join) {
            Ok(()) if asked_as.is_empty() => self.join_new(now, call, join),
            Ok(()) => self.join_known(now, call, join),
            Err(refusal) => Err(refusal),
        };
        match taken {
            Ok(()) => {}
            Err(Refusal::GroupFull) => {
                self.remove_member(&asked_as, Refusal::UnknownMember);
                self.roster.forget_pending(&asked_as);
                self.refuse_join(call, MemberId::new(""), Refusal::GroupFull);
                self.complete_if_all_joined(now);
            }
            Err(refusal) => self.refuse_join(call, asked_as, refusal),
        }
        take(&mut self.effects)
    }

    /// Checks what can be said of `join` before it is known which member it is of.
    fn admit(&self, join: &Join) -> Result<(), Refusal> {
        let limits = self.settings.session_timeout_min..=self.settings.session_timeout_max;
        if !limits.contains(&join.session_timeout) {
            return Err(Refusal::InvalidSessionTimeout);
        }
        let is_new_type = self.state() == State::Empty;
        let fits = match is_new_type {
            true => !join.protocol_type.is_empty() && !join.protocols.is_empty(),
            false => {
                join.protocol_type == self.protocol_type && self.roster.supports(&join.protocols)
            }
        };
        match (self.has_room(join), self.state(), fits) {
            (false, ..) => Err(Refusal::GroupFull),
            (_, State::Dead, _) => Err(Refusal::NotAvailable),
            (.., false) => Err(Refusal::InconsistentProtocol),
            (.., true) => Ok(()),
        }
    }

    /// Returns whether the group has room for what `join` brings.
    fn has_room(&self, join: &Join) -> bool {
        let instance = join.identity.instance.as_ref();
        let is_back = instance.and_then(|name| self.roster.static_member(name));
        let asked_as = is_back.unwrap_or(&join.identity.member);
        let known = self.roster.get(asked_as);
        let members_max = self.settings.members_max;
        let has_place = match self.state() {
            State::PreparingRebalance => {
                let has_joined = known.is_some_and(Member::has_joined);
                has_joined || is_back.is_some() || self.roster.joined() < members_max
            }
            _ => known.is_some() || self.roster.len() < members_max,
        };
        let is_known = known.is_some() || self.roster.is_pending(asked_as);
        let others = self.roster.bytes() - known.map_or(0, Member::bytes);
        let fits = others + Member::new(join).bytes() <= self.settings.bytes_max;
        has_place && fits && (is_known || self.roster.pending() < members_max)
    }

    /// Takes the JoinGroup of a consumer without a member id.
    fn join_new(&mut self, now: Moment, call: CallId, join: Join) -> Result<(), Refusal> {
        let Some(instance) = &join.identity.instance else {
            if !join.id_first {
                self.add_member(now, call, join.fresh_id.clone(), &join);
                return Ok(());
            }
            let forgotten_at = now.plus(join.session_timeout);
            self.roster.add_pending(join.fresh_id.clone(), forgotten_at);
            self.refuse_join(call, join.fresh_id, Refusal::MemberIdRequired);
            return Ok(());
        };
        match self.roster.static_member(instance).cloned() {
            Some(before) => self.replace_static(now, call, &before, &join),
            None => self.add_member(now, call, join.fresh_id.clone(), &join),
        }
        Ok(())
    }

    /// Takes the JoinGroup of a consumer with a member id; an error is its answer.
    ///
    /// - With a pending id it becomes a member. A static consumer has no pending id.
    /// - Otherwise its names must be those of a member.
    /// - A member that has what there is to have is answered with the generation at once:
    ///   between join and sync, and in a stable group, if its protocols are the same as
    ///   before. But the leader of a stable group joins again because it wants to share out anew.
    ///   The member is heard of.
    /// - Every other JoinGroup is parked for the next generation.
    fn join_known(&mut self, now: Moment, call: CallId, join: Join) -> Result<(), Refusal> {
        // task 15.3: a member joins again: it is answered at once, or waits for the next generation
        let id = join.identity.member.clone();
        if self.roster.is_pending(&id) && join.identity.instance.is_none() {
            self.add_member(now, call, id, &join);
            return Ok(());
        }
        self.roster.identify(&join.identity)?;
        let known = self.roster.get(&id);
        let is_same = known.is_some_and(|member| member.protocols == join.protocols);
        let is_leader = self.leader.as_ref() == Some(&id);
        let has_it_all = match self.state() {
            State::CompletingRebalance => is_same,
            State::Stable => is_same && !is_leader,
            _ => false,
        };
        if has_it_all {
            self.heard_of(now, &id);
            self.answer_join(call, &id);
        } else {
            self.park_join(now, call, &id, &join);
            self.join_or_rejoin(now);
        }
        Ok(())
        // end
    }

    /// Adds the member `id`, whose JoinGroup is parked.
    fn add_member(&mut self, now: Moment, call: CallId, id: MemberId, join: &Join) {
        if let Phase::Preparing {
            initial: Some(initial),
            ..
        } = &mut self.phase
        {
            initial.has_newcomer = true;
        }
        if self.roster.is_empty() {
            self.protocol_type = join.protocol_type.clone();
        }
        self.leader.get_or_insert_with(|| id.clone());
        self.roster.add(id.clone(), Member::new(join));
        self.park_join(now, call, &id, join);
        self.join_or_rejoin(now);
    }

    /// Parks `call` as the JoinGroup of the member `id`, which is from now on as `join` says.
    fn park_join(&mut self, now: Moment, call: CallId, id: &MemberId, join: &Join) {
        let mut before = Joining::NotYet;
        let mut is_new = false;
        self.roster.change(id, |member| {
            before = member.joining;
            is_new = member.is_new;
            member.joining = Joining::Parked(call);
            member.knows_id |= !join.identity.member.is_empty();
            member.session_timeout = join.session_timeout;
            member.rebalance_timeout = join.rebalance_timeout;
            member.protocols.clone_from(&join.protocols);
        });
        if let Joining::Parked(replaced) = before {
            self.refuse_join(replaced, id.clone(), Refusal::RebalanceInProgress);
        }
        let deadline = is_new.then(|| now.plus(self.settings.new_member_timeout));
        self.roster.set_timer(id, deadline);
    }

    /// A static member is back under a new member id, `join.fresh_id`: it takes the place of
    /// the member id `before`, whose parked calls are fenced. What the member has stays: its
    /// share, and that it leads. Its client is that of the new process.
    ///
    /// - If the group is stable, and its members would still select the same protocol, there is
    ///   no rebalance. The group is stored, and `returning` gets an entry: when the store is
    ///   done, the parked call is answered. Its leader is the one before the return, also if
    ///   that is `before`.
    /// - Otherwise the member has joined as every other one.
    fn replace_static(&mut self, now: Moment, call: CallId, before: &MemberId, join: &Join) {
        // task 15.3: a static member is back: the group goes on as it was, if it can
        let id = join.fresh_id.clone();
        let leader = self.leader.clone().unwrap_or_else(|| before.clone());
        let Some(mut member) = self.take_member(before, Refusal::FencedInstance) else {
            return;
        };
        member.joining = Joining::NotYet;
        member.syncing = None;
        member.client = join.client.clone();
        self.roster.add(id.clone(), member);
        if leader == *before {
            self.leader = Some(id.clone());
        }
        self.park_join(now, call, &id, join);
        let keeps_protocol = self.selected() == self.protocol;
        if self.state() == State::Stable && keeps_protocol {
            let store = self.store(|_, member| member.assignment.clone());
            self.returning.push(Returning {
                store,
                member: id,
                leader,
            });
        } else {
            self.join_or_rejoin(now);
        }
        // end
    }

    /// A member has joined: a rebalance begins if none is on, or may be complete.
    fn join_or_rejoin(&mut self, now: Moment) {
        match self.state() {
            State::PreparingRebalance => self.complete_if_all_joined(now),
            _ => self.begin_rebalance(now),
        }
    }

    /// Asks all members to join again.
    ///
    /// - SyncGroups that are parked are refused as `RebalanceInProgress`.
    /// - A group that was empty waits for the initial delay, however long that is. `initial`
    ///   says up to when newcomers may make the wait longer: the rebalance timeout.
    /// - Another group waits for the rebalance timeout at most, and not at all if all have joined.
    pub(crate) fn begin_rebalance(&mut self, now: Moment) {
        // task 15.3: all members are asked to join again
        if self.state() == State::CompletingRebalance {
            self.answer_syncs(now, Some(Refusal::RebalanceInProgress));
        }
        let timeout = self.roster.rebalance_timeout();
        if self.state() == State::Empty {
            let delay = self.settings.initial_rebalance_delay;
            let bound = now.plus(timeout);
            let initial = Some(Initial {
                bound,
                has_newcomer: false,
            });
            let until = now.plus(delay);
            self.phase = Phase::Preparing { until, initial };
        } else {
            let until = now.plus(timeout);
            self.phase = Phase::Preparing {
                until,
                initial: None,
            };
            self.complete_if_all_joined(now);
        }
        // end
    }

    /// Ends the phase if all members have joined, unless the group was empty: then more
    /// members may come.
    pub(crate) fn complete_if_all_joined(&mut self, now: Moment) {
        let is_waiting = matches!(self.phase, Phase::Preparing { initial: None, .. });
        if is_waiting && self.roster.all_joined() {
            self.complete_join(now);
        }
    }

    /// The time of the phase is over, at `now`. A group that was empty waits for another
    /// delay if a newcomer has joined and its bound is not reached; it never waits beyond
    /// the bound. Otherwise the next generation begins.
    pub(crate) fn end_join_phase(&mut self, now: Moment) {
        // task 15.3: a group that was empty waits on while members come
        let delay = self.settings.initial_rebalance_delay;
        match &mut self.phase {
            Phase::Preparing {
                until,
                initial: Some(initial),
            } if initial.has_newcomer && *until < initial.bound => {
                initial.has_newcomer = false;
                *until = now.plus(delay).min(initial.bound);
            }
            _ => self.complete_join(now),
        }
        // end
    }

    /// Begins the next generation with the members that have joined.
    ///
    /// - Dynamic members that have not joined are removed. Static ones stay, as their processes
    ///   may be restarting.
    /// - If there are members, but none to lead, the members are waited for once more, for
    ///   the rebalance timeout.
    /// - The generation has the next number, and the protocol that its members agree on. Those
    ///   that were removed have no vote.
    /// - Without members the group is empty, which is stored.
    /// - With members it is between join and sync for the rebalance timeout at most. Each
    ///   member's session begins, each parked JoinGroup is answered, and nobody has joined
    ///   or synced yet, as far as the next phases are concerned.
    fn complete_join(&mut self, now: Moment) {
        // task 15.3: the next generation begins with the members that have joined
        let members = self.roster.iter();
        let late = members.filter(|(_, one)| !one.has_joined() && one.instance.is_none());
        let late: Vec<MemberId> = late.map(|(id, _)| id.clone()).collect();
        for id in late {
            self.remove_member(&id, Refusal::UnknownMember);
        }
        let until = now.plus(self.roster.rebalance_timeout());
        if !self.roster.is_empty() && !self.elect() {
            self.phase = Phase::Preparing {
                until,
                initial: None,
            };
            return;
        }
        self.generation = self.next_generation();
        self.protocol = self.selected();
        if self.roster.is_empty() {
            self.phase = Phase::Empty;
            self.store(|_, member| member.assignment.clone());
            return;
        }
        self.phase = Phase::Completing {
            until,
            shares: None,
        };
        for id in self.roster.ids() {
            let parked = self.roster.get(&id).map(|member| member.joining);
            self.roster.change(&id, |member| {
                member.joining = Joining::NotYet;
                member.has_synced = false;
                member.is_new = false;
                member.knows_id = true;
            });
            self.start_session(now, &id);
            if let Some(Joining::Parked(call)) = parked {
                self.answer_join(call, &id);
            }
        }
        // end
    }

    /// Returns the number of the next generation: behind the last number there is 0.
    fn next_generation(&self) -> i32 {
        self.generation.checked_add(1).unwrap_or(0)
    }

    /// Returns whether there is a leader that can be answered: the one that was, if it has
    /// joined again, else another member.
    fn elect(&mut self) -> bool {
        let leader = self.leader.as_ref().and_then(|id| self.roster.get(id));
        if leader.is_some_and(Member::is_waiting) {
            return true;
        }
        let mut members = self.roster.iter();
        let elected = members.find(|(_, member)| member.is_waiting());
        let elected = elected.map(|(id, _)| id.clone());
        let is_elected = elected.is_some();
        self.leader = elected.or(self.leader.take());
        is_elected
    }

    /// Returns the protocol that the members agree on now.
    fn selected(&self) -> Option<Arc<str>> {
        let members = self.roster.iter();
        let known: Vec<Vec<&str>> = members
            .map(|(_, member)| member.protocols.iter().map(|one| &*one.name).collect())
            .collect();
        select_protocol(&known).map(Arc::from)
    }

    /// Answers `call` of the member `id` with the generation as it is.
    pub(crate) fn answer_join(&mut self, call: CallId, id: &MemberId) {
        let leader = self.leader.clone().unwrap_or_else(|| id.clone());
        let protocol = self.protocol.clone().unwrap_or_else(|| Arc::from(""));
        let is_leading = leader == *id;
        let members = self.roster.iter().filter(|_| is_leading);
        let members = members.map(|(id, member)| member.joined(id, &protocol));
        let joined = Joined {
            generation: self.generation,
            protocol_type: self.protocol_type.clone(),
            members: members.collect(),
            protocol,
            leader,
        };
        self.effects.push(Effect::Joined {
            call,
            member: id.clone(),
            answer: Ok(joined),
        });
    }

    /// Answers `call` with `refusal`.
    pub(crate) fn refuse_join(&mut self, call: CallId, member: MemberId, refusal: Refusal) {
        self.effects.push(Effect::Joined {
            call,
            member,
            answer: Err(refusal),
        });
    }
}
