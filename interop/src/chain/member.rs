//! A member: a process that copies from one topic into the next.

use std::collections::{BTreeMap, BTreeSet};
use std::io::Read as _;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use anyhow::{Context as _, Result, bail};
use async_model::Clock;
use client::Client;
use consumer::{Assignor, Committed, Consumer, Done, OffsetReset, Polled, RebalanceListener};
use message_model::{Offset, TopicName, TopicPartition};
use producer::{Producer, Record};

use super::copies::number;
use super::{Copied, Mode, Said};

const SESSION: Duration = Duration::from_secs(3);
const HEARTBEAT: Duration = Duration::from_millis(500);
const POLL: Duration = Duration::from_millis(200);
const COMMIT_EVERY: Duration = Duration::from_millis(200);
const WORK: Duration = Duration::from_millis(200);
const PATIENCE: Duration = Duration::from_secs(20);
/// About a thousand records: what is between two kills of a member.
const POLL_BYTES: u32 = 64 * 1024;

/// What a member is told on its command line.
#[derive(Debug, Clone)]
pub struct Member {
    /// The broker's address.
    pub bootstrap: String,
    /// Its group.
    pub group: String,
    /// What it copies.
    pub from: String,
    /// Where to.
    pub to: String,
    /// Its name, which no other process has.
    pub name: String,
    /// The assignor's name.
    pub assignor: String,
    /// What it does.
    pub mode: Mode,
}

/// Copies until stdin is closed, then leaves its group.
///
/// # Errors
/// When a copy cannot be delivered, or the group has put the member out.
pub async fn be_member(told: Member) -> Result<()> {
    let (leave, mut leaves) = tokio::sync::oneshot::channel();
    std::thread::spawn(move || {
        let _ = std::io::stdin().read_to_end(&mut Vec::new());
        let _ = leave.send(());
    });
    let mut copier = Copier::start(told).await?;
    while leaves.try_recv().is_err() {
        copier.round().await?;
    }
    let closed = copier.consumer.close(PATIENCE).await;
    if let Err(error) = closed {
        say(&Said::Refused(error.to_string()));
    }
    copier.producer.close(PATIENCE).await;
    Ok(())
}

/// Where the member began, or will begin, to read what it was given.
#[derive(Debug, Default)]
struct Given {
    /// When the poll that goes on began.
    poll_began: i64,
    /// Partitions of which no record has come yet, and when they were given.
    fresh: BTreeMap<TopicPartition, i64>,
    /// What was copied since the last commit: the next offset.
    copied: BTreeMap<TopicPartition, Offset>,
}

#[derive(Debug, Clone, Default)]
struct Listener(Arc<Mutex<Given>>);

impl Listener {
    fn given(&self) -> MutexGuard<'_, Given> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl RebalanceListener for Listener {
    fn assigned(&mut self, partitions: &BTreeSet<TopicPartition>) {
        let mut given = self.given();
        let at = given.poll_began;
        given
            .fresh
            .extend(partitions.iter().map(|partition| (partition.clone(), at)));
    }

    fn revoked(&mut self, partitions: &BTreeSet<TopicPartition>) {
        self.lost(partitions);
    }

    fn lost(&mut self, partitions: &BTreeSet<TopicPartition>) {
        let mut given = self.given();
        given
            .fresh
            .retain(|partition, _| !partitions.contains(partition));
        given
            .copied
            .retain(|partition, _| !partitions.contains(partition));
    }
}

struct Copier {
    told: Member,
    clock: Clock,
    consumer: Consumer,
    producer: Producer,
    to: TopicName,
    listener: Listener,
    sent: u64,
    committed_at: i64,
    commits: u64,
}

impl Copier {
    async fn start(told: Member) -> Result<Copier> {
        let assignor = [
            Assignor::Range,
            Assignor::RoundRobin,
            Assignor::Sticky,
            Assignor::CooperativeSticky,
        ]
        .into_iter()
        .find(|assignor| assignor.name() == told.assignor)
        .with_context(|| format!("there is no assignor {}", told.assignor))?;
        let client = Arc::new(connect(&told).await?);
        let settings = consumer::Settings {
            group: Some(told.group.clone()),
            assignors: vec![assignor],
            session_timeout: SESSION,
            heartbeat_interval: HEARTBEAT,
            max_poll_interval: PATIENCE,
            reset: OffsetReset::Earliest,
            done: Done::WhenSaid,
            // By itself only before partitions are given up: see `commit`.
            auto_commit: Some(Duration::from_secs(3_600)),
            partition_fetch_max_bytes: POLL_BYTES,
            patience: PATIENCE,
            ..consumer::Settings::default()
        };
        let mut consumer = Consumer::new(Arc::clone(&client), settings);
        let listener = Listener::default();
        consumer.listen(listener.clone());
        let topics = BTreeSet::from([TopicName::new(&told.from)?]);
        consumer.subscribe(consumer::Topics::Named(topics)).await?;
        Ok(Copier {
            clock: Clock::start(),
            consumer,
            producer: Producer::new(client, producer::Settings::default()),
            to: TopicName::new(&told.to)?,
            told,
            listener,
            sent: 0,
            committed_at: 0,
            commits: 0,
        })
    }

    fn now(&self) -> i64 {
        self.clock.wall().0
    }

    async fn round(&mut self) -> Result<()> {
        self.listener.given().poll_began = self.now();
        match self.consumer.poll(POLL).await {
            Ok(Some(polled)) => self.take(polled).await?,
            Ok(None) => {}
            Err(error @ consumer::Error::PutOut(_)) => bail!("{error}"),
            Err(error) => say(&Said::Refused(error.to_string())),
        }
        if self.now() - self.committed_at >= i64::try_from(COMMIT_EVERY.as_millis())? {
            self.commit().await;
        }
        Ok(())
    }

    async fn take(&mut self, polled: Polled) -> Result<()> {
        let acks = self.consumer.acks();
        if self.told.mode == Mode::CommitBefore {
            acks.done(&polled.work);
            self.commit().await;
            // As a member does for which a record is work.
            tokio::time::sleep(WORK).await;
        }
        let partition = polled.partition.clone();
        let next = self.copy(polled.records, &partition).await?;
        acks.done(&polled.work);
        if let Some(next) = next {
            self.listener.given().copied.insert(partition, next);
        }
        Ok(())
    }

    /// Copies the records, and returns the offset behind the last one.
    async fn copy(
        &mut self,
        records: client::Records,
        partition: &TopicPartition,
    ) -> Result<Option<Offset>> {
        let index = partition.partition.0;
        let mut deliveries = Vec::new();
        let mut next = None;
        for record in records {
            let record = record?;
            let offset = record.offset.0;
            if let Some(at) = self.listener.given().fresh.remove(partition) {
                say(&Said::Start {
                    partition: index,
                    offset,
                    at,
                });
            }
            let copied = Copied {
                number: number(&record.value.unwrap_or_default())?,
                member: self.told.name.clone(),
                sent: self.sent,
                at: self.now(),
                source: (index, offset),
            };
            self.sent += 1;
            let value = copied.to_string();
            let key = record.key.unwrap_or_default();
            let record = Record::of_key(&key, value.as_bytes());
            deliveries.push(self.producer.send(&self.to, record).await);
            next = Some(Offset(offset + 1));
        }
        for delivery in deliveries {
            delivery.await.context("a copy was not delivered")?;
        }
        Ok(next)
    }

    async fn commit(&mut self) {
        self.committed_at = self.now();
        let copied = std::mem::take(&mut self.listener.given().copied);
        match self.consumer.commit_sync().await {
            Ok(()) => self.say_committed(&copied),
            Err(error) => say(&Said::Refused(error.to_string())),
        }
        self.commits += 1;
        if self.told.mode == Mode::Rewind && self.commits.is_multiple_of(10) {
            let back = |(partition, offset): (&TopicPartition, &Offset)| {
                let offset = Offset((offset.0 - 50).max(0));
                let metadata = String::new();
                (partition.clone(), Committed { offset, metadata })
            };
            let offsets = copied.iter().map(back).collect();
            let _may_be_refused = self.consumer.commit_offsets(offsets).await;
        }
    }

    fn say_committed(&self, copied: &BTreeMap<TopicPartition, Offset>) {
        for (partition, offset) in copied {
            // One that was taken away meanwhile was not part of this commit.
            if self.consumer.assignment().contains(partition) {
                say(&Said::Commit {
                    partition: partition.partition.0,
                    offset: offset.0,
                    at: self.now(),
                });
            }
        }
    }
}

/// The broker may be down at the moment.
async fn connect(told: &Member) -> Result<Client> {
    let settings = client::Settings {
        client_id: told.name.clone(),
        ..client::Settings::default()
    };
    let mut tries = 100;
    loop {
        match Client::connect(&told.bootstrap, settings.clone()).await {
            Err(_) if tries > 0 => tokio::time::sleep(Duration::from_millis(100)).await,
            connected => return Ok(connected?),
        }
        tries -= 1;
    }
}

fn say(said: &Said) {
    println!("{said}");
}
