//! How far a group is behind, seen from outside.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use client::{Client, OffsetSpec};
use message_model::{Offset, TopicName, TopicPartition};

use crate::error::Error;
use crate::group_calls::GroupCalls;

/// How far a group is behind in a partition.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GroupLag {
    /// The partition that the rest is about.
    pub partition: TopicPartition,
    /// What the group has committed for it.
    pub committed: Option<Offset>,
    /// The first offset that the partition still has; asked for if nothing is committed.
    pub start: Option<Offset>,
    /// The offset behind the last record; `None` if there is no such partition any more.
    pub end: Option<Offset>,
}

impl GroupLag {
    /// Returns how many offsets are between what is committed, or else the start, and the
    /// end; `None` if the partition is gone.
    #[must_use]
    pub fn offsets(&self) -> Option<i64> {
        let from = self.committed.or(self.start)?;
        Some(self.end?.since(from).max(0))
    }
}

/// Returns what `group` has committed, by partition.
///
/// # Errors
/// When the coordinator cannot be asked.
pub async fn group_offsets(
    client: &Arc<Client>,
    group: &str,
) -> Result<BTreeMap<TopicPartition, Offset>, Error> {
    let calls = GroupCalls {
        client: Arc::clone(client),
        group: group.into(),
        instance: None,
        require_stable: false,
    };
    let committed = calls.committed(None, client.deadline()).await?;
    let offset = |(partition, committed): (_, crate::Committed)| (partition, committed.offset);
    Ok(committed.into_iter().map(offset).collect())
}

/// Returns how far `group` is behind in each partition for which it has committed an
/// offset, and in those of `others`, by partition.
///
/// # Errors
/// When the coordinator or a leader cannot be asked.
pub async fn group_lag(
    client: &Arc<Client>,
    group: &str,
    others: BTreeSet<TopicPartition>,
) -> Result<Vec<GroupLag>, Error> {
    let committed = group_offsets(client, group).await?;
    let partitions: BTreeSet<TopicPartition> = others
        .into_iter()
        .chain(committed.keys().cloned())
        .collect();
    let counts = partition_counts(client, &partitions).await?;
    let mut lags = Vec::new();
    for partition in partitions {
        let committed = committed.get(&partition).copied();
        let mut lag = GroupLag {
            committed,
            start: None,
            end: None,
            partition,
        };
        let index = usize::try_from(lag.partition.partition.0).unwrap_or(usize::MAX);
        if counts
            .get(&lag.partition.topic)
            .is_some_and(|count| index < *count)
        {
            let deadline = client.deadline();
            let find = |spec| client.find_offset(&lag.partition, spec, deadline);
            let end = find(OffsetSpec::Latest).await?;
            if committed.is_none() {
                lag.start = find(OffsetSpec::Earliest).await?;
            }
            lag.end = end;
        }
        lags.push(lag);
    }
    Ok(lags)
}

/// How many partitions the topics have that there are.
async fn partition_counts(
    client: &Client,
    partitions: &BTreeSet<TopicPartition>,
) -> Result<BTreeMap<TopicName, usize>, Error> {
    let topics: BTreeSet<&TopicName> = partitions.iter().map(|one| &one.topic).collect();
    let topics: Vec<TopicName> = topics.into_iter().cloned().collect();
    if topics.is_empty() {
        return Ok(BTreeMap::new());
    }
    let answer = client.metadata(Some(&topics)).await?;
    let count = |name: TopicName| {
        let mut found = answer.topics.iter();
        let found = found.find(|found| found.name == name.as_str());
        let count = found.map_or(0, |found| found.partitions.len());
        (name, count)
    };
    Ok(topics.into_iter().map(count).collect())
}
