//! Consume, transform, produce: exactly once.

use std::sync::Arc;
use std::time::Duration;

use async_model::Clock;
use bytes::Bytes;
use client::{Client, ConsumedRecord};
use consumer::{Consumer, Done, Polled, SeekTo, Topics};
use message_model::{OffsetRange, PartitionIndex, Timestamp, TopicName, TopicPartition};
use record_batch::Header;
use tokio::sync::Mutex;

use crate::error::Error;
use crate::news::Listener;
use crate::progress::Progress;
use crate::settings::{Settings, TransformSettings};
use crate::transactional_producer::TransactionalProducer;

/// The longest that a poll takes when nothing is to be committed. So often it is looked
/// whether the transform shall stop.
const POLL: Duration = Duration::from_millis(100);

/// A record that a transform writes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Output {
    /// Where to.
    pub topic: TopicName,
    /// To which partition; `None`: the key decides, or if there is none, the producer does.
    pub partition: Option<PartitionIndex>,
    /// When it happened; `None`: now.
    pub timestamp: Option<Timestamp>,
    /// The key.
    pub key: Option<Bytes>,
    /// The value.
    pub value: Option<Bytes>,
    /// Names with values beside these.
    pub headers: Vec<(String, Option<Bytes>)>,
}

impl Output {
    pub(crate) fn headers(&self) -> impl Iterator<Item = Header<'_>> {
        self.headers.iter().map(|(key, value)| Header {
            key,
            value: value.as_deref(),
        })
    }
}

/// Reads records, and writes what a function makes of them, in transactions: for those that
/// read committed records, each record that was read has led to its outputs once, whatever
/// crashes.
///
/// Outputs and the offsets behind the records that led to them are committed together, so
/// another instance, or the same one after a restart, goes on behind what counts. The
/// function is called again for records whose transaction was aborted; what else it does than
/// to return outputs is done again then.
#[derive(Debug)]
pub struct Transform {
    clock: Clock,
    consumer: Consumer,
    progress: Arc<Mutex<Progress>>,
    listener: Listener,
}

impl Transform {
    /// Returns a transform that reads `topics` as a member of a group. Committed records
    /// alone are read, and nothing is committed but within transactions, whatever `source`
    /// says.
    ///
    /// # Errors
    /// When there is no group, or the producer cannot [begin](TransactionalProducer::init).
    pub async fn start(
        client: Arc<Client>,
        source: consumer::Settings,
        topics: Topics,
        sink: Settings,
        settings: TransformSettings,
    ) -> Result<Transform, Error> {
        let source = consumer::Settings {
            read_committed: true,
            auto_commit: None,
            done: Done::AtNextPoll,
            ..source
        };
        // First of all: from here on a former instance commits nothing.
        let producer = TransactionalProducer::init(Arc::clone(&client), sink).await?;
        let clock = client.clock();
        let mut consumer = Consumer::new(client, source);
        consumer.subscribe(topics).await?;
        let group = consumer.group_metadata()?;
        let progress = Progress::new(producer, clock, group, settings);
        let progress = Arc::new(Mutex::new(progress));
        let listener = Listener::new(Arc::clone(&progress));
        consumer.listen(listener.clone());
        Ok(Transform {
            clock,
            consumer,
            progress,
            listener,
        })
    }

    /// Reads and writes until `stop` ends, and commits what is open then.
    ///
    /// # Errors
    /// When another instance has taken over, the consumer is put out of its group, a record
    /// cannot be read or written, or the broker cannot be reached for too long. What is not
    /// committed will be read again: another transform goes on, and this one cannot.
    // ANCHOR: run
    pub async fn run(
        &mut self,
        mut function: impl FnMut(&TopicPartition, &ConsumedRecord) -> Vec<Output>,
        stop: impl Future<Output = ()>,
    ) -> Result<(), Error> {
        let mut stop = std::pin::pin!(stop);
        loop {
            tokio::select! {
                biased;
                () = &mut stop => break,
                () = std::future::ready(()) => {}
            }
            let polled = self.poll().await?;
            let mut progress = self.progress.lock().await;
            if let Some(polled) = polled {
                process(&mut progress, polled, &mut function).await?;
            }
            if progress.is_due() {
                progress.commit().await?;
            }
        }
        self.progress.lock().await.commit().await
    }
    // ANCHOR_END: run

    /// Commits what is open, and leaves the group. Takes about `patience`.
    ///
    /// # Errors
    /// When that fails; another instance reads again what was not committed.
    pub async fn close(self, patience: Duration) -> Result<(), Error> {
        let closed = self.consumer.close(patience).await;
        self.progress.lock().await.take_ended()?;
        Ok(closed?)
    }

    /// Polls until the transaction is due, and follows what rebalances have done meanwhile.
    async fn poll(&mut self) -> Result<Option<Polled>, Error> {
        let due = self.progress.lock().await.commit_by();
        let timeout = due.map_or(POLL, |due| due.since(self.clock.now()).min(POLL));
        let polled = match self.consumer.poll(timeout).await {
            Err(consumer::Error::Client(error)) if error.is_retriable() => {
                // The next poll may succeed, and fails at once if it does not.
                self.clock.sleep_until(self.clock.now().plus(POLL)).await;
                None
            }
            polled => polled?,
        };
        let news = self.listener.take();
        let mut progress = self.progress.lock().await;
        progress.take_ended()?;
        if news.is_lost {
            // Some of its records are another member's by now.
            progress.abort().await?;
        }
        let again = progress.take_again(&news.changed);
        drop(progress);
        let is_stale = |polled: &Polled| again.contains_key(&polled.partition);
        let polled = polled.filter(|polled| !is_stale(polled));
        for (partition, offset) in &again {
            // It may be gone without being revoked, by a change of topics.
            let sought = self.consumer.seek(partition, SeekTo::Offset(*offset)).await;
            if !matches!(sought, Err(consumer::Error::NotAssigned(_))) {
                sought?;
            }
        }
        Ok(polled)
    }
}

/// Adds records to the transaction, and commits it as often as it is full. Leaves the rest out
/// when the transaction had to be aborted.
async fn process(
    progress: &mut Progress,
    polled: Polled,
    function: &mut impl FnMut(&TopicPartition, &ConsumedRecord) -> Vec<Output>,
) -> Result<(), Error> {
    let Polled {
        partition,
        mut records,
        work,
    } = polled;
    let mut start = work.offsets.start;
    while let Some(record) = records.next() {
        let record = record?;
        let outputs = function(&partition, &record);
        let end = records.next_offset();
        progress
            .add(&partition, OffsetRange { start, end }, &outputs)
            .await?;
        start = end;
        if progress.is_due() {
            progress.commit().await?;
            if progress.has_aborted() {
                return Ok(());
            }
        }
    }
    // Behind markers, and records of aborted transactions.
    let end = work.offsets.end;
    if start < end {
        progress.reach(&partition, OffsetRange { start, end })?;
    }
    Ok(())
}
