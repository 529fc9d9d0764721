//! A reader: polls, and goes elsewhere now and then.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use anyhow::{Context as _, Result};
use client::Client;
use consumer::{Consumer, OffsetReset, RebalanceListener, SeekTo, Topics};
use message_model::{Offset, TopicPartition};

use super::recorder::{Recorder, name};
use super::setup::{BACKOFF, PATIENCE, Setup};
use crate::operation::{Action, Outcome, Record};
use crate::promise::Promise;

const POLL: Duration = Duration::from_millis(50);

/// How a reader comes by its partitions.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum By {
    /// It takes some, and others later.
    Assignment,
    /// It is a member of a group.
    Group,
}

/// Reads until the run ends. It begins anew, as another process, now and then.
///
/// # Errors
/// When a record cannot be understood.
pub(super) async fn read(setup: Setup, by: By, mut random: fastrand::Rng) -> Result<()> {
    while let Some(client) = setup.connect().await {
        Reader::new(&setup, client, by).live(&mut random).await?;
    }
    Ok(())
}

/// One process that reads.
pub(super) struct Reader<'a> {
    setup: &'a Setup,
    process: u32,
    by: By,
    pub(super) consumer: Consumer,
    given: Given,
    /// The last record of each poll: places to which it can go back.
    seen: Vec<(TopicPartition, Offset)>,
}

/// What a group has given since the last poll.
#[derive(Debug, Clone, Default)]
struct Given(Arc<Mutex<BTreeSet<TopicPartition>>>);

impl Given {
    fn take(&self) -> BTreeSet<TopicPartition> {
        std::mem::take(&mut *self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl RebalanceListener for Given {
    fn assigned(&mut self, partitions: &BTreeSet<TopicPartition>) {
        let given = self.0.lock();
        let mut given = given.unwrap_or_else(PoisonError::into_inner);
        given.extend(partitions.iter().cloned());
    }
    fn revoked(&mut self, _: &BTreeSet<TopicPartition>) {}
    fn lost(&mut self, _: &BTreeSet<TopicPartition>) {}
}

impl<'a> Reader<'a> {
    pub(super) fn new(setup: &'a Setup, client: Arc<Client>, by: By) -> Reader<'a> {
        let settings = consumer::Settings {
            group: (by == By::Group).then(|| "readers".to_owned()),
            session_timeout: Duration::from_millis(600),
            heartbeat_interval: Duration::from_millis(100),
            reset: OffsetReset::Earliest,
            read_committed: setup.promise == Promise::Transactional,
            fetch_max_wait: POLL,
            // So that there are many polls.
            partition_fetch_max_bytes: 600,
            patience: PATIENCE,
            retry_backoff: BACKOFF,
            ..consumer::Settings::default()
        };
        let mut consumer = Consumer::new(client, settings);
        let given = Given::default();
        consumer.listen(given.clone());
        Reader {
            setup,
            process: setup.recorder.process(),
            by,
            consumer,
            given,
            seen: Vec::new(),
        }
    }

    fn recorder(&self) -> &Recorder {
        &self.setup.recorder
    }

    async fn live(mut self, random: &mut fastrand::Rng) -> Result<()> {
        let topics = Topics::Named(BTreeSet::from([self.setup.topic.clone()]));
        if self.by == By::Group && self.consumer.subscribe(topics).await.is_ok() {
            let begun = self.recorder().begin(self.process);
            let names = vec![self.setup.topic.to_string()];
            self.recorder()
                .end(begun, Action::Subscribe(names), Outcome::Ok);
        }
        while !self.setup.is_stopped() {
            let is_new = self.consumer.assignment().is_empty();
            match (self.by, random.u8(0..100)) {
                (_, 0) => return Ok(()),
                (By::Assignment, 1..6) => self.assign_some(random).await,
                (By::Assignment, _) if is_new => self.assign_some(random).await,
                (By::Assignment, 6..16) => self.seek(random).await,
                // Refused, or without an answer: what was read will be read again.
                (By::Group, 1..10) => drop(self.consumer.commit_sync().await),
                _ => {}
            }
            if !self.poll().await? {
                return Ok(());
            }
        }
        if self.by == By::Group {
            let _may_have_no_answer = self.consumer.close(PATIENCE).await;
        }
        Ok(())
    }

    async fn assign_some(&mut self, random: &mut fastrand::Rng) {
        let all = self.setup.all().into_iter();
        let some: BTreeSet<TopicPartition> = all.filter(|_| random.bool()).collect();
        self.assign(some).await;
    }

    /// Reads these partitions; does nothing more if it cannot find out where they begin.
    pub(super) async fn assign(&mut self, partitions: BTreeSet<TopicPartition>) {
        let begun = self.recorder().begin(self.process);
        // After an error it reads some of them, and some as before.
        let assigned = self.consumer.assign(partitions).await;
        let held = self.consumer.assignment();
        let outcome = match assigned {
            Ok(()) => Outcome::Ok,
            Err(_) => Outcome::Unknown,
        };
        let held = held.iter().map(name).collect();
        self.recorder().end(begun, Action::Assign(held), outcome);
    }

    /// Goes back to a place where it was.
    async fn seek(&mut self, random: &mut fastrand::Rng) {
        let held = self.consumer.assignment();
        self.seen.retain(|(partition, _)| held.contains(partition));
        let Some((partition, offset)) = random.choice(&self.seen).cloned() else {
            return;
        };
        let begun = self.recorder().begin(self.process);
        let sought = self.consumer.seek(&partition, SeekTo::Offset(offset)).await;
        if sought.is_ok() {
            let action = Action::Seek {
                partition: name(&partition),
                offset: Some(offset.0),
            };
            self.recorder().end(begun, action, Outcome::Ok);
        }
    }

    /// Polls once, and returns whether the consumer can go on.
    ///
    /// # Errors
    /// When a record cannot be understood.
    pub(super) async fn poll(&mut self) -> Result<bool> {
        let at = self.recorder().now();
        let polled = self.consumer.poll(POLL).await;
        // What the group gave in this poll begins somewhere else.
        for partition in self.given.take() {
            let begun = self.recorder().began(self.process, at);
            let action = Action::Seek {
                partition: name(&partition),
                offset: None,
            };
            self.recorder().end(begun, action, Outcome::Ok);
        }
        let begun = self.recorder().began(self.process, at);
        match polled {
            Ok(Some(polled)) => {
                let partition = name(&polled.partition);
                let mut records = Vec::new();
                for record in polled.records {
                    let record = record?;
                    records.push(Record {
                        partition: partition.clone(),
                        offset: record.offset.0,
                        value: value(&record)?,
                    });
                }
                if let Some(last) = records.last() {
                    self.seen.push((polled.partition, Offset(last.offset)));
                }
                self.recorder()
                    .end(begun, Action::Poll(records), Outcome::Ok);
            }
            // Most polls of an idle partition: they would only fill the history.
            Ok(None) => {}
            Err(error) => {
                self.recorder()
                    .end(begun, Action::Poll(Vec::new()), Outcome::Failed);
                return Ok(!matches!(error, consumer::Error::PutOut(_)));
            }
        }
        Ok(true)
    }
}

/// The value that a record has as text.
fn value(record: &client::ConsumedRecord) -> Result<u64> {
    let bytes = record.value.as_deref().unwrap_or_default();
    let text = std::str::from_utf8(bytes).ok();
    let value = text.and_then(|text| text.parse().ok());
    value.with_context(|| format!("offset {} has no number: {bytes:?}", record.offset.0))
}
