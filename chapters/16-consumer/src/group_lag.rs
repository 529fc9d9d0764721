//! How far a group is behind, seen from outside.

use std::collections::BTreeSet;
use std::sync::Arc;

use client::{Client, OffsetSpec};
use message_model::{PartitionIndex, TopicName, TopicPartition};

use crate::error::Error;
use crate::group_calls::GroupCalls;
use crate::seek::{Lag, find_offset};

/// Returns how far `group` is behind in each partition of `topic`: from what it has
/// committed, or from the first record where it has committed nothing, to the end.
///
/// # Errors
/// When the coordinator or a leader cannot be asked.
pub async fn group_lag(
    client: &Arc<Client>,
    group: &str,
    topic: &TopicName,
) -> Result<Vec<Lag>, Error> {
    let deadline = client.deadline();
    let count = client.topic(topic, deadline).await?.partitions.len();
    let index = |index: usize| PartitionIndex(i32::try_from(index).unwrap_or(i32::MAX));
    let partitions: BTreeSet<TopicPartition> = (0..count)
        .map(|partition| TopicPartition {
            topic: topic.clone(),
            partition: index(partition),
        })
        .collect();
    let calls = GroupCalls {
        client: Arc::clone(client),
        group: group.into(),
        instance: None,
    };
    let committed = calls.committed(&partitions, deadline).await?;
    let mut lags = Vec::new();
    for partition in partitions {
        let end = find_offset(client, &partition, OffsetSpec::Latest, deadline).await?;
        let position = match committed.get(&partition) {
            Some(committed) => Some(committed.offset),
            None => find_offset(client, &partition, OffsetSpec::Earliest, deadline).await?,
        };
        lags.push(Lag {
            position: position.unwrap_or_default(),
            end,
            partition,
        });
    }
    Ok(lags)
}
