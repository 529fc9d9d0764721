//! `mqd topics`: list, describe, create, alter, delete.

use std::fmt::Write as _;

use anyhow::{Context as _, Result, bail};
use client::{Client, OffsetSpec};
use lexopt::prelude::*;
use message_model::{Offset, TopicName};
use wire_protocol::ErrorCode;

use super::place::{Place, find};
use super::table::Table;
use super::topic_changes::{Alter, DeleteRecords, alter, delete_records, own_settings};
use super::{Common, Tool, chosen_partitions, connect, write_out};

const HELP: &str = "\
mqd topics: see and change which topics there are.

  mqd topics list                 every topic, with the number of its partitions
  mqd topics describe TOPIC       its partitions (first offset, next offset), and the settings
                                  that it has of its own
  mqd topics create TOPIC [--partitions N] [--set NAME=VALUE]...
                                  N is 1 if not given; --set retention.ms=3600000 keeps
                                  records for an hour, whatever the broker's setting is
  mqd topics alter TOPIC [--partitions N] [--set NAME=VALUE]... [--unset NAME]...
                                  N is more than the topic has; --unset goes back to the
                                  broker's setting; all of it holds at once
  mqd topics delete-records TOPIC --before WHERE [--partition N]
                                  the records before the end, an offset such as 42, or a time
                                  in milliseconds since 1970 such as @1700000000000
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
    Alter(Alter),
    DeleteRecords(DeleteRecords),
    Delete(TopicName),
}

/// The options of all actions, and which were given.
#[derive(Debug, Default)]
struct Options {
    given: Vec<&'static str>,
    partitions: Option<i32>,
    set: Vec<(String, String)>,
    unset: Vec<String>,
    before: Option<Place>,
    partition: Option<i32>,
}

pub(super) fn parse(rest: &mut lexopt::Parser) -> Result<Tool> {
    let mut common = Common::default();
    let mut options = Options::default();
    while let Some(argument) = rest.next()? {
        match argument {
            Long("help") | Short('h') => return Ok(Tool::Help(HELP)),
            Long("bootstrap") => common.bootstrap = Some(rest.value()?.string()?),
            Long("partitions") => {
                let number = rest.value()?.parse();
                options.partitions = Some(number.context("--partitions takes a number")?);
                options.given.push("--partitions");
            }
            Long("partition") => {
                let number = rest.value()?.parse();
                options.partition = Some(number.context("--partition takes a number")?);
                options.given.push("--partition");
            }
            Long("set") => {
                let assignment = rest.value()?.string()?;
                let (name, value) = assignment
                    .split_once('=')
                    .with_context(|| format!("--set {assignment} is not of the form NAME=VALUE"))?;
                let pair = (name.trim().to_owned(), value.trim().to_owned());
                options.set.push(pair);
                options.given.push("--set");
            }
            Long("unset") => {
                options.unset.push(rest.value()?.string()?);
                options.given.push("--unset");
            }
            Long("before") => {
                let place = Place::parse("--before", &rest.value()?.string()?)?;
                options.before = Some(place);
                options.given.push("--before");
            }
            Value(name) => common.add_name(name)?,
            other => return Err(other.unexpected()).context("see mqd topics --help"),
        }
    }
    let action = options.action(&mut common)?;
    Ok(Tool::Topics(Topics {
        bootstrap: common.bootstrap(),
        action,
    }))
}

impl Options {
    fn action(self, common: &mut Common) -> Result<Action> {
        let Some(verb) = common.names.first().cloned() else {
            bail!(
                "what about the topics? mqd topics list | describe | create | alter | \
                 delete-records | delete"
            );
        };
        let takes: &[&str] = match verb.as_str() {
            "list" if common.names.len() == 1 => &[],
            "describe" | "delete" => &[],
            "create" => &["--partitions", "--set"],
            "alter" => &["--partitions", "--set", "--unset"],
            "delete-records" => &["--before", "--partition"],
            _ => bail!(
                "mqd topics {}: there is list, describe, create, alter, delete-records and \
                 delete; see mqd topics --help",
                common.names.join(" ")
            ),
        };
        if let Some(other) = self.given.iter().find(|given| !takes.contains(*given)) {
            bail!("mqd topics {verb} takes no {other}; see mqd topics --help");
        }
        if verb == "list" {
            return Ok(Action::List);
        }
        common.names.remove(0);
        let topic = common.topic(&format!("mqd topics {verb} TOPIC"))?;
        Ok(match verb.as_str() {
            "describe" => Action::Describe(topic),
            "delete" => Action::Delete(topic),
            "create" => Action::Create {
                topic,
                partitions: self.partitions.unwrap_or(1),
                configs: self.set,
            },
            "alter" if self.given.is_empty() => {
                bail!("what is to change? Try: mqd topics alter {topic} --set retention.ms=3600000")
            }
            "alter" => Action::Alter(Alter {
                topic,
                partitions: self.partitions,
                set: self.set,
                unset: self.unset,
            }),
            _ => match self.before {
                None => bail!("which records? Try: mqd topics delete-records {topic} --before 42"),
                Some(before) => Action::DeleteRecords(DeleteRecords {
                    topic,
                    partition: self.partition,
                    before,
                }),
            },
        })
    }
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
        Action::Alter(wanted) => alter(&client, &wanted).await?,
        Action::DeleteRecords(wanted) => delete_records(&client, &wanted).await?,
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
    let mut table = Table::new(&["partition", "first offset", "next offset"]);
    for partition in chosen_partitions(client, topic, None).await? {
        let mut row = vec![partition.partition.0.to_string()];
        for spec in [OffsetSpec::Earliest, OffsetSpec::Latest] {
            let offset = find(client, &partition, spec).await;
            let offset = offset.with_context(|| format!("asking for the ends of {partition}"))?;
            row.push(offset.unwrap_or(Offset::ZERO).to_string());
        }
        table.push(row);
    }
    let mut text = table.lines();
    for (name, value) in own_settings(client, topic).await? {
        writeln!(text, "{name}={value}")?;
    }
    Ok(text)
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
