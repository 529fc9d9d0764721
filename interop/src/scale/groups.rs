//! Large groups, beside a small one and beside producers.

use std::fmt;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use anyhow::{Context as _, Result, bail, ensure};
use client::{Client, Settings};
use message_model::TopicName;
use mqd_guard::Mqd;
use tokio::sync::watch;
use tokio::task::JoinHandle;
use wire_protocol::ErrorCode;

use super::connections::produce_until;
use super::member::{Habits, Member, Wish, Witness};
use super::{Size, connect};
use crate::Latencies;
use crate::scale::partition;

const TOPIC: &str = "beside";
const FULL: &str = "full";
/// Of the topic that is produced to at full rate.
const FULL_PARTITIONS: u32 = 8;
/// How long a group may take to settle.
const SETTLE: Duration = Duration::from_secs(120);
/// Between two produces beside a crowd.
const PAUSE: Duration = Duration::from_millis(5);
/// How many members the group beside a crowd has.
const FEW: usize = 3;

/// The members of a group that live.
struct Group {
    habits: Habits,
    witness: Witness,
    members: Vec<(watch::Sender<Wish>, JoinHandle<Result<Member>>)>,
}

impl Group {
    fn new(habits: Habits) -> Group {
        Group {
            habits,
            witness: Witness::default(),
            members: Vec::new(),
        }
    }

    async fn add(&mut self, broker: &Mqd, number: usize) -> Result<()> {
        let (wishes, wish) = watch::channel(Wish::Stay);
        let member = Member {
            number,
            client: connect(broker).await?,
            habits: self.habits.clone(),
            witness: self.witness.clone(),
            wish,
            id: String::new(),
            generation: -1,
        };
        self.members.push((wishes, tokio::spawn(member.live())));
        Ok(())
    }

    /// Waits until all members share all partitions; how long it took.
    async fn settle(&self, client: &Client) -> Result<Duration> {
        let clock = client.clock();
        let began = clock.now();
        while !self
            .witness
            .is_shared(self.members.len(), self.habits.partitions)
        {
            if let Some(ended) = self
                .members
                .iter()
                .position(|member| member.1.is_finished())
            {
                bail!("member {ended} has ended");
            }
            let took = clock.now().since(began);
            ensure!(
                took < SETTLE,
                "the group does not settle: {:?}",
                self.witness.seen().shares
            );
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        Ok(clock.now().since(began))
    }

    /// Ends the last member in this way.
    async fn end_last(&mut self, wish: Wish) -> Result<Member> {
        let (wishes, living) = self.members.pop().context("a member")?;
        wishes.send(wish)?;
        living.await?
    }
}

impl Drop for Group {
    fn drop(&mut self) {
        self.members.iter().for_each(|member| member.1.abort());
    }
}

/// What a group of many members does to others.
#[derive(Debug)]
pub struct Crowd {
    /// How many members it has.
    pub members: usize,
    /// Members of either group that were expired although they beat their hearts.
    pub expired: usize,
    joined: Duration,
    rebalanced: Duration,
    alone: (Latencies, Latencies),
    beside: (Latencies, Latencies),
    own: Latencies,
}

impl fmt::Display for Crowd {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "a group of {} members was complete after {:.1} s, and {:.1} s after one had left; \
             {} expired; its heartbeats {} (p50 / p99 / max). Another group's heartbeats: {} before, {} \
             beside; produces: {} before, {} beside",
            self.members,
            self.joined.as_secs_f64(),
            self.rebalanced.as_secs_f64(),
            self.expired,
            self.own,
            self.alone.0,
            self.beside.0,
            self.alone.1,
            self.beside.1,
        )
    }
}

/// A producer that goes on until it is ended.
struct Producing {
    goes_on: Arc<AtomicBool>,
    task: JoinHandle<Result<Latencies>>,
}

impl Producing {
    fn start(client: &Arc<Client>) -> Producing {
        let goes_on = Arc::new(AtomicBool::new(true));
        let (flag, client) = (Arc::clone(&goes_on), Arc::clone(client));
        let task = tokio::spawn(async move {
            let mut latencies = Latencies::default();
            while flag.load(Ordering::Relaxed) {
                let end = client.clock().now().plus(PAUSE * 20);
                let some = produce_until(Arc::clone(&client), (TOPIC, 0), end, PAUSE);
                latencies.extend(some.await?);
            }
            Ok(latencies)
        });
        Producing { goes_on, task }
    }

    async fn end(self) -> Result<Latencies> {
        self.goes_on.store(false, Ordering::Relaxed);
        self.task.await?
    }
}

/// A group of many members comes together and rebalances, beside a small group and a producer.
///
/// # Errors
/// When a call fails, or a group does not settle.
pub async fn crowd(size: &Size) -> Result<Crowd> {
    let broker = Mqd::options(&size.mqd)
        .set("group.initial.rebalance.delay.ms", "1000")
        .variable("RUST_LOG", "warn")
        .start()?;
    let client = connect(&broker).await?;
    client.create_topic(&TopicName::new(TOPIC)?, 1, &[]).await?;
    let mut few = Group::new(Habits {
        group: "few",
        partitions: 6,
        session: Duration::from_secs(6),
        rebalance: Duration::from_secs(10),
        heartbeat: Duration::from_millis(20),
    });
    for number in 0..FEW {
        few.add(&broker, number).await?;
    }
    few.settle(&client).await?;
    few.witness.seen().heartbeats = Latencies::default();
    let end = client.clock().now().plus(size.lasts / 2);
    let produced = produce_until(Arc::clone(&client), (TOPIC, 0), end, PAUSE).await?;
    let beaten = std::mem::take(&mut few.witness.seen().heartbeats);

    let producing = Producing::start(&client);
    let mut many = Group::new(Habits {
        group: "many",
        partitions: size.count,
        // They share two cores with the broker.
        session: Duration::from_secs(30),
        rebalance: Duration::from_secs(60),
        heartbeat: Duration::from_secs(1),
    });
    let began = client.clock().now();
    for number in 0..size.count as usize {
        many.add(&broker, number).await?;
    }
    many.settle(&client).await?;
    let joined = client.clock().now().since(began);
    tokio::time::sleep(size.lasts / 2).await;
    many.end_last(Wish::Leave).await?;
    let rebalanced = many.settle(&client).await?;
    tokio::time::sleep(size.lasts / 4).await;
    let produced_beside = producing.end().await?;
    let beaten_beside = std::mem::take(&mut few.witness.seen().heartbeats);
    let own = std::mem::take(&mut many.witness.seen().heartbeats);
    let expired = few.witness.seen().expired + many.witness.seen().expired;
    Ok(Crowd {
        members: size.count as usize,
        expired,
        joined,
        rebalanced,
        alone: (beaten, produced),
        beside: (beaten_beside, produced_beside),
        own,
    })
}

/// What rebalances under full load are like.
#[derive(Debug)]
pub struct Rebalances {
    /// How many members the group has.
    pub members: usize,
    /// Members that were expired although they beat their hearts.
    pub expired: usize,
    /// What a member that had stalled was told when it came back.
    pub stalled: ErrorCode,
    /// How many rebalances there were.
    pub rounds: usize,
    /// How many records the other process got acknowledged meanwhile.
    pub produced: u64,
    joins: Latencies,
    heartbeats: Latencies,
    expiry: Duration,
    partitions: u32,
}

impl fmt::Display for Rebalances {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{} members shared {} partitions {} times, beside {} records produced by another process; joins {} \
             (p50 / p99 / max, the wait for the others included), heartbeats {}; {} expired. A stalled member's \
             share was others' after {:.1} s, and it was told {}",
            self.members,
            self.partitions,
            self.rounds,
            self.produced,
            self.joins,
            self.heartbeats,
            self.expired,
            self.expiry.as_secs_f64(),
            self.stalled,
        )
    }
}

/// `size.count` members share 200 partitions again and again while `producer`, a
/// process that is told the broker's address, produces at full rate. At last one member stalls.
///
/// # Errors
/// When a call fails, or the group does not settle.
pub async fn rebalances(size: &Size, mut producer: Command) -> Result<Rebalances> {
    let broker = Mqd::options(&size.mqd)
        .set("group.initial.rebalance.delay.ms", "500")
        .variable("RUST_LOG", "warn")
        .start()?;
    let client = connect(&broker).await?;
    let full = TopicName::new(FULL)?;
    client
        .create_topic(&full, FULL_PARTITIONS.cast_signed(), &[])
        .await?;
    producer.arg(broker.address().to_string());
    let load = producer.stdin(Stdio::piped()).stdout(Stdio::null()).spawn();
    let load = Load(load.context("cannot start the producer")?);
    let session = Duration::from_secs(6);
    let mut group = Group::new(Habits {
        group: "shared",
        partitions: 200,
        session,
        rebalance: Duration::from_secs(10),
        heartbeat: Duration::from_millis(500),
    });
    let count = size.count as usize;
    for number in 0..count {
        group.add(&broker, number).await?;
    }
    group.settle(&client).await?;
    let mut rounds = 1;
    let end = client.clock().now().plus(size.lasts);
    while client.clock().now() < end {
        group.end_last(Wish::Leave).await?;
        group.settle(&client).await?;
        group.add(&broker, count - 1).await?;
        group.settle(&client).await?;
        rounds += 2;
    }
    let mut stalled = group.end_last(Wish::Stall).await?;
    let expiry = group.settle(&client).await?;
    let told = stalled.beat().await?;
    let mut produced = 0;
    for index in 0..FULL_PARTITIONS {
        let to = partition(FULL, index)?;
        let end = client.list_offset(&to, client::OffsetSpec::Latest).await?;
        produced += end.map_or(0, |end| end.0.cast_unsigned());
    }
    drop(load);
    let seen = std::mem::take(&mut *group.witness.seen());
    Ok(Rebalances {
        members: count,
        expired: seen.expired,
        stalled: told,
        rounds: rounds + 1,
        produced,
        joins: seen.joins,
        heartbeats: seen.heartbeats,
        expiry,
        partitions: 200,
    })
}

/// The producer's process. Dropping it kills it.
struct Load(Child);

impl Drop for Load {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Produces records of 1 KiB to the broker at `address` as fast as it takes them, for ever.
///
/// # Errors
/// When a record cannot be delivered.
pub async fn produce_for(address: &str) -> Result<()> {
    let client = Arc::new(Client::connect(address, Settings::default()).await?);
    let producer = producer::Producer::new(client, producer::Settings::default());
    let topic = TopicName::new(FULL)?;
    let value = "x".repeat(1024);
    loop {
        let record = producer::Record::of_value(value.as_bytes());
        let delivery = producer.send(&topic, record).await;
        // Its failure would be the next one's too.
        drop(delivery);
    }
}
