//! `mqd groups describe`: who reads what, and how far behind.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::sync::Arc;

use anyhow::{Context as _, Result, bail};
use client::Client;
use consumer::{group_lag, read_assignment};
use message_model::Offset;
use wire_protocol::message::{DescribeGroupsRequest, DescribedGroup, DescribedGroupMember};
use wire_protocol::{ErrorCode, Request};

use super::groups::ask;
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

pub(super) async fn describe(client: &Arc<Client>, group: &str) -> Result<String> {
    let found = find_group(client, group).await?;
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
    let lags = group_lag(client, group, readers.keys().cloned().collect()).await;
    let lags = lags.with_context(|| format!("asking how far the group {group} is behind"))?;
    let heading = ["topic", "partition", "committed", "next", "lag", "member"];
    let mut table = Table::new(&heading);
    let number = |offset: Option<Offset>| offset.map_or(NOTHING.to_owned(), |one| one.to_string());
    for lag in lags {
        let partition = &lag.partition;
        let reader = readers.get(partition);
        let offsets = lag.committed.and(lag.offsets());
        table.push(vec![
            partition.topic.to_string(),
            partition.partition.0.to_string(),
            number(lag.committed),
            number(lag.end),
            offsets.map_or(NOTHING.to_owned(), |offsets| offsets.to_string()),
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

fn name(member: &DescribedGroupMember) -> String {
    let host = member.client_host.trim_start_matches('/');
    match &member.group_instance_id {
        Some(instance) => format!("{instance} at {host} ({})", member.member_id),
        None => format!("{} at {host}", member.member_id),
    }
}
