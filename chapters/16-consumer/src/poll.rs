//! Polling, and what happens within a poll.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use client::Records;
use message_model::{Moment, Offset, OffsetRange, TopicPartition};

use crate::consumer::{Consumer, Place};
use crate::error::Error;
use crate::fetcher::Brought;
use crate::group_member::Callback;
use crate::part::{Chunk, Event, Work};
use crate::settings::{Done, OffsetReset};

/// What a poll returns: records of one partition, in order.
#[derive(Debug, Clone)]
pub struct Polled {
    /// Of which partition.
    pub partition: TopicPartition,
    /// The records. Each batch is checked, and decompressed, when the first of its records
    /// is taken.
    pub records: Records,
    /// The piece that is done when all of the records are.
    pub work: Work,
}

/// How soon the consumer looks for a topic again that it wants to read and that does not
/// exist.
const LOOK_AGAIN: Duration = Duration::from_secs(1);

impl Consumer {
    /// Returns the next records, of one partition; `None` if there are none within
    /// `timeout`. The partitions take turns.
    ///
    /// Rebalances happen in here, and with [`Done::AtNextPoll`] everything that was
    /// returned before is done now. Poll at least every
    /// [`max_poll_interval`](crate::Settings::max_poll_interval): else the group gives the
    /// partitions to others.
    ///
    /// A poll may be dropped while it waits. No record is lost then; a listener may hear the
    /// same news twice.
    ///
    /// # Errors
    /// When the consumer was put out of its group, or cannot find out where to begin. After
    /// an error another poll may succeed, except after [`Error::PutOut`].
    pub async fn poll(&mut self, timeout: Duration) -> Result<Option<Polled>, Error> {
        let clock = self.client.clock();
        let deadline = clock.now().plus(timeout);
        self.finish_polled();
        if let Some(member) = &self.member {
            member.step(Event::Polled);
        }
        // ANCHOR: poll
        // Both are subscribed to before anything is looked at.
        let mut changes = self.fetcher.buffer.changes();
        let mut news = self.member.as_ref().map(|member| member.news());
        loop {
            changes.mark_unchanged();
            news.iter_mut().for_each(|news| news.mark_unchanged());
            while self.call_back_once(self.deadline()).await? {}
            if let Some(problem) = self.member.as_ref().and_then(|member| member.failed()) {
                return Err(Error::PutOut(problem));
            }
            self.look_for_topics().await?;
            self.commit_if_due();
            if let Some(polled) = self.take().await? {
                return Ok(Some(polled));
            }
            let now = clock.now();
            if now >= deadline {
                return Ok(None);
            }
            let hears = async {
                match &mut news {
                    Some(news) => news.changed().await.is_ok(),
                    None => std::future::pending().await,
                }
            };
            tokio::select! {
                _ = changes.changed() => {}
                _ = hears => {}
                () = self.acks.any_done() => {}
                () = clock.sleep_until(deadline.min(self.next_duty(now))) => {}
            }
        }
        // ANCHOR_END: poll
    }

    /// With [`Done::AtNextPoll`]: what was polled is done.
    pub(crate) fn finish_polled(&mut self) {
        for work in self.polled.drain(..) {
            self.acks.done(&work);
        }
    }

    /// Runs what a rebalance asks for, if anything, else waits for it until `deadline`.
    pub(crate) async fn call_back(&mut self, deadline: Moment) -> Result<(), Error> {
        if self.call_back_once(deadline).await? {
            return Ok(());
        }
        let Some(member) = self.member.clone() else {
            return Ok(());
        };
        let mut news = member.news();
        news.mark_unchanged();
        if member.next_callback().is_some() || member.is_closed() {
            return Ok(());
        }
        let clock = self.client.clock();
        tokio::select! {
            _ = news.changed() => {}
            () = clock.sleep_until(deadline) => {}
        }
        Ok(())
    }

    /// Runs one callback; whether there was one.
    async fn call_back_once(&mut self, deadline: Moment) -> Result<bool, Error> {
        let Some(member) = self.member.clone() else {
            return Ok(false);
        };
        let Some(callback) = member.next_callback() else {
            return Ok(false);
        };
        match callback {
            Callback::Assign(ticket, partitions) => {
                self.begin_reading(&partitions).await?;
                self.listener.assigned(&partitions);
                member.called_back(ticket);
            }
            // ANCHOR: revoke
            Callback::Revoke(ticket, partitions) => {
                for partition in &partitions {
                    self.fetcher.buffer.remove(partition);
                }
                self.finish_polled();
                let drained = self.listener.drain(&partitions).await;
                if !drained.is_empty() {
                    let _turn = Arc::clone(&self.commits).lock_owned().await;
                    let refused = self.commit_now(&drained, deadline).await.err();
                    self.refused_commit = refused.or(self.refused_commit.take());
                }
                self.listener.revoked(&partitions);
                if self.settings.auto_commit.is_some() {
                    // Refused: the partitions are others' by now, and what was done since the
                    // last commit is done again. A poll goes on; a close says so.
                    let refused = self.commit_done(deadline).await.err();
                    self.refused_commit = refused.or(self.refused_commit.take());
                }
                for partition in &partitions {
                    self.stop_reading(partition);
                }
                member.called_back(ticket);
            }
            // ANCHOR_END: revoke
            Callback::Lose(ticket, partitions) => {
                for partition in &partitions {
                    self.stop_reading(partition);
                }
                self.listener.lost(&partitions);
                member.called_back(ticket);
            }
        }
        Ok(true)
    }

    /// Begins to read partitions, each where its group is, or where it is to begin.
    pub(crate) async fn begin_reading(
        &mut self,
        partitions: &BTreeSet<TopicPartition>,
    ) -> Result<(), Error> {
        let deadline = self.deadline();
        let committed = match self.group_calls() {
            Ok(calls) if !partitions.is_empty() => {
                calls.committed(Some(partitions), deadline).await?
            }
            _ => BTreeMap::new(),
        };
        for partition in partitions {
            let committed = committed.get(partition).map(|committed| committed.offset);
            let position = match committed {
                Some(offset) => offset,
                None => self.reset_offset(partition, deadline).await?,
            };
            self.fetcher.add(partition.clone(), position).await?;
            let tracker = &mut self.acks.tracker();
            tracker.begin(partition.clone(), position, committed);
            let place = Place {
                position,
                high_watermark: None,
            };
            self.positions.insert(partition.clone(), place);
        }
        Ok(())
    }

    pub(crate) fn stop_reading(&mut self, partition: &TopicPartition) {
        self.fetcher.buffer.remove(partition);
        self.acks.tracker().end(partition);
        self.positions.remove(partition);
    }

    /// Takes what is next in the buffer, if there is something for the application.
    async fn take(&mut self) -> Result<Option<Polled>, Error> {
        while let Some(chunk) = self.next_chunk() {
            let Chunk {
                partition,
                records,
                from,
            } = chunk;
            let (records, next, high_watermark) = match records {
                Brought::Batches {
                    batches,
                    next,
                    high_watermark,
                    aborted,
                } => {
                    let records = client::records(batches, from).without(aborted);
                    (records, next, high_watermark)
                }
                Brought::OutOfRange => {
                    let deadline = self.deadline();
                    let position = self.reset_offset(&partition, deadline).await?;
                    self.move_to(&partition, position);
                    continue;
                }
                Brought::Refused(code) => return Err(client::Error::Broker(code).into()),
            };
            let offsets = OffsetRange {
                start: from,
                end: next,
            };
            let work = self.acks.tracker().hand_out(&partition, offsets);
            let (Some(work), Some(place)) = (work, self.positions.get_mut(&partition)) else {
                continue;
            };
            *place = Place {
                position: next,
                high_watermark: Some(high_watermark),
            };
            if self.settings.done == Done::AtNextPoll {
                self.polled.push(work.clone());
            }
            return Ok(Some(Polled {
                partition,
                records,
                work,
            }));
        }
        Ok(None)
    }

    /// The next chunk of a partition that has room above what is done.
    fn next_chunk(&self) -> Option<Chunk<TopicPartition, Brought>> {
        let tracker = self.acks.tracker();
        let buffer = &self.fetcher.buffer;
        buffer.try_take_of(|partition| tracker.has_room(partition))
    }

    /// Where a partition without a committed offset begins.
    async fn reset_offset(
        &self,
        partition: &TopicPartition,
        deadline: Moment,
    ) -> Result<Offset, Error> {
        let spec = match self.settings.reset {
            OffsetReset::Earliest => client::OffsetSpec::Earliest,
            OffsetReset::Latest => self.end(),
            OffsetReset::None => return Err(Error::NoOffset(partition.clone())),
        };
        let found = self.find_offset(partition, spec, deadline).await?;
        found.ok_or_else(|| Error::NoOffset(partition.clone()))
    }

    /// Looks, when it is time, whether the subscribed topics are others, or have other
    /// partitions, than when they were shared.
    async fn look_for_topics(&mut self) -> Result<(), Error> {
        let now = self.client.clock().now();
        let (Some(topics), Some(member)) = (self.subscription.clone(), self.member.clone()) else {
            return Ok(());
        };
        if now < self.look_at {
            return Ok(());
        }
        self.look_at = self.next_look();
        let Ok(names) = self.matching(&topics).await else {
            // The next look may find them.
            return Ok(());
        };
        member.subscribe(names);
        if let Some(shared) = member.shared()
            && let Ok(counts) = member
                .count_partitions(shared.keys().cloned().collect())
                .await
            && counts != shared
        {
            member.step(Event::Rejoin);
        }
        Ok(())
    }

    pub(crate) fn next_look(&self) -> Moment {
        let max_age = self.settings.topics_max_age;
        let is_waiting = self.positions.is_empty();
        let age = if is_waiting {
            max_age.min(LOOK_AGAIN)
        } else {
            max_age
        };
        self.client.clock().now().plus(age)
    }

    /// When a poll that waits has something to do.
    fn next_duty(&self, now: Moment) -> Moment {
        let mut next = now.plus(Duration::from_secs(1));
        if self.subscription.is_some() {
            next = next.min(self.look_at);
        }
        if self.settings.auto_commit.is_some() {
            next = next.min(self.commit_at);
        }
        next
    }
}
