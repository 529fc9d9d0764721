//! Who reads the partitions of a consumer that is gone?
//!
//! Three consumers share six partitions, each of which gets ten records a second. A consumer
//! commits every five seconds and sends a heartbeat every three. After 55 seconds consumer C
//! is killed, closed, or stalls for half a minute. The group is the real [`Group`]; consumers and
//! time are simulated, so an experiment of two minutes takes no time.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use consumer_groups::{
    CallId, Client, Commit, Effect, Group, Identity, Join, MemberId, Protocol, Refusal, Settings,
    Sync,
};
use message_model::Moment;

const PARTITIONS: usize = 6;
/// Time goes in steps: in each one, every partition gets one record.
const STEP: u64 = 100;
const HEARTBEAT: u64 = 3_000;
const COMMIT: u64 = 5_000;
const STARTED: u64 = 20_000;
const HAPPENS: u64 = 55_000;
const STALL: u64 = 30_000;
const END: u64 = 140_000;
/// Records of each partition that C has fetched when it stalls.
const IN_HAND: usize = 20;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum What {
    Killed,
    Closed,
    Stalls,
}

#[derive(Debug, Clone, Copy)]
struct Plan {
    what: What,
    /// `None` if a file says who reads what.
    session: Option<u64>,
    /// Whether a commit is checked against the generation.
    is_fenced: bool,
}

#[derive(Debug, Default)]
struct Consumer {
    member: String,
    generation: i32,
    leads: bool,
    /// Where it reads next, for each partition that it has.
    reads: BTreeMap<usize, usize>,
    heartbeat: u64,
    commit: u64,
    is_up: bool,
}

struct World {
    plan: Plan,
    now: u64,
    group: Group,
    consumers: BTreeMap<&'static str, Consumer>,
    calls: BTreeMap<CallId, &'static str>,
    committed: [usize; PARTITIONS],
    /// How often each record was read.
    read: [Vec<u8>; PARTITIONS],
    unread_since: [u64; PARTITIONS],
    unread: u64,
    back: usize,
}

impl World {
    fn new(plan: Plan) -> World {
        let settings = Settings {
            initial_rebalance_delay: Duration::from_secs(3),
            session_timeout_min: Duration::from_secs(6),
            session_timeout_max: Duration::from_mins(30),
            members_max: 100,
            bytes_max: 1 << 20,
            new_member_timeout: Duration::from_mins(5),
        };
        let mut world = World {
            plan,
            now: 0,
            group: Group::new(Arc::new(settings)),
            consumers: BTreeMap::new(),
            calls: BTreeMap::new(),
            committed: [0; PARTITIONS],
            read: Default::default(),
            unread_since: [0; PARTITIONS],
            unread: 0,
            back: 0,
        };
        for (at, name) in ["A", "B", "C"].into_iter().enumerate() {
            let consumer = Consumer {
                is_up: true,
                ..Consumer::default()
            };
            world.consumers.insert(name, consumer);
            match plan.session {
                Some(_) => world.join(name),
                None => world.has(name, &[2 * at, 2 * at + 1]),
            }
        }
        world
    }

    fn run(mut self) -> World {
        while self.now < END {
            self.now += STEP;
            self.time_goes_on();
            for name in ["A", "B", "C"] {
                self.lives(name);
            }
            for partition in 0..PARTITIONS {
                let is_read = |one: &Consumer| one.is_up && one.reads.contains_key(&partition);
                if self.now < STARTED || self.consumers.values().any(is_read) {
                    self.unread_since[partition] = self.now;
                }
                self.unread = self.unread.max(self.now - self.unread_since[partition]);
            }
        }
        self
    }

    fn time_goes_on(&mut self) {
        for records in &mut self.read {
            records.push(0);
        }
        if self
            .group
            .next_deadline()
            .is_some_and(|due| due <= self.moment())
        {
            let effects = self.group.expire(self.moment());
            self.after(effects);
        }
        if self.now == HAPPENS {
            if self.plan.what == What::Closed {
                self.commits("C");
                let identity = self.identity("C");
                let (_, effects) = self.group.leave(self.moment(), &[identity]);
                self.after(effects);
            }
            self.consumers.entry("C").and_modify(|c| c.is_up = false);
        }
        if self.now == HAPPENS + STALL && self.plan.what == What::Stalls {
            self.wakes_up();
        }
    }

    /// C goes on as if nothing had happened: it does what it has in hand, and commits.
    fn wakes_up(&mut self) {
        self.consumers.entry("C").and_modify(|c| c.is_up = true);
        let reads = self.consumers["C"].reads.clone();
        for (partition, from) in reads {
            self.reads("C", partition, from, from + IN_HAND);
        }
        self.commits("C");
        self.beats("C");
    }

    fn lives(&mut self, name: &'static str) {
        let consumer = &self.consumers[name];
        if !consumer.is_up {
            return;
        }
        for (partition, from) in consumer.reads.clone() {
            let end = self.read[partition].len();
            self.reads(name, partition, from, end);
        }
        let consumer = &self.consumers[name];
        let (is_heartbeat, is_commit) =
            (self.now >= consumer.heartbeat, self.now >= consumer.commit);
        if is_commit && !consumer.reads.is_empty() {
            self.commits(name);
        }
        if is_heartbeat && self.plan.session.is_some() && !self.consumers[name].member.is_empty() {
            self.beats(name);
        }
    }

    fn reads(&mut self, name: &'static str, partition: usize, from: usize, end: usize) {
        for times in &mut self.read[partition][from..end] {
            *times += 1;
        }
        self.consumers.entry(name).and_modify(|one| {
            one.reads.insert(partition, end);
        });
    }

    fn beats(&mut self, name: &'static str) {
        let (now, identity) = (self.moment(), self.identity(name));
        self.consumers
            .entry(name)
            .and_modify(|one| one.heartbeat = self.now + HEARTBEAT);
        let generation = self.consumers[name].generation;
        match self.group.heartbeat(now, &identity, generation) {
            Ok(()) => {}
            Err(Refusal::RebalanceInProgress) => {
                self.commits(name);
                self.consumers
                    .entry(name)
                    .and_modify(|one| one.reads.clear());
                self.join(name);
            }
            // It is no member any more, and begins anew.
            Err(_) => {
                self.consumers.entry(name).and_modify(|one| {
                    one.reads.clear();
                    one.member.clear();
                });
                self.join(name);
            }
        }
    }

    fn commits(&mut self, name: &'static str) {
        let (now, identity) = (self.moment(), self.identity(name));
        self.consumers
            .entry(name)
            .and_modify(|one| one.commit = self.now + COMMIT);
        let commit = Commit {
            identity: &identity,
            generation: self.consumers[name].generation,
            transactional: false,
        };
        if self.plan.session.is_some()
            && self.group.commit(now, commit).is_err()
            && self.plan.is_fenced
        {
            return;
        }
        for (partition, next) in &self.consumers[name].reads {
            let before = std::mem::replace(&mut self.committed[*partition], *next);
            self.back = self.back.max(before.saturating_sub(*next));
        }
    }

    fn join(&mut self, name: &'static str) {
        let call = self.call(name);
        let join = Join {
            identity: self.identity(name),
            fresh_id: MemberId::new(&format!("{name}-{}", call.0)),
            id_first: false,
            client: Client {
                id: name.into(),
                host: "/127.0.0.1".into(),
            },
            session_timeout: Duration::from_millis(self.plan.session.unwrap_or_default()),
            rebalance_timeout: Duration::from_mins(5),
            protocol_type: "consumer".into(),
            protocols: vec![Protocol {
                name: "range".into(),
                metadata: Bytes::new(),
            }],
        };
        let effects = self.group.join(self.moment(), call, join);
        self.after(effects);
    }

    fn sync(&mut self, name: &'static str) {
        let consumer = &self.consumers[name];
        let members = self
            .consumers
            .values()
            .filter(|one| one.generation == consumer.generation);
        let members: Vec<_> = members.map(|one| MemberId::new(&one.member)).collect();
        let share = PARTITIONS / members.len().max(1);
        let shares = members.into_iter().enumerate();
        let shares = shares.map(|(at, member)| {
            (
                member,
                (share * at..share * (at + 1))
                    .map(|one| u8::try_from(one).unwrap_or(0))
                    .collect(),
            )
        });
        let assignments = if consumer.leads {
            shares.collect()
        } else {
            Vec::new()
        };
        let sync = Sync {
            identity: self.identity(name),
            generation: consumer.generation,
            protocol_type: None,
            protocol: None,
            assignments,
        };
        let call = self.call(name);
        let effects = self.group.sync(self.moment(), call, sync);
        self.after(effects);
    }

    fn after(&mut self, effects: Vec<Effect>) {
        let mut joined = Vec::new();
        for effect in effects {
            match effect {
                Effect::Store { id, .. } => {
                    let effects = self.group.stored(self.moment(), id, true);
                    self.after(effects);
                }
                Effect::Joined {
                    call,
                    member,
                    answer: Ok(answer),
                } => {
                    let name = self.calls[&call];
                    self.consumers.entry(name).and_modify(|one| {
                        one.leads = answer.leader == member;
                        one.member = member.to_string();
                        one.generation = answer.generation;
                    });
                    joined.push(name);
                }
                Effect::Synced {
                    call,
                    answer: Ok(answer),
                } => {
                    let share: Vec<usize> =
                        answer.assignment.iter().copied().map(usize::from).collect();
                    self.has(self.calls[&call], &share);
                }
                Effect::Joined { .. } | Effect::Synced { .. } => {}
            }
        }
        for name in joined {
            self.sync(name);
        }
    }

    /// From now on the consumer reads these partitions, from where was committed.
    fn has(&mut self, name: &'static str, share: &[usize]) {
        let reads = share
            .iter()
            .map(|one| (*one, self.committed[*one]))
            .collect();
        self.consumers.entry(name).and_modify(|one| {
            one.reads = reads;
            one.heartbeat = self.now + HEARTBEAT;
            one.commit = self.now + COMMIT;
        });
    }

    fn call(&mut self, name: &'static str) -> CallId {
        let call = CallId(u64::try_from(self.calls.len()).unwrap_or(0));
        self.calls.insert(call, name);
        call
    }

    fn identity(&self, name: &str) -> Identity {
        Identity::dynamic(MemberId::new(&self.consumers[name].member))
    }

    fn moment(&self) -> Moment {
        Moment::after_start(Duration::from_millis(self.now))
    }
}

#[expect(
    clippy::print_stdout,
    reason = "an experiment prints what it has found"
)]
fn main() {
    println!(
        "6 partitions, 10 records a second each; 3 consumers, and after 55 s\nsomething happens to one of them\n"
    );
    println!(
        "{:<38}{:>10}{:>12}{:>10}",
        "", "no reader", "read twice", "back by"
    );
    let plan = |what, session, is_fenced| Plan {
        what,
        session,
        is_fenced,
    };
    for (name, plan) in [
        (
            "killed; a file says who reads what",
            plan(What::Killed, None, true),
        ),
        (
            "killed; session of 45 s",
            plan(What::Killed, Some(45_000), true),
        ),
        (
            "killed; session of 10 s",
            plan(What::Killed, Some(10_000), true),
        ),
        ("closed", plan(What::Closed, Some(45_000), true)),
        (
            "stalls for 30 s; session of 10 s",
            plan(What::Stalls, Some(10_000), true),
        ),
        (
            "the same, and every commit is taken",
            plan(What::Stalls, Some(10_000), false),
        ),
    ] {
        let world = World::new(plan).run();
        let twice: usize = world
            .read
            .iter()
            .flatten()
            .filter(|times| **times > 1)
            .count();
        let seconds = Duration::from_millis(world.unread).as_secs_f64();
        println!("{name:<38}{seconds:>8.1} s{twice:>12}{:>10}", world.back);
    }
}
