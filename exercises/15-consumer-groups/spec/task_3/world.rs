//! A group with its callers and its disk, and what must hold of them at any time.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use message_model::Moment;
use spec_harness::fail;

use super::part::{
    CallId, Client, Commit, Effect, Group, Identity, InstanceId, Join, MemberId, Protocol, Refusal,
    Settings, State, StoreId, StoredGroup, Sync,
};
use super::watch::{Asked, Watch};

/// How long a group that was empty waits for more members, in milliseconds.
pub(super) const DELAY: u64 = 3_000;
/// The session timeout of every member.
pub(super) const SESSION: u64 = 10_000;
/// The rebalance timeout of every member.
pub(super) const REBALANCE: u64 = 60_000;
/// How long a member may be parked in its first JoinGroup.
pub(super) const NEW_MEMBER: u64 = 300_000;

/// What is wrong, and in how many words.
pub(super) type Check = Result<(), String>;

/// A group, and all around it.
#[derive(Clone)]
pub(super) struct World {
    pub(super) group: Group,
    /// Milliseconds since the start.
    pub(super) now: u64,
    watch: Watch,
    /// The last calls of the group.
    asked: VecDeque<Asked>,
    calls: u64,
    /// The calls that have no answer yet, and the member that each is of.
    parked: BTreeMap<CallId, (MemberId, Kind)>,
    answers: BTreeMap<CallId, String>,
    /// What is being written, oldest first.
    stores: VecDeque<(StoreId, StoredGroup)>,
    /// What was written last.
    pub(super) disk: Option<StoredGroup>,
    /// When something was heard of each member, or said to it.
    heard: BTreeMap<MemberId, u64>,
    sessions: BTreeMap<MemberId, u64>,
    /// Whether what costs much is not checked.
    pub(super) quick: bool,
    generation: i32,
    leaders: BTreeMap<i32, String>,
    /// Whether a problem is kept, and does not end the case.
    pub(super) keeps_problem: bool,
    /// The first thing that was wrong.
    pub(super) problem: Option<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Join,
    Sync,
}

pub(super) fn settings() -> Settings {
    Settings {
        initial_rebalance_delay: Duration::from_millis(DELAY),
        session_timeout_min: Duration::from_secs(6),
        session_timeout_max: Duration::from_secs(1800),
        members_max: 100,
        bytes_max: 1 << 20,
        new_member_timeout: Duration::from_millis(NEW_MEMBER),
    }
}

/// The JoinGroup of a dynamic consumer without an id, which gets the id `name`.
pub(super) fn new(name: &str) -> Join {
    Join {
        identity: Identity::dynamic(MemberId::new("")),
        fresh_id: MemberId::new(name),
        id_first: false,
        client: Client {
            id: "program".into(),
            host: "/127.0.0.1".into(),
        },
        session_timeout: Duration::from_millis(SESSION),
        rebalance_timeout: Duration::from_millis(REBALANCE),
        protocol_type: "consumer".into(),
        protocols: protocols(&["range"]),
    }
}

/// The JoinGroup of a dynamic consumer that has the id `name`.
pub(super) fn again(name: &str) -> Join {
    Join {
        identity: Identity::dynamic(MemberId::new(name)),
        fresh_id: MemberId::new("not used"),
        ..new(name)
    }
}

/// The JoinGroup of a static consumer without an id, which gets the id `name`.
pub(super) fn fixed(instance: &str, name: &str) -> Join {
    Join {
        identity: Identity {
            member: MemberId::new(""),
            instance: Some(InstanceId::new(instance)),
        },
        ..new(name)
    }
}

/// `join` by a consumer that knows the protocols `names`.
pub(super) fn knowing(join: Join, names: &[&str]) -> Join {
    Join {
        protocols: protocols(names),
        ..join
    }
}

/// `join` with other metadata.
pub(super) fn changed(mut join: Join) -> Join {
    for protocol in &mut join.protocols {
        protocol.metadata = Bytes::from_static(b"other topics");
    }
    join
}

fn protocols(names: &[&str]) -> Vec<Protocol> {
    let known = names.iter().map(|name| Protocol {
        name: (*name).into(),
        metadata: Bytes::from_static(b"topics"),
    });
    known.collect()
}

/// The names of a dynamic member.
pub(super) fn dynamic(name: &str) -> Identity {
    Identity::dynamic(MemberId::new(name))
}

/// The names of a static member.
pub(super) fn named(instance: &str, name: &str) -> Identity {
    Identity {
        member: MemberId::new(name),
        instance: Some(InstanceId::new(instance)),
    }
}

impl World {
    pub(super) fn new() -> World {
        World::with(settings())
    }

    pub(super) fn with(settings: Settings) -> World {
        World::of(Group::new(Arc::new(settings)))
    }

    /// A group that comes back from the disk.
    pub(super) fn restored(stored: StoredGroup) -> World {
        World::restored_with(settings(), stored)
    }

    pub(super) fn restored_with(settings: Settings, stored: StoredGroup) -> World {
        let (group, effects) = Group::restore(at(0), Arc::new(settings), stored.clone());
        let mut world = World::of(group);
        world.disk = Some(stored);
        world.generation = world.group.generation();
        world.after(effects);
        world
    }

    fn of(group: Group) -> World {
        World {
            group,
            now: 0,
            watch: Watch::new(),
            asked: VecDeque::new(),
            calls: 0,
            parked: BTreeMap::new(),
            answers: BTreeMap::new(),
            stores: VecDeque::new(),
            disk: None,
            heard: BTreeMap::new(),
            sessions: BTreeMap::new(),
            quick: false,
            generation: 0,
            leaders: BTreeMap::new(),
            keeps_problem: false,
            problem: None,
        }
    }

    /// A stable group of dynamic members. The first one leads; each one's share is its name.
    pub(super) fn stable(names: &[&str]) -> World {
        World::joined_as(names.iter().map(|name| new(name)).collect())
    }

    /// A stable group of the members that `joins` makes. The first one leads.
    pub(super) fn joined_as(joins: Vec<Join>) -> World {
        let names: Vec<String> = joins.iter().map(|one| one.fresh_id.to_string()).collect();
        let instances: Vec<_> = joins
            .iter()
            .map(|one| one.identity.instance.clone())
            .collect();
        let mut world = World::new();
        for join in joins {
            world.join(join);
        }
        world.wait(2 * DELAY);
        let shares: Vec<(&str, &str)> = names.iter().map(|name| (&**name, &**name)).collect();
        for (name, instance) in names.iter().zip(instances) {
            let shares = if *name == names[0] { &shares[..] } else { &[] };
            let mut sync = sync(name, 1, shares);
            sync.identity.instance = instance;
            world.sync(sync);
        }
        world.stored(true);
        world
    }

    pub(super) fn join(&mut self, join: Join) -> CallId {
        let asked_as = &join.identity.member;
        let name = match asked_as.is_empty() {
            true => join.fresh_id.clone(),
            false => asked_as.clone(),
        };
        let session = u64::try_from(join.session_timeout.as_millis()).unwrap_or(u64::MAX);
        self.sessions.insert(name.clone(), session);
        let call = self.call(name.clone(), Kind::Join);
        let effects = self.ask("join", Some(name), |group, now| group.join(now, call, join));
        self.after(effects);
        call
    }

    pub(super) fn sync(&mut self, sync: Sync) -> CallId {
        let name = sync.identity.member.clone();
        let call = self.call(name.clone(), Kind::Sync);
        let effects = self.ask("sync", Some(name), |group, now| group.sync(now, call, sync));
        self.after(effects);
        call
    }

    pub(super) fn heartbeat(&mut self, name: &str, generation: i32) -> Result<(), Refusal> {
        self.heartbeat_of(&dynamic(name), generation)
    }

    pub(super) fn heartbeat_of(
        &mut self,
        identity: &Identity,
        generation: i32,
    ) -> Result<(), Refusal> {
        let answer = self.ask("heartbeat", Some(identity.member.clone()), |group, now| {
            group.heartbeat(now, identity, generation)
        });
        if matches!(answer, Ok(()) | Err(Refusal::RebalanceInProgress)) {
            self.heard.insert(identity.member.clone(), self.now);
        }
        answer
    }

    pub(super) fn commit(&mut self, name: &str, generation: i32) -> Result<(), Refusal> {
        let commit = Commit {
            identity: &dynamic(name),
            generation,
            transactional: false,
        };
        let answer = self.group.commit(at(self.now), commit);
        if answer.is_ok() {
            self.heard.insert(MemberId::new(name), self.now);
        }
        answer
    }

    pub(super) fn leave(&mut self, leavers: &[Identity]) -> Vec<Result<(), Refusal>> {
        let name = leavers.first().map(|one| one.member.clone());
        let (answers, effects) = self.ask("leave", name, |group, now| group.leave(now, leavers));
        self.after(effects);
        answers
    }

    /// The connection of `call` is gone.
    pub(super) fn gone(&mut self, call: CallId) {
        let parked = self.parked.remove(&call);
        let name = parked.map(|(member, _)| member);
        if let Some(member) = &name {
            self.heard.insert(member.clone(), self.now);
            self.answers.insert(call, "gone".to_owned());
        }
        let effects = self.ask("gone", name, |group, now| group.gone(now, call));
        self.after(effects);
    }

    /// The disk has written everything, or has failed to.
    pub(super) fn stored(&mut self, is_stored: bool) {
        while self.store_one(is_stored) {}
    }

    /// The disk has written the oldest store, or has failed to. False if there was none.
    pub(super) fn store_one(&mut self, is_stored: bool) -> bool {
        let Some((id, stored)) = self.stores.pop_front() else {
            return false;
        };
        if is_stored {
            self.disk = Some(stored);
        }
        let what = if is_stored {
            "stored"
        } else {
            "stored (failed)"
        };
        let effects = self.ask(what, None, |group, now| group.stored(now, id, is_stored));
        self.after(effects);
        true
    }

    /// `wait` milliseconds pass; what is due on the way is done at its deadline.
    pub(super) fn wait(&mut self, wait: u64) {
        let end = self.now + wait;
        for _ in 0..1_000 {
            let due = self.deadline().filter(|due| *due <= end);
            self.now = due.unwrap_or(end).max(self.now);
            self.stall(0);
            self.no_member_is_silent();
            if due.is_none() {
                return;
            }
        }
        self.wrong("expire(now) is due again and again".to_owned());
    }

    /// `wait` milliseconds pass, and only then is done what is due.
    pub(super) fn stall(&mut self, wait: u64) {
        self.now += wait;
        let effects = self.ask("expire", None, |group, now| group.expire(now));
        self.after(effects);
        if let Some(due) = self.deadline().filter(|due| *due <= self.now) {
            self.wrong(format!(
                "after expire(now) the deadline {due} ms is not later"
            ));
        }
    }

    /// The next deadline, in milliseconds since the start.
    pub(super) fn deadline(&self) -> Option<u64> {
        let deadline = self.group.next_deadline()?;
        let since = deadline.since(Moment::START).as_millis();
        Some(u64::try_from(since).unwrap_or(u64::MAX))
    }

    /// What `call` was answered, in words.
    pub(super) fn answer(&self, call: CallId) -> &str {
        self.answers.get(&call).map_or("parked", |answer| answer)
    }

    /// The oldest parked call of the member `name`.
    pub(super) fn parked(&self, name: &str) -> Option<CallId> {
        let mut parked = self.parked.iter();
        let found = parked.find(|(_, (member, _))| &*member.0 == name);
        found.map(|(call, _)| *call)
    }

    pub(super) fn is_storing(&self) -> bool {
        !self.stores.is_empty()
    }

    /// The ids of the members, in order.
    pub(super) fn members(&self) -> Vec<String> {
        let members = self.group.describe().members;
        members.iter().map(|one| one.member.to_string()).collect()
    }

    /// Nobody calls any more, and the disk writes on: everything must end by itself.
    pub(super) fn ends_by_itself(&mut self) -> Check {
        for _ in 0..50 {
            self.stored(true);
            match self.deadline() {
                Some(due) => self.wait(due.saturating_sub(self.now)),
                None => break,
            }
        }
        if let Some(problem) = &self.problem {
            return Err(problem.clone());
        }
        let left: Vec<_> = self.parked.iter().collect();
        if !left.is_empty() {
            return Err(format!("these calls are never answered: {left:?}"));
        }
        let state = self.group.state();
        if state != State::Empty || self.deadline().is_some() {
            let members = self.members();
            return Err(format!(
                "all are silent, and yet it is {state:?} with {members:?}"
            ));
        }
        match self.group.bytes() {
            0 => Ok(()),
            bytes => Err(format!("an empty group costs {bytes} bytes")),
        }
    }

    /// Calls the group now.
    fn ask<T>(
        &mut self,
        what: &'static str,
        of: Option<MemberId>,
        call: impl FnOnce(&mut Group, Moment) -> T,
    ) -> T {
        let asked = Asked {
            what,
            of,
            at: self.now,
        };
        self.watch.begins(&mut self.asked, asked);
        let answer = call(&mut self.group, at(self.now));
        self.watch.returned();
        answer
    }

    fn call(&mut self, member: MemberId, kind: Kind) -> CallId {
        self.calls += 1;
        let call = CallId(self.calls);
        self.heard.insert(member.clone(), self.now);
        self.parked.insert(call, (member, kind));
        call
    }

    /// Takes `effects`, and checks what must hold.
    fn after(&mut self, effects: Vec<Effect>) {
        for effect in effects {
            match effect {
                Effect::Store { id, group } => self.stores.push_back((id, group)),
                Effect::Joined {
                    call,
                    member,
                    answer,
                } => {
                    let words = match &answer {
                        Ok(joined) => joined_words(&member, joined),
                        Err(refusal) => format!("{refusal:?} as {member:?}"),
                    };
                    self.answered(call, Kind::Join, words);
                    self.heard.insert(member.clone(), self.now);
                    if let Ok(joined) = answer {
                        self.check_joined(&member, &joined);
                    }
                }
                Effect::Synced { call, answer } => {
                    let member = self.parked.get(&call).map(|(member, _)| member.clone());
                    let words = match &answer {
                        Ok(synced) => format!("gets {:?}", synced.assignment),
                        Err(refusal) => format!("{refusal:?}"),
                    };
                    self.answered(call, Kind::Sync, words);
                    if let Some(member) = member {
                        self.heard.insert(member.clone(), self.now);
                        if let Ok(synced) = answer {
                            self.check_synced(&member, &synced.assignment);
                        }
                    }
                }
            }
        }
        self.check();
    }

    fn answered(&mut self, call: CallId, kind: Kind, words: String) {
        match self.parked.remove(&call) {
            Some((_, asked)) if asked == kind => {}
            Some((member, asked)) => {
                let problem = format!("the {asked:?} of {member} is answered as a {kind:?}");
                self.wrong(problem);
            }
            None => {
                let first = self.answer(call).to_owned();
                self.wrong(format!(
                    "a call is answered twice: first {first:?}, then {words:?}"
                ));
            }
        }
        self.answers.insert(call, words);
    }

    fn check_joined(&mut self, member: &MemberId, joined: &super::part::Joined) {
        let generation = joined.generation;
        if generation != self.group.generation() {
            self.wrong(format!(
                "{member} joins generation {generation}, which is over"
            ));
        }
        let is_leader = joined.leader == *member;
        if is_leader == joined.members.is_empty() {
            self.wrong(format!("only the leader gets the members: {joined:?}"));
        }
        let leader = in_front(&joined.leader);
        let before = self.leaders.entry(generation).or_insert(leader.to_owned());
        if before != leader {
            let problem = format!("generation {generation} has two leaders: {before}, {leader}");
            self.wrong(problem);
        }
    }

    fn check_synced(&mut self, member: &MemberId, share: &Bytes) {
        let generation = self.group.generation();
        let stored = self
            .disk
            .as_ref()
            .filter(|one| one.generation == generation);
        let stored = stored.and_then(|group| {
            let mut members = group.members.iter();
            members.find(|one| in_front(&one.member) == in_front(member))
        });
        if self.group.state() != State::Stable {
            self.wrong(format!(
                "{member} gets a share, but the group is not stable"
            ));
        } else if stored.is_none_or(|one| one.assignment != *share) {
            self.wrong(format!(
                "{member} gets a share that is not on the disk: {share:?}"
            ));
        }
    }

    fn check(&mut self) {
        let generation = self.group.generation();
        if generation < self.generation {
            self.wrong(format!("generation {generation} after {}", self.generation));
        }
        if generation > self.generation && !self.quick {
            for member in self.group.describe().members {
                self.heard.insert(member.member, self.now);
            }
        }
        self.generation = generation;
        let waits = !self.parked.is_empty() && self.stores.is_empty();
        if waits && self.deadline().is_none() {
            let parked = &self.parked;
            self.wrong(format!("nothing ends the wait of {parked:?}: no deadline"));
        }
        if self.group.state() == State::Stable && !self.quick {
            let described = self.group.describe();
            let ids: BTreeSet<_> = described.members.iter().map(|one| &one.member).collect();
            if ids.is_empty() || described.protocol.is_empty() {
                self.wrong("a stable group has members and a protocol".to_owned());
            }
        }
    }

    fn no_member_is_silent(&mut self) {
        if self.quick {
            return;
        }
        let due = self.deadline().is_some_and(|due| due <= self.now);
        for member in self.group.describe().members {
            let id = &member.member;
            let is_parked = self.parked.values().any(|(of, _)| of == id);
            let heard = self.heard.get(id).copied().unwrap_or_default();
            let session = self.sessions.get(id).copied().unwrap_or(SESSION);
            if !due && !is_parked && self.now >= heard + session {
                let problem = format!("{id} is silent since {heard} ms, and is still a member");
                self.wrong(problem);
            }
        }
    }

    fn wrong(&mut self, problem: String) {
        let problem = format!("at {} ms: {problem}", self.now);
        if !self.keeps_problem {
            fail("what must hold at any time", "it holds", &problem);
        }
        self.problem.get_or_insert(problem);
    }
}

/// The SyncGroup of a dynamic member, with the shares of members.
pub(super) fn sync(name: &str, generation: i32, shares: &[(&str, &str)]) -> Sync {
    let shares = shares.iter();
    Sync {
        identity: dynamic(name),
        generation,
        protocol_type: None,
        protocol: None,
        assignments: shares
            .map(|(id, share)| (MemberId::new(id), Bytes::from((*share).to_owned())))
            .collect(),
    }
}

/// What is in front of the dash: a static member keeps it when it gets another id.
fn in_front(id: &MemberId) -> &str {
    id.0.split('-').next().unwrap_or_default()
}

pub(super) fn at(millis: u64) -> Moment {
    Moment::after_start(Duration::from_millis(millis))
}

fn joined_words(member: &MemberId, joined: &super::part::Joined) -> String {
    let members: Vec<&str> = joined.members.iter().map(|one| &*one.member.0).collect();
    let all = match members.is_empty() {
        true => String::new(),
        false => format!(": {}", members.join(" ")),
    };
    let (generation, protocol, leader) = (joined.generation, &joined.protocol, &joined.leader);
    format!("{member} in generation {generation} by {protocol}, {leader} leads{all}")
}
