//! A rebalance step by step, as the trace of a figure: `book/src/traces/15-rebalance.json`.
//!
//! Two members share a topic of six partitions. In the first two runs a third one comes:
//! to eager members, to cooperative ones. In the last two one is started anew: as a dynamic
//! member, as a static one. Every answer is the real [`Group`]'s; the assignors and the
//! clients are played here. B is slow: it hears of a rebalance at once, and ends the work that
//! it has in hand before it joins again.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use consumer_groups::{
    CallId, Client, Effect, Group, Identity, InstanceId, Join, MemberId, Protocol, Refusal,
    Settings, Sync,
};
use message_model::Moment;
use serde_json::{Map, Value, json};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Way {
    Eager,
    Cooperative,
    /// A restart of a member without an instance id. The members are eager.
    Dynamic,
    /// A restart of a member with one.
    Static,
}

/// A consumer, as far as the figure shows it.
#[derive(Debug, Clone, Default)]
struct Consumer {
    id: String,
    instance: Option<&'static str>,
    /// The partitions that it consumes now.
    owns: BTreeSet<u32>,
    generation: i32,
    /// What it does: "consumes", "joining", "joined", "syncing", "down", "away".
    does: &'static str,
    leads: bool,
}

struct Run {
    way: Way,
    group: Group,
    now: u64,
    /// When the two share the partitions, and the figure begins.
    began: u64,
    /// How long partitions stood still, each for itself, in milliseconds.
    still: u64,
    calls: BTreeMap<CallId, &'static str>,
    next_call: u64,
    consumers: BTreeMap<&'static str, Consumer>,
    /// The states after each step, and the step before it.
    seen: Vec<(&'static str, Value)>,
}

/// Returns the trace: one start for each way, one state for each step.
pub(crate) fn trace() -> Value {
    let mut states = Map::new();
    let mut starts = Map::new();
    for way in [Way::Eager, Way::Cooperative, Way::Dynamic, Way::Static] {
        let name = way.name();
        let seen = run(way);
        starts.insert(name.to_owned(), json!(format!("{name}.0")));
        for (step, (_, is)) in seen.iter().enumerate() {
            let next = seen.get(step + 1);
            let moves = next.map_or(
                json!({}),
                |_| json!({"next": format!("{name}.{}", step + 1)}),
            );
            states.insert(format!("{name}.{step}"), json!({"is": is, "moves": moves}));
        }
    }
    json!({"starts": starts, "states": states})
}

fn run(way: Way) -> Vec<(&'static str, Value)> {
    let mut run = Run::stable(way);
    if matches!(way, Way::Eager | Way::Cooperative) {
        let does = "away";
        let c = Consumer {
            does,
            ..Consumer::default()
        };
        run.consumers.insert("C", c);
    }
    run.note("stable");
    match way {
        Way::Static => run.static_restart(),
        Way::Dynamic => run.dynamic_restart(),
        Way::Eager | Way::Cooperative => run.c_comes(),
    }
    run.seen
}

impl Run {
    /// A and B share partitions 0 to 5 in generation 1.
    fn stable(way: Way) -> Run {
        let settings = Settings {
            initial_rebalance_delay: Duration::from_secs(3),
            session_timeout_min: Duration::from_secs(6),
            session_timeout_max: Duration::from_secs(1800),
            members_max: 100,
            bytes_max: 1 << 20,
            new_member_timeout: Duration::from_secs(300),
        };
        let mut run = Run {
            way,
            group: Group::new(Arc::new(settings)),
            now: 0,
            began: 0,
            still: 0,
            calls: BTreeMap::new(),
            next_call: 0,
            consumers: BTreeMap::new(),
            seen: Vec::new(),
        };
        for name in ["A", "B"] {
            let instance = (way == Way::Static).then_some(name);
            let consumer = Consumer {
                instance,
                ..Consumer::default()
            };
            run.consumers.insert(name, consumer);
            run.join(name);
        }
        run.wait(6_000);
        run.sync("B");
        run.sync("A");
        (run.began, run.still) = (run.now, 0);
        run
    }

    /// C comes: the group shares six partitions between three.
    fn c_comes(&mut self) {
        self.join("C");
        self.note("C joins");
        self.wait(1_000);
        self.heartbeat("A");
        self.heartbeat("B");
        self.join_again("A");
        self.wait(4_000);
        self.join_again("B");
        self.share_out();
        if self.way == Way::Cooperative {
            // B and A have given up what C is to get, and say so by joining once more.
            self.join_again("A");
            self.join_again("B");
            self.wait(3_000);
            self.heartbeat("C");
            self.join_again("C");
            self.share_out();
        }
    }

    /// The member has heard of the rebalance. An eager one gives up all that it has first.
    fn join_again(&mut self, name: &'static str) {
        if self.way != Way::Cooperative {
            self.change(name, |consumer| consumer.owns.clear());
        }
        self.join(name);
        self.note(match name {
            "A" => "A joins again",
            "B" => "B joins again",
            _ => "C joins again",
        });
    }

    fn share_out(&mut self) {
        let names: Vec<_> = self.consumers.keys().copied().collect();
        for name in names.into_iter().rev() {
            self.sync(name);
        }
        self.note("shares");
    }

    /// B's process is started anew, within its session timeout.
    fn static_restart(&mut self) {
        self.goes_down("B");
        self.join("B");
        self.note("B is back");
        self.sync("B");
        self.note("B syncs");
    }

    /// The same, but the group cannot know that B is B: it waits for the old member id.
    fn dynamic_restart(&mut self) {
        self.goes_down("B");
        self.join("B");
        self.note("B is back");
        self.wait(1_000);
        self.heartbeat("A");
        self.join_again("A");
        self.wait(5_000);
        self.note("B expires");
        self.share_out();
    }

    /// The process of `name` ends without a word, and its successor begins 4 s later.
    fn goes_down(&mut self, name: &'static str) {
        self.change(name, |consumer| {
            consumer.does = "down";
            consumer.id = String::new();
            consumer.generation = 0;
            consumer.owns.clear();
        });
        self.note("B is down");
        self.wait(4_000);
        self.heartbeat("A");
    }

    fn join(&mut self, name: &'static str) {
        let consumer = self.consumers[name].clone();
        let owned: Vec<String> = consumer.owns.iter().map(u32::to_string).collect();
        self.change(name, |consumer| consumer.does = "joining");
        let call = self.call(name);
        let effects = self.group.join(
            at(self.now),
            call,
            Join {
                identity: consumer.identity(),
                fresh_id: MemberId::new(&format!("{name}-{}", self.next_call)),
                id_first: false,
                client: Client {
                    id: name.into(),
                    host: "/127.0.0.1".into(),
                },
                session_timeout: Duration::from_secs(10),
                rebalance_timeout: Duration::from_secs(60),
                protocol_type: "consumer".into(),
                protocols: vec![Protocol {
                    name: "range".into(),
                    metadata: Bytes::from(owned.join(" ")),
                }],
            },
        );
        self.after(effects);
    }

    /// The member syncs. The leader shares out: to each as many, who has one keeps it.
    fn sync(&mut self, name: &'static str) {
        let consumer = self.consumers[name].clone();
        let assignments = if consumer.leads {
            self.shares()
        } else {
            Vec::new()
        };
        self.change(name, |consumer| consumer.does = "syncing");
        let call = self.call(name);
        let effects = self.group.sync(
            at(self.now),
            call,
            Sync {
                identity: consumer.identity(),
                generation: consumer.generation,
                protocol_type: None,
                protocol: None,
                assignments,
            },
        );
        self.after(effects);
    }

    fn heartbeat(&mut self, name: &'static str) {
        let consumer = &self.consumers[name];
        let (identity, generation) = (consumer.identity(), consumer.generation);
        let answer = self.group.heartbeat(at(self.now), &identity, generation);
        assert!(matches!(answer, Ok(()) | Err(Refusal::RebalanceInProgress)));
    }

    /// What the leader shares out. A cooperative leader gives nobody what another still has.
    fn shares(&self) -> Vec<(MemberId, Bytes)> {
        let members: Vec<_> = self
            .consumers
            .iter()
            .filter(|(_, one)| !one.id.is_empty())
            .collect();
        let most = 6_usize.div_ceil(members.len());
        let mut free: BTreeSet<u32> = (0..6).collect();
        let mut shares: BTreeMap<&str, BTreeSet<u32>> = BTreeMap::new();
        for (name, member) in &members {
            let keeps: BTreeSet<u32> = member.owns.iter().copied().take(most).collect();
            free.retain(|partition| !keeps.contains(partition));
            shares.insert(name, keeps);
        }
        for (name, _) in &members {
            let share = shares.entry(name).or_default();
            while share.len() < most
                && let Some(partition) = free.pop_first()
            {
                share.insert(partition);
            }
        }
        if self.way == Way::Cooperative {
            for (name, _) in &members {
                for (other, has) in &members {
                    if name != other {
                        let share = shares.entry(name).or_default();
                        share.retain(|partition| !has.owns.contains(partition));
                    }
                }
            }
        }
        let share = |name: &str| {
            let words: Vec<String> = shares[name].iter().map(u32::to_string).collect();
            Bytes::from(words.join(" "))
        };
        let members = members.iter();
        members
            .map(|(name, one)| (MemberId::new(&one.id), share(name)))
            .collect()
    }

    fn wait(&mut self, millis: u64) {
        let end = self.now + millis;
        self.still += millis
            * u64::try_from(self.readers().iter().filter(|one| **one == "-").count()).unwrap_or(0);
        while let Some(due) = self.group.next_deadline().filter(|due| *due <= at(end)) {
            self.now = u64::try_from(due.since(Moment::START).as_millis()).unwrap_or(end);
            let effects = self.group.expire(due);
            self.after(effects);
        }
        self.now = end;
    }

    /// Who reads each partition; "-" is nobody. A member that waits for others reads on, if it
    /// still has something: an eager one has nothing.
    fn readers(&self) -> Vec<&'static str> {
        let reader = |partition: u32| {
            let mut consumers = self.consumers.iter();
            let reader = consumers.find(|(_, one)| one.owns.contains(&partition));
            reader.map_or("-", |(name, _)| *name)
        };
        (0..6).map(reader).collect()
    }

    fn after(&mut self, effects: Vec<Effect>) {
        for effect in effects {
            match effect {
                Effect::Store { id, .. } => {
                    let effects = self.group.stored(at(self.now), id, true);
                    self.after(effects);
                }
                Effect::Joined {
                    call,
                    member,
                    answer,
                } => {
                    let joined = answer.expect("nobody is refused here");
                    self.change(self.calls[&call], |consumer| {
                        consumer.leads = joined.leader == member;
                        consumer.id = member.to_string();
                        consumer.generation = joined.generation;
                        consumer.does = "joined";
                    });
                }
                Effect::Synced { call, answer } => {
                    let share = answer.expect("nobody is refused here").assignment;
                    let share = String::from_utf8_lossy(&share).into_owned();
                    self.change(self.calls[&call], |consumer| {
                        consumer.owns = share
                            .split(' ')
                            .filter_map(|one| one.parse().ok())
                            .collect();
                        consumer.does = "consumes";
                    });
                }
            }
        }
    }

    fn call(&mut self, name: &'static str) -> CallId {
        self.next_call += 1;
        self.calls.insert(CallId(self.next_call), name);
        CallId(self.next_call)
    }

    fn change(&mut self, name: &'static str, change: impl FnOnce(&mut Consumer)) {
        self.consumers.entry(name).and_modify(change);
    }

    fn note(&mut self, step: &'static str) {
        let readers = self.readers();
        let partitions: Vec<Value> = readers
            .iter()
            .enumerate()
            .map(|(number, reader)| json!({"number": number, "reader": reader}))
            .collect();
        let members = self.consumers.iter();
        let members: Vec<Value> = members
            .map(|(name, consumer)| {
                json!({
                    "name": name, "id": consumer.id, "does": consumer.does, "leads": consumer.leads,
                    "joined": consumer.generation,
                })
            })
            .collect();
        let is = json!({
            "way": self.way.name(), "step": step, "state": self.group.state().name(),
            "generation": self.group.generation(), "members": members, "partitions": partitions,
            "readers": readers.concat(), "seconds": (self.now - self.began) / 1_000,
            "still": self.still / 1_000,
        });
        self.seen.push((step, is));
    }
}

impl Way {
    fn name(self) -> &'static str {
        match self {
            Way::Eager => "eager",
            Way::Cooperative => "cooperative",
            Way::Dynamic => "dynamic",
            Way::Static => "static",
        }
    }
}

impl Consumer {
    fn identity(&self) -> Identity {
        Identity {
            member: MemberId::new(&self.id),
            instance: self.instance.map(InstanceId::new),
        }
    }
}

fn at(millis: u64) -> Moment {
    Moment::after_start(Duration::from_millis(millis))
}

#[expect(clippy::print_stdout, reason = "an example prints")]
fn main() {
    println!("{}", trace());
}
