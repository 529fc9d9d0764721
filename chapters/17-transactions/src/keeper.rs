//! The keeper of half messages.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use client::{Client, OffsetSpec};
use consumer::{Committed, Consumer, OffsetReset, Polled};
use message_model::{Moment, Offset, Timestamp, TopicPartition};
use producer::Producer;

use crate::error::Error;
use crate::group::{Group, only_partition};
use crate::part::{Decision, Effect, Event, HalfMessages, Replay, Ruling, Schedule};
use crate::producer::producer;
use crate::record::{read_op, read_outcome, topic_of};

/// How a keeper behaves.
#[derive(Debug, Clone)]
pub struct Settings {
    /// When it asks, and how often.
    pub schedule: Schedule,
    /// How many half messages may be open; while there are more, no others are read.
    pub open_max: usize,
    /// Of how many half messages it remembers how they ended.
    pub remembered_max: usize,
    /// Of its clients.
    pub client: client::Settings,
}

impl Default for Settings {
    /// The first check comes after 6 s, and there are 15, as in RocketMQ; its waits are all
    /// the same, these double up to a minute.
    fn default() -> Settings {
        Settings {
            schedule: Schedule {
                first: Duration::from_secs(6),
                longest: Duration::from_secs(60),
                checks_max: 15,
            },
            open_max: 100_000,
            remembered_max: 100_000,
            client: client::Settings::default(),
        }
    }
}

/// How often it stores how far it has read. After a crash it reads the rest again, which
/// changes nothing.
const COMMIT_INTERVAL: Duration = Duration::from_secs(1);
/// How long it waits at most before it looks at the clock.
const LOOK: Duration = Duration::from_secs(1);

/// Keeps half messages until their outcome is known. Run one for a group.
///
/// Its memory may be lost at any moment: what it must not forget is in the topics of half
/// messages and of op records.
#[derive(Debug)]
pub struct Keeper {
    pub(crate) client: Arc<Client>,
    pub(crate) producer: Producer,
    pub(crate) group: Group,
    machine: HalfMessages,
    open_max: usize,
    halves: Consumer,
    outcomes: Consumer,
    /// Behind the last op record.
    op_end: Offset,
    /// Where the op records of each open half message, and of all later ones, can begin.
    op_starts: BTreeMap<Offset, Offset>,
    commit_at: Moment,
}

impl Keeper {
    /// Connects to the comma-separated `bootstrap` addresses, reads both topics to their
    /// ends, and returns a keeper that knows what is open.
    ///
    /// # Errors
    /// When the topics cannot be read.
    // ANCHOR: start
    pub async fn start(bootstrap: &str, group: Group, settings: Settings) -> Result<Keeper, Error> {
        // A fetch that waits holds up those behind it, so each reader has a connection.
        let connect = || Client::connect(bootstrap, settings.client.clone());
        let client = Arc::new(connect().await?);
        let mut halves = reader(connect().await?, &group);
        let topics = [&group.half, &group.op].map(only_partition);
        let mut ends = BTreeMap::new();
        for topic in &topics {
            ends.insert(topic.clone(), end(&client, topic).await?);
        }
        halves.assign(BTreeSet::from(topics.clone())).await?;
        let op_start = halves.position(&topics[1]).unwrap_or_default();
        let mut replay = Replay::new();
        let is_read = |halves: &Consumer| {
            let mut ends = ends.iter();
            ends.all(|(topic, end)| halves.position(topic) >= Some(*end))
        };
        while !is_read(&halves) {
            if let Some(polled) = halves.poll(LOOK).await? {
                replayed(&mut replay, &group, polled)?;
            }
        }
        // ANCHOR_END: start
        let op_end = halves.position(&topics[1]).unwrap_or_default();
        let [half, _] = topics;
        halves.assign(BTreeSet::from([half])).await?;
        let mut outcomes = reader(connect().await?, &group);
        let topic = only_partition(&group.outcomes);
        outcomes.assign(BTreeSet::from([topic])).await?;
        let open = replay.open().into_iter();
        Ok(Keeper {
            machine: HalfMessages::new(settings.schedule, settings.remembered_max, &replay),
            producer: producer(&client),
            commit_at: client.clock().now(),
            op_starts: open.map(|(half, _)| (half, op_start)).collect(),
            client,
            group,
            open_max: settings.open_max,
            halves,
            outcomes,
            op_end,
        })
    }

    /// Keeps half messages, and tells `report` what producers did wrong: contradictions, and
    /// words about what was set aside. Never ends without an error. May be dropped at any
    /// moment.
    ///
    /// # Errors
    /// When the queue does not answer in time, or a topic is gone. Start another keeper then.
    // ANCHOR: run
    pub async fn run(
        &mut self,
        mut report: impl FnMut(Offset, Decision, Ruling),
    ) -> Result<std::convert::Infallible, Error> {
        loop {
            let now = self.client.clock().wall();
            let due = self.next_due().map_or(LOOK, |due| due.since(now));
            let mut effects = self.read(now, due.min(LOOK)).await?;
            let now = self.client.clock().wall();
            effects.extend(self.tick(now));
            self.carry_out_all(now, &effects, &mut report).await?;
            if self.client.clock().now() >= self.commit_at {
                self.commit().await?;
            }
        }
    }
    // ANCHOR_END: run

    /// Returns what follows from the half messages and outcomes that come next; waits for
    /// them, at most `patience`.
    ///
    /// # Errors
    /// When the topics cannot be read.
    // ANCHOR: read
    pub async fn read(&mut self, now: Timestamp, patience: Duration) -> Result<Vec<Effect>, Error> {
        let has_room = self.has_room();
        let polled = tokio::select! {
            polled = self.halves.poll(patience), if has_room => polled?,
            polled = self.outcomes.poll(patience) => polled?,
        };
        let mut effects = Vec::new();
        let Some(polled) = polled else {
            return Ok(effects);
        };
        if polled.partition.topic == self.group.half {
            self.take_halves(now, polled)?;
            return Ok(effects);
        }
        for record in polled.records {
            if let Some((half, decision)) = read_outcome(&record?) {
                self.read_halves_up_to(now, half).await?;
                let outcome = Event::Outcome { half, decision };
                effects.extend(self.machine.step(now, outcome));
            }
        }
        Ok(effects)
    }
    // ANCHOR_END: read

    /// Returns what is due at the time `now`.
    pub fn tick(&mut self, now: Timestamp) -> Vec<Effect> {
        self.machine.step(now, Event::Tick)
    }

    /// Returns when [`tick`](Keeper::tick) has something to do.
    #[must_use]
    pub fn next_due(&self) -> Option<Timestamp> {
        self.machine.next_due()
    }

    /// Returns how many half messages are open.
    #[must_use]
    pub fn open(&self) -> usize {
        self.machine.open()
    }

    /// Stores how far it has read, so that a restart need not read all. All effects of what
    /// was read must have been carried out.
    ///
    /// # Errors
    /// When the queue does not store it.
    // ANCHOR: commit
    pub async fn commit(&mut self) -> Result<(), Error> {
        let first_open = self.machine.first_open();
        self.op_starts = self.op_starts.split_off(&first_open);
        let op_start = self.op_starts.get(&first_open).copied();
        let outcomes = only_partition(&self.group.outcomes);
        let mut offsets = vec![
            (only_partition(&self.group.half), first_open),
            (
                only_partition(&self.group.op),
                op_start.unwrap_or(self.op_end),
            ),
        ];
        let position = self.outcomes.position(&outcomes);
        offsets.extend(position.map(|position| (outcomes, position)));
        let committed = |(topic, offset)| {
            let metadata = String::new();
            (topic, Committed { offset, metadata })
        };
        let offsets = offsets.into_iter().map(committed).collect();
        self.outcomes.commit_offsets(offsets).await?;
        self.commit_at = self.client.clock().now().plus(COMMIT_INTERVAL);
        Ok(())
    }
    // ANCHOR_END: commit

    fn has_room(&self) -> bool {
        self.machine.open() < self.open_max
    }

    fn take_halves(&mut self, now: Timestamp, polled: Polled) -> Result<(), Error> {
        for record in polled.records {
            let record = record?;
            // Anything else in the topic is no half message.
            if topic_of(&record).is_some() {
                let (half, sent) = (record.offset, record.timestamp);
                self.op_starts.insert(half, self.op_end);
                self.machine.step(now, Event::Half { half, sent });
            }
        }
        Ok(())
    }

    /// Reads the half message that an outcome speaks of, if it has not been read: the two
    /// topics are read side by side. Without room the outcome does nothing, and a check
    /// will ask for it.
    async fn read_halves_up_to(&mut self, now: Timestamp, half: Offset) -> Result<(), Error> {
        let topic = only_partition(&self.group.half);
        while self.has_room() && self.halves.position(&topic) <= Some(half) {
            match self.halves.poll(LOOK).await? {
                Some(polled) => self.take_halves(now, polled)?,
                // An outcome of what was never sent.
                None => return Ok(()),
            }
        }
        Ok(())
    }

    /// Op records were written up to here.
    pub(crate) fn op_written(&mut self, end: Option<Offset>) {
        self.op_end = end.map_or(self.op_end, |end| self.op_end.max(end));
    }
}

/// A consumer that begins where the group's keeper has committed.
fn reader(client: Client, group: &Group) -> Consumer {
    let settings = consumer::Settings {
        group: Some(group.keeper()),
        reset: OffsetReset::Earliest,
        ..consumer::Settings::default()
    };
    Consumer::new(Arc::new(client), settings)
}

async fn end(client: &Client, topic: &TopicPartition) -> Result<Offset, Error> {
    let deadline = client.deadline();
    let end = client.find_offset(topic, OffsetSpec::Latest, deadline);
    Ok(end.await?.unwrap_or_default())
}

fn replayed(replay: &mut Replay, group: &Group, polled: Polled) -> Result<(), Error> {
    for record in polled.records {
        let record = record?;
        if polled.partition.topic == group.half {
            if topic_of(&record).is_some() {
                replay.half(record.offset, record.timestamp);
            }
        } else if let Some((half, op)) = read_op(&record) {
            replay.op(half, record.timestamp, op);
        }
    }
    Ok(())
}
