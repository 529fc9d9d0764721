//! The consumer: what it reads, and how it begins and ends.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use client::Client;
use message_model::{Moment, Offset, TopicName, TopicPartition};

use crate::acks::Acks;
use crate::error::Error;
use crate::fetcher::Fetcher;
use crate::group_calls::GroupCalls;
use crate::group_member::GroupMember;
use crate::group_metadata::GroupMetadata;
use crate::listener::{Deaf, RebalanceListener};
use crate::part::{Event, Work};
use crate::pattern::Topics;
use crate::settings::Settings;

/// Reads partitions: those that its group gives it ([`subscribe`](Consumer::subscribe)),
/// or those that the application names ([`assign`](Consumer::assign)).
///
/// The application polls. Fetches, heartbeats and joining go on in the background
/// meanwhile; what a rebalance gives and takes happens within a poll. A consumer that is
/// dropped without a [`close`](Consumer::close) is expired by its group after the session
/// timeout.
pub struct Consumer {
    pub(crate) client: Arc<Client>,
    pub(crate) settings: Settings,
    pub(crate) fetcher: Arc<Fetcher>,
    pub(crate) member: Option<Arc<GroupMember>>,
    pub(crate) listener: Box<dyn RebalanceListener>,
    pub(crate) acks: Acks,
    /// What was polled and is done at the next poll.
    pub(crate) polled: Vec<Work>,
    /// Where each partition is read next.
    pub(crate) positions: BTreeMap<TopicPartition, Place>,
    pub(crate) subscription: Option<Topics>,
    /// When the consumer commits by itself next.
    pub(crate) commit_at: Moment,
    /// Whose turn it is to commit: one commit at a time.
    pub(crate) commits: Arc<tokio::sync::Mutex<()>>,
    /// Why the last commit before a revocation failed.
    pub(crate) refused_commit: Option<Error>,
    /// When it looks next whether topics have changed.
    pub(crate) look_at: Moment,
}

/// Where a consumer is in a partition.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Place {
    pub(crate) position: Offset,
    /// Where the partition ended when it was last fetched from.
    pub(crate) high_watermark: Option<Offset>,
}

impl fmt::Debug for Consumer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Consumer")
            .field("group", &self.settings.group)
            .field("positions", &self.positions)
            .finish_non_exhaustive()
    }
}

impl Consumer {
    /// Returns a consumer that reads nothing yet. It reaches the brokers of `client` over
    /// connections of its own, so it waits for no other user of that client. Must be called
    /// inside a tokio runtime.
    #[must_use]
    pub fn new(client: Arc<Client>, settings: Settings) -> Consumer {
        let client = Arc::new(client.with_own_connections());
        let now = client.clock().now();
        Consumer {
            fetcher: Fetcher::new(Arc::clone(&client), settings.clone()),
            member: None,
            listener: Box::new(Deaf),
            acks: Acks::new(settings.span_max),
            polled: Vec::new(),
            positions: BTreeMap::new(),
            subscription: None,
            commit_at: now,
            commits: Arc::default(),
            refused_commit: None,
            look_at: now,
            client,
            settings,
        }
    }

    /// Returns where records are marked as done, with
    /// [`Done::WhenSaid`](crate::Done::WhenSaid).
    #[must_use]
    pub fn acks(&self) -> Acks {
        self.acks.clone()
    }

    /// Makes `listener` hear what rebalances give and take.
    pub fn listen(&mut self, listener: impl RebalanceListener + 'static) {
        self.listener = Box::new(listener);
    }

    /// Reads these topics, with the others of its group. The consumer joins in the
    /// background; polls return records when it has its partitions.
    ///
    /// # Errors
    /// When it has no group, or, for a pattern, when the topics cannot be listed.
    pub async fn subscribe(&mut self, topics: Topics) -> Result<(), Error> {
        let calls = self.group_calls()?;
        let names = self.matching(&topics).await?;
        let settings = &self.settings;
        let member = self
            .member
            .get_or_insert_with(|| GroupMember::new(calls, settings.clone()));
        member.subscribe(names);
        self.subscription = Some(topics);
        self.look_at = self.next_look();
        Ok(())
    }

    /// Reads exactly these partitions, in no group. They begin at what is committed, if
    /// there is a group to ask about, else where
    /// [`OffsetReset`](crate::OffsetReset) says.
    ///
    /// # Errors
    /// When where to begin cannot be found out.
    pub async fn assign(&mut self, partitions: BTreeSet<TopicPartition>) -> Result<(), Error> {
        let held: Vec<TopicPartition> = self.positions.keys().cloned().collect();
        for partition in held.iter().filter(|held| !partitions.contains(held)) {
            self.stop_reading(partition);
        }
        let is_new = |partition: &&TopicPartition| !self.positions.contains_key(partition);
        let new: BTreeSet<TopicPartition> = partitions.iter().filter(is_new).cloned().collect();
        self.begin_reading(&new).await
    }

    /// Returns what the consumer reads.
    #[must_use]
    pub fn assignment(&self) -> BTreeSet<TopicPartition> {
        self.positions.keys().cloned().collect()
    }

    /// Stops to fetch these partitions, and to return what was fetched of them, until they
    /// are resumed. The consumer stays their owner, as long as it polls.
    pub fn pause(&self, partitions: &BTreeSet<TopicPartition>) {
        for partition in partitions {
            self.fetcher.buffer.set_paused(partition, true);
        }
    }

    /// Goes on with partitions that were paused.
    pub fn resume(&self, partitions: &BTreeSet<TopicPartition>) {
        for partition in partitions {
            self.fetcher.buffer.set_paused(partition, false);
        }
    }

    /// Returns what a transaction names when it commits offsets of the group.
    ///
    /// # Errors
    /// When the consumer has no group.
    pub fn group_metadata(&self) -> Result<GroupMetadata, Error> {
        let group = self.settings.group.as_deref().ok_or(Error::NoGroup)?;
        Ok(GroupMetadata {
            group: group.into(),
            instance: self.settings.instance.clone(),
            member: self.member.clone(),
        })
    }

    /// Gives everything up, commits what is done if the consumer commits by itself, and
    /// leaves the group, unless it is a static member. Takes at most `patience`.
    ///
    /// # Errors
    /// When the last commit failed; the consumer is closed then, too.
    pub async fn close(mut self, patience: Duration) -> Result<(), Error> {
        let deadline = self.client.clock().now().plus(patience);
        self.finish_polled();
        self.refused_commit = None;
        match self.member.clone() {
            Some(member) => {
                member.step(Event::Close);
                while !member.is_closed() && self.client.clock().now() < deadline {
                    let called_back = self.call_back(deadline).await;
                    if called_back.is_err() || member.failed().is_some() {
                        break;
                    }
                }
                member.finish(deadline).await;
            }
            None if self.settings.auto_commit.is_some() => {
                self.refused_commit = self.commit_done(deadline).await.err();
            }
            None => {}
        }
        self.refused_commit.take().map_or(Ok(()), Err)
    }

    pub(crate) fn group_calls(&self) -> Result<GroupCalls, Error> {
        let group = self.settings.group.as_deref().ok_or(Error::NoGroup)?;
        Ok(GroupCalls {
            client: Arc::clone(&self.client),
            group: group.into(),
            instance: self.settings.instance.clone(),
            require_stable: self.settings.read_committed,
        })
    }

    /// The topics that are subscribed to, as far as they exist or are named.
    pub(crate) async fn matching(&self, topics: &Topics) -> Result<BTreeSet<TopicName>, Error> {
        if let Topics::Named(names) = topics {
            return Ok(names.clone());
        }
        let all = self.client.metadata(None).await?;
        let public = all.topics.into_iter().filter(|topic| !topic.is_internal);
        let names = public.filter_map(|topic| TopicName::new(&topic.name).ok());
        Ok(names.filter(|name| topics.contains(name)).collect())
    }

    pub(crate) fn deadline(&self) -> Moment {
        self.client.clock().now().plus(self.settings.patience)
    }
}

impl Drop for Consumer {
    fn drop(&mut self) {
        self.fetcher.close();
        if let Some(member) = &self.member {
            member.stop();
        }
    }
}
