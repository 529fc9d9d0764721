//! `mqd groups`: list, describe, reset, delete.

use std::fmt::Write as _;
use std::sync::Arc;

use anyhow::{Context as _, Result, bail};
use client::{Client, Error, Target};
use lexopt::prelude::*;
use message_model::{BrokerId, TopicName};
use wire_protocol::message::{DeleteGroupsRequest, ListGroupsRequest, ListedGroup};
use wire_protocol::{ErrorCode, Request};

use super::group_lag::describe;
use super::group_reset::{Chosen, Reset, reset};
use super::place::Place;
use super::{Common, Tool, connect, write_out};

const HELP: &str = "\
mqd groups: see consumer groups, and change where they go on reading.

  mqd groups list                 every group, with its state
  mqd groups describe GROUP       its partitions: the committed offset, the next offset of the
                                  log, how many offsets are between the two (the lag), and which
                                  member reads it
  mqd groups reset GROUP --to WHERE (--topic TOPIC [--partition N] | --all-topics) [--execute]
                                  commits another offset for a group without members; without
                                  --execute it only prints what would change
  mqd groups delete GROUP         a group without members, with its committed offsets

  --to WHERE                      beginning, end, an offset such as 42, or a time in
                                  milliseconds since 1970 such as @1700000000000
  --all-topics                    all topics for which the group has committed an offset
  --bootstrap HOST:PORT           where the queue is [127.0.0.1:9092]

Example:
  mqd groups reset billing --topic orders --to @1700000000000 --execute
";

/// The command.
#[derive(Debug)]
pub struct Groups {
    bootstrap: String,
    action: Action,
}

#[derive(Debug)]
enum Action {
    List,
    Describe(String),
    Reset(Reset),
    Delete(String),
}

/// What `reset` is told beside the group.
#[derive(Debug, Default)]
struct Options {
    topic: Option<TopicName>,
    partition: Option<i32>,
    all_topics: bool,
    to: Option<Place>,
    execute: bool,
}

pub(super) fn parse(rest: &mut lexopt::Parser) -> Result<Tool> {
    let mut common = Common::default();
    let mut options = Options::default();
    let mut has_options = false;
    while let Some(argument) = rest.next()? {
        has_options |= matches!(argument, Long(name) if !["help", "bootstrap"].contains(&name));
        match argument {
            Long("help") | Short('h') => return Ok(Tool::Help(HELP)),
            Long("bootstrap") => common.bootstrap = Some(rest.value()?.string()?),
            Long("topic") => {
                let name = rest.value()?.string()?;
                let topic = TopicName::new(&name).with_context(|| format!("topic {name:?}"))?;
                options.topic = Some(topic);
            }
            Long("partition") => {
                let number = rest.value()?.parse();
                options.partition = Some(number.context("--partition takes a number")?);
            }
            Long("all-topics") => options.all_topics = true,
            Long("to") => options.to = Some(Place::parse("--to", &rest.value()?.string()?)?),
            Long("execute") => options.execute = true,
            Value(name) => common.add_name(name)?,
            other => return Err(other.unexpected()).context("see mqd groups --help"),
        }
    }
    let words: Vec<&str> = common.names.iter().map(String::as_str).collect();
    if has_options && words.first() != Some(&"reset") {
        bail!("only `mqd groups reset` takes such options; see mqd groups --help");
    }
    let action = match words.as_slice() {
        [] => bail!("what about the groups? mqd groups list | describe | reset | delete"),
        ["list"] => Action::List,
        ["describe", group] => Action::Describe((*group).to_owned()),
        ["delete", group] => Action::Delete((*group).to_owned()),
        ["reset", group] => Action::Reset(options.reset(group)?),
        [verb @ ("describe" | "delete" | "reset")] => {
            bail!("which group? Try: mqd groups {verb} GROUP")
        }
        other => bail!(
            "mqd groups {}: there is list, describe GROUP, reset GROUP and delete GROUP; see mqd \
             groups --help",
            other.join(" ")
        ),
    };
    let bootstrap = common.bootstrap();
    Ok(Tool::Groups(Groups { bootstrap, action }))
}

impl Options {
    fn reset(self, group: &str) -> Result<Reset> {
        let Some(to) = self.to else {
            bail!("where to? Try: mqd groups reset {group} --topic TOPIC --to beginning");
        };
        let chosen = match (self.topic, self.all_topics) {
            (Some(topic), false) => Chosen::Topic(topic, self.partition),
            (None, true) if self.partition.is_none() => Chosen::AllCommitted,
            _ => bail!("say for what: either --topic TOPIC [--partition N] or --all-topics"),
        };
        Ok(Reset {
            group: group.to_owned(),
            chosen,
            to,
            execute: self.execute,
        })
    }
}

pub(super) async fn run(command: Groups) -> Result<()> {
    let client = Arc::new(connect(&command.bootstrap).await?);
    let said = match command.action {
        Action::List => list(&client).await?,
        Action::Describe(group) => describe(&client, &group).await?,
        Action::Reset(wanted) => reset(&client, &wanted).await?,
        Action::Delete(group) => delete(&client, &group).await?,
    };
    write_out(said.as_bytes())
}

/// What the group's coordinator answers, asked again while it cannot yet; `code` is
/// the answer's own.
pub(super) async fn ask<R: Request>(
    client: &Client,
    group: &str,
    request: &R,
    code: impl Fn(&R::Response) -> ErrorCode,
) -> Result<R::Response, Error> {
    let target = Target::Coordinator(Arc::from(group));
    let deadline = client.deadline();
    let attempt = async || {
        let answer = client.call(&target, request, deadline).await?;
        match code(&answer) {
            ErrorCode::NONE => Ok(answer),
            code => Err(Error::Broker(code)),
        }
    };
    client.retry(&target, deadline, attempt).await
}

/// Every broker knows the groups that it coordinates.
async fn list(client: &Client) -> Result<String> {
    let brokers = client.metadata(Some(&[])).await?.brokers;
    let mut groups: Vec<ListedGroup> = Vec::new();
    for broker in brokers {
        let target = Target::Node(BrokerId(broker.node_id));
        let deadline = client.deadline();
        let attempt = async || {
            let request = ListGroupsRequest::default();
            let answer = client.call(&target, &request, deadline).await?;
            match answer.error_code {
                ErrorCode::NONE => Ok(answer.groups),
                code => Err(Error::Broker(code)),
            }
        };
        groups.extend(client.retry(&target, deadline, attempt).await?);
    }
    groups.sort_by(|a, b| a.group_id.cmp(&b.group_id));
    let mut text = String::new();
    for group in groups {
        writeln!(text, "{}  {}", group.group_id, group.group_state)?;
    }
    Ok(text)
}

async fn delete(client: &Client, group: &str) -> Result<String> {
    let request = DeleteGroupsRequest {
        groups_names: vec![group.to_owned()],
    };
    let code = |answer: &<DeleteGroupsRequest as Request>::Response| {
        let result = answer.results.first();
        result.map_or(ErrorCode::UNKNOWN_SERVER_ERROR, |result| result.error_code)
    };
    let deleted = ask(client, group, &request, code).await;
    deleted.map_err(|error| match error.code() {
        Some(ErrorCode::GROUP_ID_NOT_FOUND) => {
            anyhow::anyhow!("there is no group {group}; `mqd groups list` shows which there are")
        }
        Some(ErrorCode::NON_EMPTY_GROUP) => {
            anyhow::anyhow!("the group {group} has members; stop them first")
        }
        _ => anyhow::Error::new(error).context(format!("cannot delete the group {group}")),
    })?;
    Ok(format!("deleted the group {group}\n"))
}
