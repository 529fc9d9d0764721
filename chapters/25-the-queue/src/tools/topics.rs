//! `mqd topics`: list, create, delete, describe.

use std::fmt::Write as _;

use anyhow::{Context as _, Result, bail};
use client::{Client, OffsetSpec};
use lexopt::prelude::*;
use message_model::{Offset, TopicName, TopicPartition};
use wire_protocol::ErrorCode;

use super::{Common, Tool, chosen_partitions, connect, write_out};

const HELP: &str = "\
mqd topics: see and change which topics there are.

  mqd topics list                 every topic, with the number of its partitions
  mqd topics describe TOPIC       its partitions: first offset, next offset
  mqd topics create TOPIC [--partitions N] [--set NAME=VALUE]...
                                  N is 1 if not given; --set retention.ms=3600000 keeps
                                  records for an hour, whatever the broker's setting is
  mqd topics delete TOPIC         with all its records

  --bootstrap HOST:PORT           where the queue is [127.0.0.1:9092]
";

/// The command.
#[derive(Debug)]
pub struct Topics {
    bootstrap: String,
    action: Action,
}

#[derive(Debug)]
enum Action {
    List,
    Describe(TopicName),
    Create {
        topic: TopicName,
        partitions: i32,
        configs: Vec<(String, String)>,
    },
    Delete(TopicName),
}

pub(super) fn parse(rest: &mut lexopt::Parser) -> Result<Tool> {
    let mut common = Common::default();
    let mut partitions = 1;
    let mut configs = Vec::new();
    while let Some(argument) = rest.next()? {
        match argument {
            Long("help") | Short('h') => return Ok(Tool::Help(HELP)),
            Long("bootstrap") => common.bootstrap = Some(rest.value()?.string()?),
            Long("partitions") => {
                partitions = rest
                    .value()?
                    .parse()
                    .context("--partitions takes a number")?;
            }
            Long("set") => {
                let assignment = rest.value()?.string()?;
                let (name, value) = assignment
                    .split_once('=')
                    .with_context(|| format!("--set {assignment} is not of the form NAME=VALUE"))?;
                configs.push((name.trim().to_owned(), value.trim().to_owned()));
            }
            Value(name) => common.add_name(name)?,
            other => return Err(other.unexpected()).context("see mqd topics --help"),
        }
    }
    let action = match common.names.first().map(String::as_str) {
        None => bail!("what about the topics? mqd topics list | create | delete | describe"),
        Some("list") if common.names.len() == 1 => Action::List,
        Some(verb @ ("describe" | "create" | "delete")) => {
            let verb = verb.to_owned();
            common.names.remove(0);
            let topic = common.topic(&format!("mqd topics {verb} TOPIC"))?;
            match verb.as_str() {
                "describe" => Action::Describe(topic),
                "delete" => Action::Delete(topic),
                _ => Action::Create {
                    topic,
                    partitions,
                    configs,
                },
            }
        }
        Some(_) => bail!(
            "mqd topics {}: there is list, create, delete and describe; see mqd topics --help",
            common.names.join(" ")
        ),
    };
    Ok(Tool::Topics(Topics {
        bootstrap: common.bootstrap(),
        action,
    }))
}

pub(super) async fn run(command: Topics) -> Result<()> {
    let client = connect(&command.bootstrap).await?;
    let said = match command.action {
        Action::List => list(&client).await?,
        Action::Describe(topic) => describe(&client, &topic).await?,
        Action::Create {
            topic,
            partitions,
            configs,
        } => create(&client, &topic, partitions, &configs).await?,
        Action::Delete(topic) => delete(&client, &topic).await?,
    };
    write_out(said.as_bytes())
}

async fn list(client: &Client) -> Result<String> {
    let mut topics = client.metadata(None).await?.topics;
    topics.sort_by(|a, b| a.name.cmp(&b.name));
    let mut text = String::new();
    for topic in topics {
        let count = topic.partitions.len();
        let plural = if count == 1 { "" } else { "s" };
        writeln!(text, "{}  {count} partition{plural}", topic.name)?;
    }
    Ok(text)
}

async fn describe(client: &Client, topic: &TopicName) -> Result<String> {
    let mut text = String::from("partition  first offset  next offset\n");
    for partition in chosen_partitions(client, topic, None).await? {
        let first = end(client, &partition, OffsetSpec::Earliest).await?;
        let next = end(client, &partition, OffsetSpec::Latest).await?;
        writeln!(
            text,
            "{:>9}  {first:>12}  {next:>11}",
            partition.partition.0
        )?;
    }
    Ok(text)
}

async fn end(client: &Client, partition: &TopicPartition, spec: OffsetSpec) -> Result<Offset> {
    let offset = client.list_offset(partition, spec).await;
    let offset = offset.with_context(|| format!("asking for the ends of {partition}"))?;
    Ok(offset.unwrap_or(Offset::ZERO))
}

async fn create(
    client: &Client,
    topic: &TopicName,
    partitions: i32,
    configs: &[(String, String)],
) -> Result<String> {
    let configs: Vec<(&str, &str)> = configs
        .iter()
        .map(|(name, value)| (name.as_str(), value.as_str()))
        .collect();
    let created = client.create_topic(topic, partitions, &configs).await;
    created.map_err(|error| match error.code() {
        Some(ErrorCode::TOPIC_ALREADY_EXISTS) => {
            anyhow::anyhow!("the topic {topic} exists already")
        }
        Some(ErrorCode::INVALID_CONFIG) => anyhow::anyhow!(
            "the broker knows no such setting of a topic, or not with such a value; \
             `mqd --help-settings` names those that a topic can have"
        ),
        Some(ErrorCode::INVALID_PARTITIONS) => {
            anyhow::anyhow!("a topic cannot have {partitions} partitions")
        }
        _ => anyhow::Error::new(error).context(format!("cannot create {topic}")),
    })?;
    Ok(format!("created {topic} with {partitions} partition(s)\n"))
}

async fn delete(client: &Client, topic: &TopicName) -> Result<String> {
    let deleted = client.delete_topic(topic).await;
    deleted.map_err(|error| match error.code() {
        Some(ErrorCode::UNKNOWN_TOPIC_OR_PARTITION) => {
            anyhow::anyhow!("there is no topic {topic}; `mqd topics list` shows which there are")
        }
        _ => anyhow::Error::new(error).context(format!("cannot delete {topic}")),
    })?;
    Ok(format!("deleted {topic}\n"))
}
