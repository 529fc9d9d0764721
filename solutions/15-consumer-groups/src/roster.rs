//! The members of a group: their names, their timers, and what is counted of them.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use message_model::Moment;

use crate::member::{Joining, Member};
use crate::nouns::{CallId, Identity, InstanceId, MemberId, Protocol, Refusal};

/// What is found when a timer has run out.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Overdue {
    /// A member was silent for too long.
    Member(MemberId),
    /// A member id was given, and nobody has joined with it. It is forgotten.
    Pending,
}

/// The members of a group, the names of the static ones, and the ids that are not used yet.
///
/// # Invariants
/// - `joined` and `unsynced` are the numbers of members that have joined, or have not synced.
/// - `knowing` has, for each protocol, how many members know it.
/// - `timers` has an entry for each `expires` of a member and for each pending member id.
/// - `instances` has an entry for each static member.
#[derive(Debug, Clone, Default)]
pub(crate) struct Roster {
    members: BTreeMap<MemberId, Member>,
    instances: BTreeMap<InstanceId, MemberId>,
    /// The member ids that were given, and when they are forgotten.
    pending: BTreeMap<MemberId, Moment>,
    timers: BTreeSet<(Moment, MemberId)>,
    knowing: BTreeMap<Arc<str>, usize>,
    joined: usize,
    unsynced: usize,
    bytes: usize,
}

impl Roster {
    /// Returns the number of members.
    pub(crate) fn len(&self) -> usize {
        self.members.len()
    }

    /// Returns whether there are no members.
    pub(crate) fn is_empty(&self) -> bool {
        self.members.is_empty()
    }

    /// Returns how many members have joined the generation that is being prepared.
    pub(crate) fn joined(&self) -> usize {
        self.joined
    }

    /// Returns whether every member has joined, and no member id is pending.
    pub(crate) fn all_joined(&self) -> bool {
        self.joined == self.members.len() && self.pending.is_empty()
    }

    /// Returns whether every member has sent its SyncGroup of this generation.
    pub(crate) fn all_synced(&self) -> bool {
        self.unsynced == 0
    }

    /// Returns about how many bytes of memory members and pending member ids cost.
    pub(crate) fn bytes(&self) -> usize {
        self.bytes
    }

    /// Returns the members by id.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (&MemberId, &Member)> {
        self.members.iter()
    }

    /// Returns the ids of all members.
    pub(crate) fn ids(&self) -> Vec<MemberId> {
        self.members.keys().cloned().collect()
    }

    /// Returns the member `id`.
    pub(crate) fn get(&self, id: &MemberId) -> Option<&Member> {
        self.members.get(id)
    }

    /// Returns the member that has the instance id `instance` now.
    pub(crate) fn static_member(&self, instance: &InstanceId) -> Option<&MemberId> {
        self.instances.get(instance)
    }

    /// Checks that `identity` has the names of a member.
    pub(crate) fn identify(&self, identity: &Identity) -> Result<(), Refusal> {
        if let Some(instance) = &identity.instance {
            let current = self.instances.get(instance);
            let current = current.ok_or(Refusal::UnknownMember)?;
            if *current != identity.member {
                return Err(Refusal::FencedInstance);
            }
        }
        match self.members.contains_key(&identity.member) {
            true => Ok(()),
            false => Err(Refusal::UnknownMember),
        }
    }

    /// Returns the longest rebalance timeout of a member, at least a millisecond.
    pub(crate) fn rebalance_timeout(&self) -> Duration {
        let timeouts = self.members.values().map(|one| one.rebalance_timeout);
        timeouts
            .max()
            .unwrap_or_default()
            .max(Duration::from_millis(1))
    }

    /// Returns whether a member with `protocols` would leave a protocol that all know.
    pub(crate) fn supports(&self, protocols: &[Protocol]) -> bool {
        let all = self.members.len();
        protocols
            .iter()
            .any(|one| all == 0 || self.knowing.get(&one.name) == Some(&all))
    }

    /// Adds the member `id`, whose id is pending no longer.
    pub(crate) fn add(&mut self, id: MemberId, member: Member) {
        self.forget_pending(&id);
        if let Some(instance) = &member.instance {
            self.instances.insert(instance.clone(), id.clone());
        }
        self.count(&id, &member, true);
        self.members.insert(id, member);
    }

    /// Takes the member `id` out.
    pub(crate) fn remove(&mut self, id: &MemberId) -> Option<Member> {
        let mut member = self.members.remove(id)?;
        self.count(id, &member, false);
        if let Some(deadline) = member.expires.take() {
            self.timers.remove(&(deadline, id.clone()));
        }
        if let Some(instance) = &member.instance {
            self.instances.remove(instance);
        }
        Some(member)
    }

    /// Changes the member `id`, except its instance id and its timer.
    pub(crate) fn change(&mut self, id: &MemberId, change: impl FnOnce(&mut Member)) {
        if let Some(mut member) = self.members.remove(id) {
            self.count(id, &member, false);
            change(&mut member);
            self.count(id, &member, true);
            self.members.insert(id.clone(), member);
        }
    }

    /// The member `id` is removed at `deadline`, or not by time if that is `None`.
    pub(crate) fn set_timer(&mut self, id: &MemberId, deadline: Option<Moment>) {
        if let Some(member) = self.members.get_mut(id) {
            if let Some(before) = member.expires.take() {
                self.timers.remove(&(before, id.clone()));
            }
            member.expires = deadline;
            if let Some(deadline) = deadline {
                self.timers.insert((deadline, id.clone()));
            }
        }
    }

    /// Returns whether `id` was given to a consumer that has not joined with it yet.
    pub(crate) fn is_pending(&self, id: &MemberId) -> bool {
        self.pending.contains_key(id)
    }

    /// Returns how many member ids were given to consumers that have not joined with them yet.
    pub(crate) fn pending(&self) -> usize {
        self.pending.len()
    }

    /// Notes that `id` was given, and is forgotten at `deadline`.
    pub(crate) fn add_pending(&mut self, id: MemberId, deadline: Moment) {
        self.bytes += pending_bytes(&id);
        self.timers.insert((deadline, id.clone()));
        self.pending.insert(id, deadline);
    }

    /// Returns whether `id` was pending. It is not any more.
    pub(crate) fn forget_pending(&mut self, id: &MemberId) -> bool {
        let deadline = self.pending.remove(id);
        if let Some(deadline) = deadline {
            self.bytes -= pending_bytes(id);
            self.timers.remove(&(deadline, id.clone()));
        }
        deadline.is_some()
    }

    /// Returns the earliest moment at which a timer runs out.
    pub(crate) fn next_timer(&self) -> Option<Moment> {
        self.timers.first().map(|(deadline, _)| *deadline)
    }

    /// Returns the earliest timer that has run out at `now`. A pending member id is forgotten.
    pub(crate) fn overdue(&mut self, now: Moment) -> Option<Overdue> {
        let (deadline, id) = self.timers.first()?.clone();
        if deadline > now {
            return None;
        }
        match self.forget_pending(&id) {
            true => Some(Overdue::Pending),
            false => Some(Overdue::Member(id)),
        }
    }

    /// Returns the member whose parked JoinGroup is `call`.
    pub(crate) fn joining(&self, call: CallId) -> Option<MemberId> {
        let parked = Joining::Parked(call);
        self.find(|member| member.joining == parked)
    }

    /// Returns the member whose parked SyncGroup is `call`.
    pub(crate) fn syncing(&self, call: CallId) -> Option<MemberId> {
        self.find(|member| member.syncing == Some(call))
    }

    /// Gives every member its share: `assignments` has those that the leader has named.
    pub(crate) fn assign(&mut self, assignments: &mut BTreeMap<MemberId, Bytes>) {
        for (id, member) in &mut self.members {
            let share = assignments.remove(id).unwrap_or_default();
            self.bytes -= member.assignment.len();
            self.bytes += share.len();
            member.assignment = share;
        }
    }

    fn find(&self, is_wanted: impl Fn(&Member) -> bool) -> Option<MemberId> {
        let mut members = self.members.iter();
        let found = members.find(|(_, member)| is_wanted(member));
        found.map(|(id, _)| id.clone())
    }

    /// Adds what is counted of `member`, or takes it away.
    fn count(&mut self, id: &MemberId, member: &Member, adds: bool) {
        let step = |count: &mut usize, by: usize| match adds {
            true => *count += by,
            false => *count -= by,
        };
        step(&mut self.joined, usize::from(member.has_joined()));
        step(&mut self.unsynced, usize::from(!member.has_synced));
        step(&mut self.bytes, pending_bytes(id) + member.bytes());
        let names: BTreeSet<_> = member.protocols.iter().map(|one| &one.name).collect();
        for name in names {
            let members = self.knowing.entry(name.clone()).or_default();
            step(members, 1);
            if *members == 0 {
                self.knowing.remove(name);
            }
        }
    }
}

/// Returns about how many bytes the id of a member costs: once in a map, once in a timer.
fn pending_bytes(id: &MemberId) -> usize {
    id.0.len() + 2 * size_of::<(Moment, MemberId)>()
}
