//! `mqd groups describe`: who reads what, and how far behind.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use anyhow::{Context as _, Result, bail};
use client::{Client, Error, OffsetSpec};
use consumer::read_assignment;
use message_model::{Offset, PartitionIndex, TopicName, TopicPartition};
use wire_protocol::message::{
    DescribeGroupsRequest, DescribedGroup, DescribedGroupMember, OffsetFetchRequest,
    OffsetFetchResponse,
};
use wire_protocol::{ErrorCode, Request};

use super::groups::ask;
use super::place;
use super::table::Table;

/// In place of a value that there is not.
const NOTHING: &str = "-";

/// What the coordinator says of a group; `None` if there is no such group.
pub(super) async fn find_group(client: &Client, group: &str) -> Result<Option<DescribedGroup>> {
    let request = DescribeGroupsRequest {
        groups: vec![group.to_owned()],
        ..DescribeGroupsRequest::default()
    };
    let code = |answer: &<DescribeGroupsRequest as Request>::Response| {
        let found = answer.groups.first();
        found.map_or(ErrorCode::UNKNOWN_SERVER_ERROR, |group| group.error_code)
    };
    let answer = match ask(client, group, &request, code).await {
        Err(error) if error.code() == Some(ErrorCode::GROUP_ID_NOT_FOUND) => return Ok(None),
        answer => answer.with_context(|| format!("asking about the group {group}"))?,
    };
    let found = answer.groups.into_iter().next();
    // Before version 6 a group that does not exist is a dead one.
    Ok(found.filter(|group| group.group_state != "Dead"))
}

/// What the group has committed, by partition.
pub(super) async fn committed(
    client: &Client,
    group: &str,
) -> Result<BTreeMap<TopicPartition, Offset>> {
    let request = OffsetFetchRequest {
        group_id: group.to_owned(),
        topics: None,
        ..OffsetFetchRequest::default()
    };
    let code = |answer: &OffsetFetchResponse| answer.error_code;
    let answer = ask(client, group, &request, code).await;
    let answer = answer.with_context(|| format!("asking what the group {group} has committed"))?;
    let mut committed = BTreeMap::new();
    for topic in answer.topics {
        let name = TopicName::new(&topic.name)
            .with_context(|| format!("the broker names the topic {:?}", topic.name))?;
        for one in topic.partitions {
            if one.error_code == ErrorCode::NONE && one.committed_offset >= 0 {
                let partition = TopicPartition {
                    topic: name.clone(),
                    partition: PartitionIndex(one.partition_index),
                };
                committed.insert(partition, Offset(one.committed_offset));
            }
        }
    }
    Ok(committed)
}

pub(super) async fn describe(client: &Client, group: &str) -> Result<String> {
    let found = find_group(client, group).await?;
    let committed = committed(client, group).await?;
    let Some(found) = found else {
        bail!("there is no group {group}; `mqd groups list` shows which there are");
    };
    let mut readers = BTreeMap::new();
    let mut idle = Vec::new();
    for member in &found.members {
        let partitions = read_assignment(&member.member_assignment)
            .with_context(|| format!("what {} reads cannot be read", member.member_id))?;
        if partitions.is_empty() {
            idle.push(member);
        }
        readers.extend(partitions.into_iter().map(|partition| (partition, member)));
    }
    let partitions: BTreeSet<&TopicPartition> = committed.keys().chain(readers.keys()).collect();
    let heading = ["topic", "partition", "committed", "next", "lag", "member"];
    let mut table = Table::new(&heading);
    let number = |offset: Option<Offset>| offset.map_or(NOTHING.to_owned(), |one| one.to_string());
    for partition in partitions {
        let committed = committed.get(partition).copied();
        let end = end(client, partition).await?;
        let lag = end
            .zip(committed)
            .map(|(end, committed)| end.since(committed).max(0));
        let reader = readers.get(partition);
        table.push(vec![
            partition.topic.to_string(),
            partition.partition.0.to_string(),
            number(committed),
            number(end),
            lag.map_or(NOTHING.to_owned(), |lag| lag.to_string()),
            reader.map_or(String::new(), |member| name(member)),
        ]);
    }
    let count = found.members.len();
    let mut text = match count {
        0 => format!("{group} has no members ({})\n", found.group_state),
        1 => format!("{group} has 1 member ({})\n", found.group_state),
        _ => format!("{group} has {count} members ({})\n", found.group_state),
    };
    text.push_str(&table.lines());
    for member in idle {
        writeln!(text, "{} reads no partition", name(member))?;
    }
    Ok(text)
}

/// The offset behind the last record; `None` if the partition is no longer there.
async fn end(client: &Client, partition: &TopicPartition) -> Result<Option<Offset>> {
    match place::find(client, partition, OffsetSpec::Latest).await {
        Ok(end) => Ok(end),
        Err(Error::Broker(ErrorCode::UNKNOWN_TOPIC_OR_PARTITION)) => Ok(None),
        Err(error) => Err(error).context(format!("asking for the end of {partition}")),
    }
}

fn name(member: &DescribedGroupMember) -> String {
    let host = member.client_host.trim_start_matches('/');
    match &member.group_instance_id {
        Some(instance) => format!("{instance} at {host} ({})", member.member_id),
        None => format!("{} at {host}", member.member_id),
    }
}
