//! A consumer group: its state, and what may be asked of it at any time.

use std::mem::take;
use std::sync::Arc;
use std::time::Duration;

use message_model::Moment;

use crate::call::Effect;
use crate::member::Member;
use crate::nouns::{Identity, MemberId, Refusal, StoreId};
use crate::phase::Phase;
use crate::roster::Roster;
use crate::standing::{Commit, Standing, State};
use crate::view::{Description, StoredGroup};

/// What all groups of a coordinator have in common. The names are Kafka's.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Settings {
    /// `group.initial.rebalance.delay.ms`: how long a group that was empty waits for more
    /// members, each time that one has come.
    pub initial_rebalance_delay: Duration,
    /// `group.min.session.timeout.ms`.
    pub session_timeout_min: Duration,
    /// `group.max.session.timeout.ms`.
    pub session_timeout_max: Duration,
    /// `group.max.size`: the most members, and the most member ids that are given to
    /// consumers and not used yet.
    pub members_max: usize,
    /// The most bytes of memory that members, metadata and assignments may cost.
    pub bytes_max: usize,
    /// How long a member may be parked in its first JoinGroup.
    pub new_member_timeout: Duration,
}

// ANCHOR: state
/// One consumer group: which members it has, which generation they are in, and what waits.
///
/// The group has no clock. Each method that can change it is told the time. After each
/// call [`next_deadline`](Group::next_deadline) says when [`expire`](Group::expire) is due.
///
/// # Invariants
/// - Each call of `join` and `sync` is answered exactly once, unless it is `gone` before.
/// - The generation only grows, and each generation has one leader, which is a member.
/// - A generation's shares are handed out only when they are stored.
/// - Whatever a member does or does not, the group leaves each phase at its deadline.
#[derive(Debug, Clone)]
pub struct Group {
    pub(crate) settings: Arc<Settings>,
    pub(crate) phase: Phase,
    pub(crate) roster: Roster,
    pub(crate) generation: i32,
    /// Empty until the first member has joined.
    pub(crate) protocol_type: Arc<str>,
    /// The selected protocol of the generation; `None` if it has no members.
    pub(crate) protocol: Option<Arc<str>>,
    /// A member, if there are any: who shares out, or will if it joins again.
    pub(crate) leader: Option<MemberId>,
    /// The last one that was asked for.
    pub(crate) last_store: StoreId,
    /// Static members whose return to a stable group is being stored.
    pub(crate) returning: Vec<Returning>,
    /// What the call in hand wants done, in order.
    pub(crate) effects: Vec<Effect>,
}

/// A static member that is back, and is answered when its new member id is stored.
#[derive(Debug, Clone)]
pub(crate) struct Returning {
    pub(crate) store: StoreId,
    /// The id that the returned process has from now on.
    pub(crate) member: MemberId,
    /// The leader in its answer: the one before its return, so that it never thinks it leads.
    pub(crate) leader: MemberId,
}
// ANCHOR_END: state

impl Group {
    /// Returns a group that nobody has joined yet.
    #[must_use]
    pub fn new(settings: Arc<Settings>) -> Group {
        Group {
            settings,
            phase: Phase::Empty,
            roster: Roster::default(),
            generation: 0,
            protocol_type: Arc::from(""),
            protocol: None,
            leader: None,
            last_store: StoreId(0),
            returning: Vec::new(),
            effects: Vec::new(),
        }
    }

    /// Returns the group that was stored as `stored`, and what it wants done. Its members have
    /// a whole session timeout from `now` on to be heard of.
    #[must_use]
    pub fn restore(
        now: Moment,
        settings: Arc<Settings>,
        stored: StoredGroup,
    ) -> (Group, Vec<Effect>) {
        let mut group = Group::new(settings);
        group.generation = stored.generation;
        group.protocol_type = stored.protocol_type;
        let Some(protocol) = stored.protocol.filter(|_| !stored.members.is_empty()) else {
            return (group, Vec::new());
        };
        for member in stored.members {
            let id = member.member.clone();
            group
                .roster
                .add(id.clone(), Member::restored(member, &protocol));
            group.start_session(now, &id);
        }
        let first = group.roster.ids().into_iter().next();
        let leader = stored.leader.filter(|id| group.roster.get(id).is_some());
        group.leader = leader.or(first);
        group.protocol = Some(protocol);
        group.phase = Phase::Stable { until: None };
        if group.roster.len() > group.settings.members_max {
            group.begin_rebalance(now);
        }
        let effects = take(&mut group.effects);
        (group, effects)
    }

    /// Returns whether a heartbeat is in order; then the member's session begins anew, and
    /// also if the refusal is `RebalanceInProgress`.
    ///
    /// # Errors
    /// As [`Standing::heartbeat`] says.
    pub fn heartbeat(
        &mut self,
        now: Moment,
        identity: &Identity,
        generation: i32,
    ) -> Result<(), Refusal> {
        let answer = self.standing(identity).heartbeat(generation);
        if matches!(answer, Ok(()) | Err(Refusal::RebalanceInProgress)) {
            self.heard_of(now, &identity.member);
        }
        answer
    }

    /// Returns whether `commit` may be stored; then the member's session begins anew.
    ///
    /// # Errors
    /// As [`Standing::commit`] says.
    pub fn commit(&mut self, now: Moment, commit: Commit<'_>) -> Result<(), Refusal> {
        self.standing(commit.identity).commit(commit)?;
        self.heard_of(now, &commit.identity.member);
        Ok(())
    }

    /// Makes the group dead: from now on every call is refused as `NotAvailable`.
    ///
    /// # Errors
    /// `NonEmptyGroup` if it has members, `GroupNotFound` if it is dead.
    pub fn delete(&mut self) -> Result<(), Refusal> {
        match self.state() {
            State::Dead => return Err(Refusal::GroupNotFound),
            State::Empty => {}
            _ => return Err(Refusal::NonEmptyGroup),
        }
        self.phase = Phase::Dead;
        self.roster = Roster::default();
        Ok(())
    }

    /// Returns when [`expire`](Group::expire) is due; `None` if nothing of the group ends by time.
    #[must_use]
    pub fn next_deadline(&self) -> Option<Moment> {
        let until = self.phase.until();
        until.into_iter().chain(self.roster.next_timer()).min()
    }

    /// Returns where the group is.
    #[must_use]
    pub fn state(&self) -> State {
        self.phase.state()
    }

    /// Returns the group's generation: 0 before the first one.
    #[must_use]
    pub fn generation(&self) -> i32 {
        self.generation
    }

    /// Returns what kind of group this is, as ListGroups shows it.
    #[must_use]
    pub fn protocol_type(&self) -> &Arc<str> {
        &self.protocol_type
    }

    /// Returns whether nothing would be lost if the group was forgotten, as far as the group
    /// knows: it is empty or dead, and no member id is given that could still be used.
    #[must_use]
    pub fn is_idle(&self) -> bool {
        matches!(self.state(), State::Empty | State::Dead) && self.roster.pending() == 0
    }

    /// Returns about how many bytes of memory the members cost, with metadata, assignments
    /// and member ids that are not used yet.
    #[must_use]
    pub fn bytes(&self) -> usize {
        self.roster.bytes() + self.phase.bytes()
    }

    /// Returns the group as DescribeGroups shows it.
    #[must_use]
    pub fn describe(&self) -> Description {
        let is_stable = self.state() == State::Stable;
        let protocol = self.protocol.as_ref().filter(|_| is_stable);
        let members = self.roster.iter();
        Description {
            state: self.state(),
            protocol_type: self.protocol_type.clone(),
            protocol: protocol.cloned().unwrap_or_else(|| Arc::from("")),
            members: members
                .map(|(id, member)| member.described(id, protocol.map(|name| &**name)))
                .collect(),
        }
    }

    /// Returns what a call with the names `identity` meets.
    pub(crate) fn standing(&self, identity: &Identity) -> Standing {
        Standing {
            state: self.state(),
            generation: self.generation,
            known: self.roster.identify(identity),
        }
    }

    /// The session of the member `id` begins now, whether or not a call of it is parked.
    pub(crate) fn start_session(&mut self, now: Moment, id: &MemberId) {
        if let Some(member) = self.roster.get(id) {
            let deadline = now.plus(member.session_timeout);
            self.roster.set_timer(id, Some(deadline));
        }
    }

    /// The member `id` has shown that it lives: its session begins now. While a call of it is
    /// parked, its session stands still, and this changes nothing.
    pub(crate) fn heard_of(&mut self, now: Moment, id: &MemberId) {
        let member = self.roster.get(id);
        if member.is_some_and(|one| !one.is_waiting() && one.syncing.is_none()) {
            self.start_session(now, id);
        }
    }

    /// Asks for the group to be stored, with the shares that `share` returns.
    pub(crate) fn store(&mut self, share: impl Fn(&MemberId, &Member) -> bytes::Bytes) -> StoreId {
        self.last_store = StoreId(self.last_store.0 + 1);
        let protocol = self.protocol.clone();
        let name = protocol.as_deref().unwrap_or_default();
        let members = self.roster.iter();
        let group = StoredGroup {
            generation: self.generation,
            protocol_type: self.protocol_type.clone(),
            leader: self.leader.clone(),
            members: members
                .map(|(id, member)| member.stored(id, name, share(id, member)))
                .collect(),
            protocol,
        };
        let id = self.last_store;
        self.effects.push(Effect::Store { id, group });
        id
    }
}
