//! Every order in which two members of a group can take their steps through a rebalance, as
//! the trace of a figure: `book/src/traces/16-rebalance.json`.
//!
//! The members are real [`Membership`]s, and the shares are those of the real assignors. A
//! has all four partitions, and B joins. In the third start the members are cooperative, and
//! the leader shares as if they were not.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::time::Duration;

use message_model::{Moment, PartitionIndex, TopicName, TopicPartition};
use serde_json::{Value, json};
use solution::{
    Assignments, Effect, Event, Joined, MemberSettings, Membership, Problem, Subscriber, Ticket,
    Topics, cooperative_sticky, range, sticky,
};

const NAMES: [&str; 2] = ["A", "B"];
const PARTITIONS: i32 = 4;

type Partitions = BTreeSet<TopicPartition>;
type Share = fn(&[Subscriber], &Topics) -> Assignments;

/// A member, and its application.
#[derive(Clone)]
struct Client {
    member: Membership<TopicPartition>,
    reads: Partitions,
    /// The revocation that runs.
    revokes: Option<(Ticket, Partitions)>,
    /// What is on its way to the member.
    inbox: VecDeque<Event<TopicPartition>>,
    /// The JoinGroup that waits at the coordinator, what it claims, and since when.
    join: Option<(Ticket, Partitions, i32)>,
    /// The SyncGroup that waits there.
    sync: Option<Ticket>,
    has_begun: bool,
    /// What it did last.
    last: &'static str,
    /// What it was given last, and what it gave up last.
    given: Vec<i32>,
    gone: Vec<i32>,
}

/// Both members, and a coordinator that knows just enough for them.
#[derive(Clone)]
struct World {
    now: Moment,
    share: Share,
    clients: [Client; 2],
    generation: i32,
    /// Whether it waits for JoinGroups.
    is_preparing: bool,
    shares: Option<Assignments>,
    /// What was read by both at some moment.
    twice: BTreeSet<i32>,
}

impl World {
    /// A group of which A is the only member.
    fn new(is_cooperative: bool, share: Share) -> World {
        let settings = MemberSettings {
            is_static: false,
            is_cooperative,
            session_timeout: Duration::from_secs(45),
            heartbeat_interval: Duration::from_secs(3),
            max_poll_interval: Duration::from_secs(300),
            retry_backoff: Duration::from_millis(100),
        };
        let client = || Client {
            member: Membership::new(Moment::START, settings.clone()),
            reads: BTreeSet::new(),
            revokes: None,
            inbox: VecDeque::new(),
            join: None,
            sync: None,
            has_begun: false,
            last: "begins",
            given: Vec::new(),
            gone: Vec::new(),
        };
        let mut world = World {
            now: Moment::START,
            share,
            clients: [client(), client()],
            generation: 0,
            is_preparing: false,
            shares: None,
            twice: BTreeSet::new(),
        };
        for _ in 0..3 {
            world.step(0);
        }
        world.clients[0].last = "begins";
        world
    }

    /// Whether a member has something to do.
    fn is_next(&self, who: usize) -> bool {
        let client = &self.clients[who];
        let hears = self.is_preparing && client.join.is_none();
        !client.has_begun || client.revokes.is_some() || !client.inbox.is_empty() || hears
    }

    /// What a member does next: its callback returns, an answer arrives, or a heartbeat is
    /// answered.
    fn step(&mut self, who: usize) {
        let client = &mut self.clients[who];
        client.last = "";
        if !client.has_begun {
            client.has_begun = true;
            self.tell(who, Event::Rejoin);
        } else if let Some((ticket, partitions)) = client.revokes.take() {
            client.gone = indexes(&partitions);
            client.last = "commits";
            self.tell(who, Event::CalledBack(ticket));
        } else if let Some(event) = client.inbox.pop_front() {
            self.tell(who, event);
        } else {
            let next = client.member.next_deadline();
            self.now = self.now.max(next.unwrap_or(self.now));
            self.tell(who, Event::Tick);
        }
        let [a, b] = &self.clients;
        self.twice
            .extend(indexes(&a.reads.intersection(&b.reads).cloned().collect()));
    }

    fn tell(&mut self, who: usize, event: Event<TopicPartition>) {
        let now = self.now;
        for effect in self.clients[who].member.step(now, event) {
            let client = &mut self.clients[who];
            match effect {
                Effect::Heartbeat { ticket, .. } => {
                    let answer = Err(Problem::RebalanceInProgress);
                    self.tell(who, Event::HeartbeatAnswered(ticket, answer));
                }
                Effect::Join {
                    ticket,
                    owned,
                    generation,
                    ..
                } => {
                    let is_after_callback = client.last == "commits";
                    client.last = if is_after_callback {
                        "commits, joins"
                    } else {
                        "joins"
                    };
                    client.join = Some((ticket, owned, generation));
                    self.join();
                }
                Effect::Sync {
                    ticket, is_leader, ..
                } => {
                    client.last = if is_leader { "shares" } else { "syncs" };
                    client.sync = Some(ticket);
                    self.sync(is_leader);
                }
                Effect::Revoke(ticket, partitions) => {
                    client.reads.retain(|p| !partitions.contains(p));
                    client.gone = indexes(&partitions);
                    client.last = "stops";
                    client.revokes = Some((ticket, partitions));
                }
                Effect::Assign(ticket, partitions) => {
                    if client.last.is_empty() {
                        client.last = if partitions.is_empty() {
                            "gets nothing"
                        } else {
                            "gets"
                        };
                    }
                    client.given = indexes(&partitions);
                    client.reads.extend(partitions);
                    self.tell(who, Event::CalledBack(ticket));
                }
                other => unreachable!("nothing goes wrong in the figure: {other:?}"),
            }
        }
    }

    /// A JoinGroup has come: when all members have joined, there is a new generation.
    fn join(&mut self) {
        self.is_preparing = true;
        let mut members = self.clients.iter().filter(|client| client.has_begun);
        if !members.all(|client| client.join.is_some()) {
            return;
        }
        self.is_preparing = false;
        self.generation += 1;
        self.shares = None;
        let generation = self.generation;
        for (who, client) in self.clients.iter_mut().enumerate() {
            if let Some((ticket, ..)) = &client.join {
                let joined = Joined {
                    member_id: NAMES[who].to_owned(),
                    generation,
                    is_leader: who == 0,
                };
                client.inbox.push_back(Event::Joined(*ticket, Ok(joined)));
            }
        }
    }

    /// A SyncGroup has come, with the shares if it is the leader's.
    fn sync(&mut self, is_leader: bool) {
        if is_leader {
            let topic = TopicName::new("orders").expect("a name");
            let joins = self.clients.iter_mut().enumerate();
            let members: Vec<Subscriber> = joins
                .filter_map(|(who, client)| {
                    let (_, owned, generation) = client.join.take()?;
                    Some(Subscriber {
                        id: NAMES[who].to_owned(),
                        instance: None,
                        topics: BTreeSet::from([topic.clone()]),
                        owned: owned.into_iter().collect(),
                        generation,
                    })
                })
                .collect();
            let topics = Topics::from([(topic, PARTITIONS)]);
            self.shares = Some((self.share)(&members, &topics));
        }
        let Some(shares) = &self.shares else {
            return;
        };
        for (who, client) in self.clients.iter_mut().enumerate() {
            if let Some(ticket) = client.sync.take() {
                let share = shares.get(NAMES[who]).cloned().unwrap_or_default();
                let share = share.into_iter().collect();
                client.inbox.push_back(Event::Synced(ticket, Ok(share)));
            }
        }
    }

    /// Who reads a partition.
    fn readers(&self, index: i32) -> String {
        let partition = TopicPartition {
            topic: TopicName::new("orders").expect("a name"),
            partition: PartitionIndex(index),
        };
        let readers = self.clients.iter().zip(NAMES);
        readers
            .filter(|(client, _)| client.reads.contains(&partition))
            .map(|(_, name)| name)
            .collect()
    }

    fn is_over(&self) -> bool {
        !self.is_next(0) && !self.is_next(1)
    }

    /// What the figure shows.
    fn seen(&self) -> Value {
        let [a, b] = &self.clients;
        let mut seen = json!({
            "a": a.last, "agiven": a.given, "agone": a.gone,
            "b": b.last, "bgiven": b.given,
            "generation": self.generation,
            "twice": self.twice,
            "verdict": match (self.twice.is_empty(), self.is_over()) {
                (false, _) => "twice",
                (true, true) => "once",
                (true, false) => "open",
            },
        });
        for index in 0..PARTITIONS {
            seen[format!("p{index}")] = self.readers(index).into();
        }
        seen
    }

    /// What tells two worlds apart that look the same: what the members are to do next.
    fn key(&self) -> String {
        let next = |client: &Client| {
            let is_waiting = client.join.is_some() || client.sync.is_some();
            format!("{:?} {:?} {is_waiting}", client.revokes, client.inbox)
        };
        let [a, b] = &self.clients;
        format!(
            "{} {} {} {}",
            self.seen(),
            self.is_preparing,
            next(a),
            next(b)
        )
    }
}

fn indexes(partitions: &Partitions) -> Vec<i32> {
    let index = |partition: &TopicPartition| partition.partition.0;
    partitions.iter().map(index).collect()
}

/// The trace.
#[must_use]
pub(crate) fn trace() -> Value {
    let (mut starts, mut states) = (BTreeMap::new(), BTreeMap::new());
    let kinds: [(&str, bool, Share); 3] = [
        ("eager", false, range),
        ("cooperative", true, cooperative_sticky),
        ("careless", true, sticky),
    ];
    for (kind, is_cooperative, share) in kinds {
        let first = World::new(is_cooperative, share);
        let initial = &kind[..2];
        starts.insert(kind, format!("{initial}0"));
        let mut names = BTreeMap::from([(first.key(), format!("{initial}0"))]);
        let mut worlds = VecDeque::from([first]);
        while let Some(world) = worlds.pop_front() {
            let mut moves = BTreeMap::new();
            for (who, name) in ["a", "b"].into_iter().enumerate() {
                if !world.is_next(who) {
                    continue;
                }
                let mut next = world.clone();
                next.step(who);
                let number = names.len();
                let entry = names.entry(next.key()).or_insert_with(|| {
                    worlds.push_back(next);
                    format!("{initial}{number}")
                });
                moves.insert(name, entry.clone());
            }
            let name = names[&world.key()].clone();
            states.insert(name, json!({ "is": world.seen(), "moves": moves }));
        }
    }
    json!({ "starts": starts, "states": states })
}

fn main() {
    println!("{}", trace());
}
