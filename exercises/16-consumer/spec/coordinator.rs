//! A coordinator of one group, as slow and simple as can be. It knows no time: the world
//! says when a member is expired.

use std::collections::{BTreeMap, BTreeSet};

use super::part::{Event, Joined, Problem, Ticket};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum State {
    /// Waits until all members have joined.
    Preparing,
    /// Waits for the leader's SyncGroup.
    Completing,
    Stable,
}

#[derive(Debug, Clone)]
pub(super) struct Seat {
    pub(super) client: usize,
    join: Option<Ticket>,
    sync: Option<Ticket>,
    /// What the member said that it has, when it joined.
    claims: BTreeSet<u8>,
    pub(super) share: BTreeSet<u8>,
}

impl Seat {
    /// Whether this JoinGroup waits here.
    pub(super) fn is_joining(&self, call: Option<Ticket>) -> bool {
        self.join.is_some() && self.join == call
    }
}

/// What a client is told.
pub(super) type Answer = (usize, Event<u8>);

#[derive(Debug, Clone)]
pub(super) struct Coordinator {
    is_cooperative: bool,
    /// Whether a new member must join again with its id.
    id_first: bool,
    partitions: u8,
    pub(super) state: State,
    pub(super) generation: i32,
    pub(super) members: BTreeMap<String, Seat>,
    pending: BTreeSet<String>,
    ids: u32,
}

impl Coordinator {
    pub(super) fn new(is_cooperative: bool, id_first: bool, partitions: u8) -> Coordinator {
        Coordinator {
            is_cooperative,
            id_first,
            partitions,
            state: State::Stable,
            generation: 0,
            members: BTreeMap::new(),
            pending: BTreeSet::new(),
            ids: 0,
        }
    }

    pub(super) fn join(
        &mut self,
        client: usize,
        ticket: Ticket,
        id: &str,
        claims: BTreeSet<u8>,
    ) -> Vec<Answer> {
        let mut id = id.to_owned();
        if id.is_empty() {
            self.ids += 1;
            id = format!("m{}", self.ids);
            if self.id_first {
                self.pending.insert(id.clone());
                let problem = Problem::MemberIdRequired(id);
                return vec![(client, Event::Joined(ticket, Err(problem)))];
            }
        } else if !self.members.contains_key(&id) && !self.pending.remove(&id) {
            return vec![(client, Event::Joined(ticket, Err(Problem::UnknownMember)))];
        }
        let seat = self.members.entry(id).or_insert_with(|| Seat {
            client,
            join: None,
            sync: None,
            claims: BTreeSet::new(),
            share: BTreeSet::new(),
        });
        seat.join = Some(ticket);
        seat.claims = claims;
        self.rebalance()
    }

    pub(super) fn sync(
        &mut self,
        client: usize,
        ticket: Ticket,
        (id, generation): (&str, i32),
        is_leader: bool,
    ) -> Vec<Answer> {
        if let Some(problem) = self.problem(id, generation) {
            return vec![(client, Event::Synced(ticket, Err(problem)))];
        }
        if let Some(seat) = self.members.get_mut(id) {
            seat.sync = Some(ticket);
        }
        if self.state == State::Completing && is_leader {
            self.share();
            self.state = State::Stable;
        }
        let mut answers = Vec::new();
        if self.state == State::Stable {
            for seat in self.members.values_mut() {
                let share = seat.share.clone();
                answers.extend(seat.sync.take().map(|ticket| {
                    let answer = Event::Synced(ticket, Ok(share));
                    (seat.client, answer)
                }));
            }
        }
        answers
    }

    pub(super) fn heartbeat(
        &self,
        client: usize,
        ticket: Ticket,
        id: &str,
        generation: i32,
    ) -> Answer {
        let answer = self.problem(id, generation).map_or(Ok(()), Err);
        (client, Event::HeartbeatAnswered(ticket, answer))
    }

    /// Whether a commit would be taken: not between the joins and the leader's sync.
    pub(super) fn takes_commit(&self, id: &str, generation: i32) -> bool {
        let is_member = self.members.contains_key(id) && generation == self.generation;
        is_member && self.state != State::Completing
    }

    /// The member leaves, or is expired.
    pub(super) fn remove(&mut self, id: &str) -> Vec<Answer> {
        self.pending.remove(id);
        let Some(seat) = self.members.remove(id) else {
            return Vec::new();
        };
        let mut answers = Vec::new();
        if let Some(ticket) = seat.join {
            let answer = Event::Joined(ticket, Err(Problem::UnknownMember));
            answers.push((seat.client, answer));
        }
        if let Some(ticket) = seat.sync {
            let answer = Event::Synced(ticket, Err(Problem::UnknownMember));
            answers.push((seat.client, answer));
        }
        answers.extend(self.rebalance());
        answers
    }

    fn problem(&self, id: &str, generation: i32) -> Option<Problem> {
        if !self.members.contains_key(id) {
            Some(Problem::UnknownMember)
        } else if generation != self.generation {
            Some(Problem::IllegalGeneration)
        } else {
            (self.state == State::Preparing).then_some(Problem::RebalanceInProgress)
        }
    }

    /// Begins a rebalance, and ends its first half if all have joined.
    fn rebalance(&mut self) -> Vec<Answer> {
        self.state = State::Preparing;
        let mut answers = Vec::new();
        for seat in self.members.values_mut() {
            answers.extend(seat.sync.take().map(|ticket| {
                let answer = Event::Synced(ticket, Err(Problem::RebalanceInProgress));
                (seat.client, answer)
            }));
        }
        if self.members.values().all(|seat| seat.join.is_some()) {
            self.generation += 1;
            self.state = State::Completing;
            for (place, (id, seat)) in self.members.iter_mut().enumerate() {
                let joined = Joined {
                    member_id: id.clone(),
                    generation: self.generation,
                    is_leader: place == 0,
                };
                answers.extend(seat.join.take().map(|ticket| {
                    let answer = Event::Joined(ticket, Ok(joined));
                    (seat.client, answer)
                }));
            }
        }
        answers
    }

    /// Eager: all partitions go round with each generation. Cooperative: members keep what
    /// they claim, up to an even share, and nobody gets what another one claims.
    fn share(&mut self) {
        let count = self.members.len();
        let all: Vec<u8> = (0..self.partitions).collect();
        if !self.is_cooperative {
            let turn = usize::try_from(self.generation).unwrap_or(0);
            for (place, seat) in self.members.values_mut().enumerate() {
                let is_its = |p: &&u8| (usize::from(**p) + turn) % count == place;
                seat.share = all.iter().filter(is_its).copied().collect();
            }
            return;
        }
        let most = all.len().div_ceil(count);
        let mut claimed = BTreeSet::new();
        for seat in self.members.values_mut() {
            seat.share = seat.claims.iter().copied().take(most).collect();
            claimed.extend(seat.claims.iter().copied());
        }
        for partition in all.into_iter().filter(|p| !claimed.contains(p)) {
            let least = self
                .members
                .values_mut()
                .min_by_key(|seat| seat.share.len());
            if let Some(seat) = least {
                seat.share.insert(partition);
            }
        }
    }
}
