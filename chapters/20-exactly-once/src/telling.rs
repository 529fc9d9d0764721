//! Partitions are told that a transaction begins, and how it ends.

use std::sync::Arc;

use broker::{Error, Partition};
use futures_util::future::join_all;
use message_model::{Moment, Offset, TopicPartition};
use record_batch::{EndTransaction, Marker};
use wire_protocol::ErrorCode;

use crate::common::Common;
use crate::entry::Entry;
use crate::part::{Effect, Instance, Outcome, Refusal, State};
use crate::shard::Shard;
use crate::state::{Beginning, Marking};

/// There is one coordinator, and it never changes.
const COORDINATOR_EPOCH: i32 = 0;
/// Why a partition takes no producer for now, for the log.
const FULL: &str = "producers with open transactions take half of mqd.producers.max already";

impl Shard {
    /// Tells partitions that they are in a transaction, and reports it.
    pub(crate) async fn begin(self: Arc<Self>, beginning: Beginning) {
        let common = &self.common;
        let told = join_all(beginning.partitions.iter().map(|partition| async move {
            let Instance { id, epoch } = beginning.producer;
            let found = common.partition(partition)?;
            let now = common.broker.services.clock.wall();
            found.begin_transaction(now, id, epoch).await
        }))
        .await;
        let names = beginning.partitions.iter();
        let (mut is_begun, mut without_room) = (true, 0);
        for (name, told) in names.zip(told) {
            match told {
                Ok(()) => {}
                // The producer hears it when it writes there: another attempt would change nothing.
                Err(Error::Rejected(ErrorCode::INVALID_PRODUCER_EPOCH)) => {
                    tracing::warn!("{name} has seen a newer epoch than that of a transaction");
                }
                Err(Error::Rejected(ErrorCode::POLICY_VIOLATION)) => without_room += 1,
                Err(error) => {
                    is_begun = false;
                    tracing::warn!("{name} does not hear of a transaction: {error}");
                }
            }
        }
        let asker = &beginning.asker;
        if without_room > 0 {
            let id = &asker.id;
            tracing::warn!(
                "{without_room} partitions do not hear of a transaction of {id:?}: {FULL}"
            );
        }
        self.report(asker, |transactions, _| match without_room {
            0 => transactions.begun(beginning.work, is_begun),
            _ => refuse_for_good(transactions.begun(beginning.work, false)),
        });
    }

    /// Ends all parked calls of a shard that is on no disk any more, and forgets its ids. Markers
    /// that are being written go on. What is open stays open in its partitions, as in Kafka, until
    /// an operator ends it.
    pub(crate) fn forget(&self) {
        self.close();
        let ids = std::mem::take(&mut self.state().ids);
        let is_open =
            |entry: &&Entry| matches!(entry.transactions.metadata().state, State::Ongoing);
        let open = ids.values().filter(is_open).count();
        if open > 0 {
            tracing::warn!(
                open,
                "the topic of transactions is deleted: `kafka-transactions find-hanging` finds what stays open"
            );
        }
    }

    /// Starts a task for each partition that writes its marker, and reports it.
    pub(crate) fn write_markers(self: &Arc<Self>, marking: Marking) {
        let marking = Arc::new(marking);
        for partition in marking.partitions.clone() {
            let (shard, marking) = (Arc::clone(self), Arc::clone(&marking));
            self.common.runtime.spawn(async move {
                let end = EndTransaction {
                    marker: match marking.outcome {
                        Outcome::Abort => Marker::Abort,
                        Outcome::Commit => Marker::Commit,
                    },
                    coordinator_epoch: COORDINATOR_EPOCH,
                };
                let written = shard.common.write_marker(&partition, marking.producer, end);
                let is_marked = is_done(&partition, written.await);
                shard.report(&marking.asker, |transactions, now| {
                    transactions.marked(now, &partition, is_marked)
                });
            });
        }
    }
}

/// The call hears that there is no room, and not that it may try again at once.
fn refuse_for_good(mut effects: Vec<Effect>) -> Vec<Effect> {
    for effect in &mut effects {
        if let Effect::Answer { answer, .. } = effect {
            *answer = Err(Refusal::TooManyPartitions);
        }
    }
    effects
}

/// Whether the partition needs no marker any more.
fn is_done(partition: &TopicPartition, written: Result<(), Error>) -> bool {
    match written {
        Ok(()) => true,
        // The topic was deleted, and the transaction has nothing there.
        Err(Error::Unknown) => true,
        // A newer instance has been there, and its coordinator has ended the transaction.
        Err(Error::Rejected(
            code @ (ErrorCode::INVALID_PRODUCER_EPOCH | ErrorCode::TRANSACTION_COORDINATOR_FENCED),
        )) => {
            tracing::warn!("{partition} refuses a marker with code {}", code.0);
            true
        }
        Err(error) => {
            tracing::warn!("{partition} has no marker yet: {error}");
            false
        }
    }
}

impl Common {
    /// # Errors
    /// When there is no such partition.
    pub(crate) fn partition(&self, name: &TopicPartition) -> Result<Arc<Partition>, Error> {
        self.broker.topics.partition(&name.topic, name.partition)
    }

    /// Writes a marker; it is on disk when this completes.
    ///
    /// # Errors
    /// As [`Common::append_marker`], or when the disk has failed.
    async fn write_marker(
        &self,
        name: &TopicPartition,
        producer: Instance,
        end: EndTransaction,
    ) -> Result<(), Error> {
        let (partition, written) = self.append_marker(name, producer, end).await?;
        partition.durable(written, self.write_deadline()).await
    }

    /// Appends a marker, and returns up to where the partition must be on disk before anybody
    /// hears of it. In a partition of `__consumer_offsets` the offsets of the transaction count
    /// from then on, or are gone.
    ///
    /// # Errors
    /// When there is no such partition, it refuses the marker, or the disk does.
    pub(crate) async fn append_marker(
        &self,
        name: &TopicPartition,
        producer: Instance,
        end: EndTransaction,
    ) -> Result<(Arc<Partition>, Offset), Error> {
        let Instance { id, epoch } = producer;
        if self.broker.is_offsets_topic(&name.topic) {
            let appended = self.groups.end_transaction(name.partition, id, epoch, end);
            return appended.await;
        }
        let partition = self.partition(name)?;
        let now = self.broker.services.clock.wall();
        let appended = partition.append_marker(now, id, epoch, end).await?;
        Ok((partition, appended.range.end))
    }

    /// Returns when to give up what waits for the disk from now on.
    pub(crate) fn write_deadline(&self) -> Moment {
        let now = self.broker.services.clock.now();
        now.plus(self.settings.write_timeout)
    }
}
