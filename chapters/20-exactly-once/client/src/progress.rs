//! How far a transform is: what is in its open transaction.

use std::collections::{BTreeMap, BTreeSet};

use async_model::Clock;
use consumer::{Committed, GroupMetadata};
use message_model::{Moment, Offset, OffsetRange, TopicPartition};
use producer::Record;
use wire_protocol::ErrorCode;

use crate::error::Error;
use crate::settings::TransformSettings;
use crate::transactional_producer::TransactionalProducer;
use crate::transform::Output;

/// The codes with which a group's coordinator refuses offsets because the group has changed:
/// another member reads the partitions, or will. The records are left to it.
const GROUP_CHANGED: [ErrorCode; 4] = [
    ErrorCode::ILLEGAL_GENERATION,
    ErrorCode::UNKNOWN_MEMBER_ID,
    ErrorCode::REBALANCE_IN_PROGRESS,
    ErrorCode::FENCED_INSTANCE_ID,
];

/// The open transaction of a transform.
///
/// # Invariants
/// - A transaction is open as long as something was read that is not committed.
/// - It has the outputs of exactly those records that are in `read`.
#[derive(Debug)]
pub(crate) struct Progress {
    producer: TransactionalProducer,
    clock: Clock,
    group: GroupMetadata,
    settings: TransformSettings,
    /// Of each partition: which of its offsets are in the transaction.
    read: BTreeMap<TopicPartition, OffsetRange>,
    /// How many records those are.
    count: usize,
    commit_by: Option<Moment>,
    /// Where partitions are to be read again, after their transaction was aborted.
    again: BTreeMap<TopicPartition, Offset>,
    /// What has ended the transform, within a rebalance.
    ended: Option<Error>,
}

impl Progress {
    pub(crate) fn new(
        producer: TransactionalProducer,
        clock: Clock,
        group: GroupMetadata,
        settings: TransformSettings,
    ) -> Progress {
        Progress {
            producer,
            clock,
            group,
            settings,
            read: BTreeMap::new(),
            count: 0,
            commit_by: None,
            again: BTreeMap::new(),
            ended: None,
        }
    }

    /// The record at the start of `offsets` was read, and leads to `outputs`.
    pub(crate) async fn add(
        &mut self,
        partition: &TopicPartition,
        offsets: OffsetRange,
        outputs: &[Output],
    ) -> Result<(), Error> {
        self.reach(partition, offsets)?;
        self.count += 1;
        for output in outputs {
            let headers: Vec<_> = output.headers().collect();
            let record = Record {
                partition: output.partition,
                timestamp: output.timestamp,
                key: output.key.as_deref(),
                value: output.value.as_deref(),
                headers: &headers,
            };
            self.producer.send(&output.topic, record).await?;
        }
        Ok(())
    }

    /// These offsets were read; there may be no record in them.
    pub(crate) fn reach(
        &mut self,
        partition: &TopicPartition,
        offsets: OffsetRange,
    ) -> Result<(), Error> {
        if self.read.is_empty() {
            self.producer.begin()?;
            self.commit_by = Some(self.clock.now().plus(self.settings.time_max));
        }
        let read = self.read.entry(partition.clone()).or_insert(offsets);
        read.end = offsets.end;
        Ok(())
    }

    /// When the transaction is to be committed; `None`: there is none.
    pub(crate) fn commit_by(&self) -> Option<Moment> {
        self.commit_by
    }

    /// Whether the transaction has as many records as it may have, or was open for as long.
    pub(crate) fn is_due(&self) -> bool {
        let is_over = self.commit_by.is_some_and(|by| by <= self.clock.now());
        is_over || self.count >= self.settings.records_max
    }

    // ANCHOR: commit
    /// Commits the transaction with its offsets, if there is one. If the group has changed, so
    /// that the offsets are not this member's any more, aborts it instead.
    pub(crate) async fn commit(&mut self) -> Result<(), Error> {
        if self.read.is_empty() {
            return Ok(());
        }
        let offset = |(partition, read): (&TopicPartition, &OffsetRange)| {
            let committed = Committed {
                offset: read.end,
                metadata: String::new(),
            };
            (partition.clone(), committed)
        };
        let offsets = self.read.iter().map(offset).collect();
        match self.producer.send_offsets(&self.group, &offsets).await {
            Ok(()) => {}
            Err(error) if is_group_changed(&error) => return self.abort().await,
            Err(error) => return Err(error),
        }
        self.producer.commit().await?;
        self.forget();
        Ok(())
    }
    // ANCHOR_END: commit

    /// Aborts the transaction, if there is one. Its partitions are to be read again.
    pub(crate) async fn abort(&mut self) -> Result<(), Error> {
        if self.read.is_empty() {
            return Ok(());
        }
        let starts = self.read.iter();
        let starts = starts.map(|(partition, read)| (partition.clone(), read.start));
        self.again.extend(starts);
        self.forget();
        self.producer.abort().await
    }

    /// Whether partitions are to be read again.
    pub(crate) fn has_aborted(&self) -> bool {
        !self.again.is_empty()
    }

    fn forget(&mut self) {
        self.read.clear();
        self.count = 0;
        self.commit_by = None;
    }

    /// Takes where partitions are to be read again, except `changed` ones: those begin at what
    /// is committed.
    pub(crate) fn take_again(
        &mut self,
        changed: &BTreeSet<TopicPartition>,
    ) -> BTreeMap<TopicPartition, Offset> {
        let mut again = std::mem::take(&mut self.again);
        again.retain(|partition, _| !changed.contains(partition));
        again
    }

    /// Keeps what a commit within a rebalance has led to.
    pub(crate) fn note(&mut self, committed: Result<(), Error>) {
        if let Err(error) = committed {
            self.ended.get_or_insert(error);
        }
    }

    /// Returns what has ended the transform within a rebalance.
    pub(crate) fn take_ended(&mut self) -> Result<(), Error> {
        self.ended.take().map_or(Ok(()), Err)
    }
}

fn is_group_changed(error: &Error) -> bool {
    match error {
        Error::Client(error) => error
            .code()
            .is_some_and(|code| GROUP_CHANGED.contains(&code)),
        _ => false,
    }
}
