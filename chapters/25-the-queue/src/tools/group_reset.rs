//! `mqd groups reset`: another committed offset for a group without members.

use std::collections::BTreeMap;
use std::sync::Arc;

use anyhow::{Context as _, Result, bail};
use client::{Client, Error, OffsetSpec};
use consumer::group_offsets;
use message_model::{Offset, TopicName, TopicPartition};
use wire_protocol::ErrorCode;
use wire_protocol::message::{
    OffsetCommitPartition, OffsetCommitRequest, OffsetCommitResponse, OffsetCommitTopic,
};

use super::chosen_partitions;
use super::group_lag::find_group;
use super::groups::ask;
use super::place::{Place, find};
use super::table::Table;

/// What is to be reset, and where to.
#[derive(Debug)]
pub(super) struct Reset {
    pub(super) group: String,
    pub(super) chosen: Chosen,
    pub(super) to: Place,
    /// Whether to do it, and not only to say what would be done.
    pub(super) execute: bool,
}

/// For which partitions.
#[derive(Debug)]
pub(super) enum Chosen {
    Topic(TopicName, Option<i32>),
    /// Those for which the group has committed an offset.
    AllCommitted,
}

pub(super) async fn reset(client: &Arc<Client>, wanted: &Reset) -> Result<String> {
    let group = &wanted.group;
    let found = find_group(client, group).await?;
    if let Some(found) = found.filter(|found| !found.members.is_empty()) {
        bail!(
            "the group {group} has {} member(s), which would not notice; stop them first",
            found.members.len()
        );
    }
    let before = group_offsets(client, group).await;
    let before = before.with_context(|| format!("asking what the group {group} has committed"))?;
    let partitions = match &wanted.chosen {
        Chosen::Topic(topic, partition) => chosen_partitions(client, topic, *partition).await?,
        Chosen::AllCommitted => before.keys().cloned().collect(),
    };
    if partitions.is_empty() {
        bail!("the group {group} has committed nothing; choose a topic with --topic");
    }
    let mut table = Table::new(&["topic", "partition", "committed", "new"]);
    let mut after = BTreeMap::new();
    for partition in partitions {
        let new = new_offset(client, &partition, wanted.to).await?;
        let old = before.get(&partition);
        table.push(vec![
            partition.topic.to_string(),
            partition.partition.0.to_string(),
            old.map_or("-".to_owned(), Offset::to_string),
            new.to_string(),
        ]);
        after.insert(partition, new);
    }
    let mut text = table.lines();
    if wanted.execute {
        commit(client, group, &after).await?;
    } else {
        text.push_str("nothing is changed yet: add --execute to commit the new offsets\n");
    }
    Ok(text)
}

/// An offset outside of the log is moved to its nearer end, or a consumer would start
/// wherever it is told to when it is lost.
async fn new_offset(client: &Client, partition: &TopicPartition, to: Place) -> Result<Offset> {
    let find = async |spec| {
        let found = find(client, partition, spec).await;
        found.with_context(|| format!("looking for the place in {partition}"))
    };
    let end = find(OffsetSpec::Latest).await?.unwrap_or(Offset::ZERO);
    match to {
        // No record is that late: those that are still to come are.
        Place::Spec(spec) => Ok(find(spec).await?.unwrap_or(end)),
        Place::Offset(offset) => {
            let start = find(OffsetSpec::Earliest).await?.unwrap_or(Offset::ZERO);
            let new = offset.clamp(start, end);
            if new != offset {
                eprintln!("{partition} has the offsets {start} to {end}: {new} is the nearest");
            }
            Ok(new)
        }
    }
}

/// As a consumer that is no member of the group.
async fn commit(
    client: &Client,
    group: &str,
    offsets: &BTreeMap<TopicPartition, Offset>,
) -> Result<()> {
    let mut topics: Vec<OffsetCommitTopic> = Vec::new();
    for (partition, offset) in offsets {
        let one = OffsetCommitPartition {
            partition_index: partition.partition.0,
            committed_offset: offset.0,
            committed_metadata: Some(String::new()),
            ..OffsetCommitPartition::default()
        };
        match topics.last_mut() {
            Some(topic) if topic.name == partition.topic.as_str() => topic.partitions.push(one),
            _ => topics.push(OffsetCommitTopic {
                name: partition.topic.to_string(),
                partitions: vec![one],
            }),
        }
    }
    let request = OffsetCommitRequest {
        group_id: group.to_owned(),
        topics,
        ..OffsetCommitRequest::default()
    };
    let committed = ask(client, group, &request, first_error).await;
    committed.map(drop).map_err(|error| match error {
        Error::Broker(ErrorCode::UNKNOWN_MEMBER_ID | ErrorCode::REBALANCE_IN_PROGRESS) => {
            anyhow::anyhow!("the group {group} has members again; stop them first")
        }
        error => anyhow::Error::new(error).context("committing the new offsets"),
    })
}

fn first_error(answer: &OffsetCommitResponse) -> ErrorCode {
    let partitions = answer.topics.iter().flat_map(|topic| &topic.partitions);
    let mut codes = partitions.map(|partition| partition.error_code);
    codes
        .find(|code| *code != ErrorCode::NONE)
        .unwrap_or(ErrorCode::NONE)
}
