//! Offsets that transactions commit: they count when the transaction does.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use broker::{Error, Partition, Produced};
use message_model::{Offset, PartitionIndex, ProducerEpoch, ProducerId, TopicName, TopicPartition};
use record_batch::{EndTransaction, Marker, layout};

use crate::common::Common;
use crate::coordinator::Coordinator;
use crate::offsets::Offsets;
use crate::partition_of::partition_of;
use crate::records::Stored;
use crate::state::State;

/// The bit in a batch's attributes that says that it belongs to a transaction.
const TRANSACTIONAL: u8 = 1 << 4;

/// The transaction that commits offsets, by the producer that has opened it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Transaction {
    pub(crate) producer: ProducerId,
    pub(crate) epoch: ProducerEpoch,
}

impl Transaction {
    /// Returns `batch` as one of this transaction. It has no sequence numbers, because the
    /// producer has not numbered it.
    ///
    /// # Errors
    /// When it is no batch.
    pub(crate) fn take_in(self, mut batch: Vec<u8>) -> Result<Produced, Error> {
        batch[layout::LAST_OFFSET_DELTA - 1] |= TRANSACTIONAL;
        batch[layout::PRODUCER_ID..layout::PRODUCER_EPOCH]
            .copy_from_slice(&self.producer.0.to_be_bytes());
        batch[layout::PRODUCER_EPOCH..layout::BASE_SEQUENCE]
            .copy_from_slice(&self.epoch.0.to_be_bytes());
        let crc = crc32c::crc32c(&batch[layout::ATTRIBUTES..]);
        batch[layout::CRC..layout::ATTRIBUTES].copy_from_slice(&crc.to_be_bytes());
        Produced::by_broker(batch)
    }
}

/// Offsets of one group in transactions that are open, by producer.
#[derive(Debug, Default)]
pub(crate) struct Pending {
    of: BTreeMap<ProducerId, Offsets>,
}

impl Pending {
    pub(crate) fn is_empty(&self) -> bool {
        self.of.is_empty()
    }

    /// Returns about how many bytes of memory they take.
    pub(crate) fn bytes(&self) -> usize {
        self.of.values().map(Offsets::bytes).sum()
    }

    /// Returns whether a transaction may still change what is committed for a partition.
    pub(crate) fn has(&self, topic: &TopicName, partition: i32) -> bool {
        let mut open = self.of.values();
        open.any(|offsets| offsets.get(topic, partition).is_some())
    }

    /// Returns the partitions for which they are, some perhaps twice.
    pub(crate) fn places(&self) -> impl Iterator<Item = (&TopicName, i32)> {
        let all = self.of.values().flat_map(Offsets::iter);
        all.map(|(topic, partition, _)| (topic, partition))
    }

    /// What any transaction was to commit for a partition is void: a tombstone at `at` is
    /// behind it in the log. What a transaction commits for it afterwards is not.
    pub(crate) fn void(&mut self, topic: &TopicName, partition: i32, at: Offset) {
        self.of.retain(|_, offsets| {
            offsets.set(topic, partition, None, at);
            !offsets.is_empty()
        });
    }
}

impl State {
    /// Applies a record at `at` that belongs to the open transaction of `producer`.
    pub(crate) fn apply_pending(
        &mut self,
        common: &Common,
        producer: ProducerId,
        record: &Stored,
        at: Offset,
    ) {
        let Stored::Offset {
            group,
            topic,
            partition,
            value: Some(value),
        } = record
        else {
            return;
        };
        let groups: &mut BTreeSet<_> = self.transactions.entry(producer).or_default();
        groups.insert(Arc::clone(group));
        let entry = self.entry(group, common);
        let offsets = entry.pending.of.entry(producer).or_default();
        offsets.set(topic, *partition, Some(value.clone()), at);
        entry.recount(group);
    }

    /// The transaction of `producer` has ended, by a marker that is in the log below `end`.
    /// If it is a commit, its offsets count from now on.
    pub(crate) fn end_transaction(&mut self, producer: ProducerId, marker: Marker, end: Offset) {
        for group in self.transactions.remove(&producer).unwrap_or_default() {
            let Some(entry) = self.groups.get_mut(&group) else {
                continue;
            };
            // None is left if its topics were deleted meanwhile.
            let offsets = entry.pending.of.remove(&producer).unwrap_or_default();
            if marker == Marker::Commit {
                entry.offsets.take_over(offsets);
                entry.changed_at = end;
            }
            if entry.is_nothing() {
                self.groups.remove(&group);
            } else {
                entry.recount(&group);
            }
        }
    }
}

impl Coordinator {
    /// Returns the partition in which the offsets of a group are stored. Its topic is made if
    /// it is not there.
    ///
    /// # Errors
    /// As the creation of a topic.
    pub async fn offsets_partition(&self, group: &str) -> Result<TopicPartition, Error> {
        self.ensure_topic().await?;
        let topic = self.common.broker.offsets_topic().ok_or(Error::Unknown)?;
        let partition = partition_of(group, topic.partitions.len());
        Ok(topic.partitions[partition].name().clone())
    }

    /// Appends the marker that ends a transaction to a partition of `__consumer_offsets`, and
    /// lets its offsets count, or forgets them. Returns the partition, and up to where it must
    /// be on disk before anybody hears of it.
    ///
    /// It must not be dropped before: what is in the log would not be in memory.
    ///
    /// # Errors
    /// When there is no such partition, when it is still being read, when it refuses the
    /// marker, or the disk does.
    pub async fn end_transaction(
        &self,
        partition: PartitionIndex,
        producer: ProducerId,
        epoch: ProducerEpoch,
        end: EndTransaction,
    ) -> Result<(Arc<Partition>, Offset), Error> {
        let shards = self.shards();
        let index = usize::try_from(partition.0).map_err(|_| Error::Unknown)?;
        let shard = shards.get(index).ok_or(Error::Unknown)?;
        let name = shard.partition.name();
        let there = self
            .common
            .broker
            .topics
            .partition(&name.topic, name.partition);
        if !there.is_ok_and(|there| Arc::ptr_eq(&there, &shard.partition)) {
            // The topic was deleted, and the transaction has nothing there.
            return Err(Error::Unknown);
        }
        let _turn = shard.turn().await.map_err(Error::Rejected)?;
        let clock = self.common.broker.services.clock;
        let appended = shard
            .partition
            .append_marker(clock.wall(), producer, epoch, end)
            .await?;
        let written = appended.range.end;
        shard.state().end_transaction(producer, end.marker, written);
        Ok((Arc::clone(&shard.partition), written))
    }
}
