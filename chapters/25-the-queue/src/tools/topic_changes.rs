//! `mqd topics alter` and `mqd topics delete-records`.

use anyhow::{Context as _, Result, bail};
use client::{Client, Error, OffsetSpec, Target};
use message_model::{Offset, TopicName, TopicPartition};
use wire_protocol::message::{
    CreatePartitionsRequest, CreatePartitionsResponse, CreatePartitionsTopic,
    DeleteRecordsPartition, DeleteRecordsRequest, DeleteRecordsTopic, DescribeConfigsRequest,
    DescribeConfigsResource, IncrementalAlterConfigsRequest, IncrementalAlterConfigsResource,
    IncrementalAlterConfigsResponse, IncrementallyAlterableConfig,
};
use wire_protocol::{ErrorCode, Request};

use super::place::{Place, find};
use super::table::Table;
use super::{PATIENCE, chosen_partitions};

/// What a request calls a topic.
const TOPIC: i8 = 2;
/// The topic's own, among the places that a value can come from.
const OWN: i8 = 1;
const SET: i8 = 0;
const UNSET: i8 = 1;

/// What is to change of a topic.
#[derive(Debug)]
pub(super) struct Alter {
    pub(super) topic: TopicName,
    /// How many partitions it is to have.
    pub(super) partitions: Option<i32>,
    pub(super) set: Vec<(String, String)>,
    pub(super) unset: Vec<String>,
}

/// Which records are to go.
#[derive(Debug)]
pub(super) struct DeleteRecords {
    pub(super) topic: TopicName,
    pub(super) partition: Option<i32>,
    /// The first that stays.
    pub(super) before: Place,
}

/// What the broker that manages topics answers, or else its refusal in its own words.
async fn ask<R: Request>(
    client: &Client,
    topic: &TopicName,
    request: &R,
    result: impl Fn(R::Response) -> Option<(ErrorCode, Option<String>)>,
) -> Result<()> {
    let answer = client
        .call(&Target::Controller, request, client.deadline())
        .await?;
    match result(answer) {
        Some((ErrorCode::NONE, _)) => Ok(()),
        Some((ErrorCode::UNKNOWN_TOPIC_OR_PARTITION, _)) => {
            bail!("there is no topic {topic}; `mqd topics list` shows which there are")
        }
        Some((_, Some(reason))) if !reason.is_empty() => bail!("{topic} stays as it is: {reason}"),
        Some((code, _)) => bail!("{topic} stays as it is: the broker answered {code}"),
        None => Err(Error::Incomplete.into()),
    }
}

/// Whether the topic could have so many partitions is asked first: so nothing is changed
/// if one of the two cannot be.
pub(super) async fn alter(client: &Client, wanted: &Alter) -> Result<String> {
    let topic = &wanted.topic;
    if let Some(count) = wanted.partitions {
        grow(client, topic, count, true).await?;
    }
    if !wanted.set.is_empty() || !wanted.unset.is_empty() {
        configure(client, wanted).await?;
    }
    if let Some(count) = wanted.partitions {
        grow(client, topic, count, false).await?;
    }
    Ok(format!("altered {topic}\n"))
}

async fn configure(client: &Client, wanted: &Alter) -> Result<()> {
    let set = wanted.set.iter();
    let set = set.map(|(name, value)| change(name, SET, Some(value)));
    let unset = wanted.unset.iter();
    let unset = unset.map(|name| change(name, UNSET, None));
    let request = IncrementalAlterConfigsRequest {
        resources: vec![IncrementalAlterConfigsResource {
            resource_type: TOPIC,
            resource_name: wanted.topic.to_string(),
            configs: set.chain(unset).collect(),
        }],
        validate_only: false,
    };
    let result = |answer: IncrementalAlterConfigsResponse| {
        let response = answer.responses.into_iter().next();
        response.map(|one| (one.error_code, one.error_message))
    };
    ask(client, &wanted.topic, &request, result).await
}

async fn grow(client: &Client, topic: &TopicName, count: i32, validate_only: bool) -> Result<()> {
    let request = CreatePartitionsRequest {
        topics: vec![CreatePartitionsTopic {
            name: topic.to_string(),
            count,
            assignments: None,
        }],
        timeout_ms: i32::try_from(PATIENCE.as_millis()).unwrap_or(i32::MAX),
        validate_only,
    };
    let result = |answer: CreatePartitionsResponse| {
        let result = answer.results.into_iter().next();
        result.map(|one| (one.error_code, one.error_message))
    };
    ask(client, topic, &request, result).await
}

fn change(name: &str, operation: i8, value: Option<&String>) -> IncrementallyAlterableConfig {
    IncrementallyAlterableConfig {
        name: name.to_owned(),
        config_operation: operation,
        value: value.cloned(),
    }
}

/// The settings that the topic has of its own, name and value.
pub(super) async fn own_settings(
    client: &Client,
    topic: &TopicName,
) -> Result<Vec<(String, String)>> {
    let request = DescribeConfigsRequest {
        resources: vec![DescribeConfigsResource {
            resource_type: TOPIC,
            resource_name: topic.to_string(),
            configuration_keys: None,
        }],
        ..DescribeConfigsRequest::default()
    };
    let answer = client.call(&Target::Any, &request, client.deadline()).await;
    let answer = answer.with_context(|| format!("asking for the settings of {topic}"))?;
    let result = answer.results.into_iter().next().ok_or(Error::Incomplete)?;
    if result.error_code != ErrorCode::NONE {
        bail!(
            "settings of {topic}: the broker answered {}",
            result.error_code
        );
    }
    let own = result
        .configs
        .into_iter()
        .filter(|one| one.config_source == OWN);
    Ok(own
        .map(|one| (one.name, one.value.unwrap_or_default()))
        .collect())
}

pub(super) async fn delete_records(client: &Client, wanted: &DeleteRecords) -> Result<String> {
    let partitions = chosen_partitions(client, &wanted.topic, wanted.partition).await?;
    if matches!(wanted.before, Place::Offset(_)) && partitions.len() > 1 {
        bail!(
            "{} has {} partitions, each with offsets of its own: choose one with --partition",
            wanted.topic,
            partitions.len()
        );
    }
    let mut table = Table::new(&["partition", "first offset"]);
    for partition in partitions {
        let before = match wanted.before {
            Place::Offset(offset) => offset,
            Place::Spec(spec) => match find(client, &partition, spec).await? {
                Some(offset) => offset,
                // No record is that late.
                None => find(client, &partition, OffsetSpec::Latest)
                    .await?
                    .unwrap_or(Offset::ZERO),
            },
        };
        let first = delete_before(client, &partition, before).await?;
        table.push(vec![partition.partition.0.to_string(), first.to_string()]);
    }
    Ok(table.lines())
}

/// The first offset that the partition has then.
async fn delete_before(
    client: &Client,
    partition: &TopicPartition,
    before: Offset,
) -> Result<Offset> {
    let request = DeleteRecordsRequest {
        topics: vec![DeleteRecordsTopic {
            name: partition.topic.to_string(),
            partitions: vec![DeleteRecordsPartition {
                partition_index: partition.partition.0,
                offset: before.0,
            }],
        }],
        timeout_ms: i32::try_from(PATIENCE.as_millis()).unwrap_or(i32::MAX),
    };
    let target = Target::Leader(partition.clone());
    let deadline = client.deadline();
    let attempt = async || {
        let answer = client.call(&target, &request, deadline).await?;
        let topic = answer.topics.into_iter().next();
        let result = topic.and_then(|topic| topic.partitions.into_iter().next());
        match result.ok_or(Error::Incomplete)? {
            one if one.error_code == ErrorCode::NONE => Ok(Offset(one.low_watermark)),
            one => Err(Error::Broker(one.error_code)),
        }
    };
    let deleted = client.retry(&target, deadline, attempt).await;
    deleted.map_err(|error| match error.code() {
        Some(ErrorCode::OFFSET_OUT_OF_RANGE) => anyhow::anyhow!(
            "{partition} ends below offset {before}; `mqd topics describe {}` shows where",
            partition.topic
        ),
        Some(ErrorCode::POLICY_VIOLATION) => anyhow::anyhow!(
            "{} keeps the newest record of each key (cleanup.policy=compact): none is deleted by offset",
            partition.topic
        ),
        _ => anyhow::Error::new(error).context(format!("deleting records of {partition}")),
    })
}
