//! `mqd topics`, `mqd groups`, `mqd produce` and `mqd consume`: for people without Kafka tools.
//!
//! They are clients like any other, over chapter 13's: they work with Apache
//! Kafka too, and they know no more of `mqd` than the protocol tells.

mod consume;
mod consume_group;
mod format;
mod group_lag;
mod group_reset;
mod groups;
mod place;
mod produce;
mod produce_lines;
mod table;
mod topic_changes;
mod topics;

use std::ffi::OsString;
use std::io;
use std::time::Duration;

use anyhow::{Context as _, Result, bail};
use client::{Client, Error, Settings};
use lexopt::ValueExt as _;
use message_model::{PartitionIndex, TopicName, TopicPartition};
use wire_protocol::ErrorCode;

use crate::command_line::{Command, DEFAULT_ADDRESS};
use consume::Consume;
use groups::Groups;
use produce::Produce;
use topics::Topics;

/// How long one call to the broker may take.
const PATIENCE: Duration = Duration::from_secs(10);

/// A client's command.
#[derive(Debug)]
pub enum Tool {
    /// Says how a command is used.
    Help(&'static str),
    /// `mqd topics`.
    Topics(Topics),
    /// `mqd groups`.
    Groups(Groups),
    /// `mqd produce`.
    Produce(Produce),
    /// `mqd consume`.
    Consume(Consume),
}

impl Tool {
    /// The command `name` with the rest of the command line; `None` if there is no such command.
    pub(crate) fn parse(name: &str, rest: &mut lexopt::Parser) -> Option<Result<Command>> {
        let tool = match name {
            "topics" => topics::parse(rest),
            "groups" => groups::parse(rest),
            "produce" => produce::parse(rest),
            "consume" => consume::parse(rest),
            _ => return None,
        };
        Some(tool.map(Command::Tool))
    }
}

/// Does what a client's command says.
///
/// # Errors
/// When the broker cannot be reached, or says no.
pub fn run_tool(tool: Tool) -> Result<()> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .context("cannot start the runtime")?;
    let done = runtime.block_on(async {
        match tool {
            Tool::Help(text) => write_out(text.as_bytes()),
            Tool::Topics(command) => topics::run(command).await,
            Tool::Groups(command) => groups::run(command).await,
            Tool::Produce(command) => produce::run(command).await,
            Tool::Consume(command) => consume::run(command).await,
        }
    });
    match done {
        // The reader of our output has enough: `mqd consume x | head`.
        Err(error) if is_broken_pipe(&error) => Ok(()),
        done => done,
    }
}

fn is_broken_pipe(error: &anyhow::Error) -> bool {
    let error = error.downcast_ref::<io::Error>();
    error.is_some_and(|error| error.kind() == io::ErrorKind::BrokenPipe)
}

fn write_out(bytes: &[u8]) -> Result<()> {
    use io::Write as _;
    let mut stdout = io::stdout().lock();
    stdout.write_all(bytes)?;
    stdout.flush()?;
    Ok(())
}

/// The arguments that the commands have in common.
#[derive(Debug, Default)]
struct Common {
    bootstrap: Option<String>,
    names: Vec<String>,
}

impl Common {
    fn bootstrap(&self) -> String {
        self.bootstrap.clone().unwrap_or(DEFAULT_ADDRESS.to_owned())
    }

    fn add_name(&mut self, name: OsString) -> Result<()> {
        self.names.push(name.string()?);
        Ok(())
    }

    /// The one topic that the command line names.
    fn topic(&self, usage: &str) -> Result<TopicName> {
        match self.names.as_slice() {
            [name] => Ok(TopicName::new(name).with_context(|| format!("topic {name:?}"))?),
            [] => bail!("which topic? Try: {usage}"),
            [_, extra, ..] => bail!("{extra:?} is one word too many. Try: {usage}"),
        }
    }
}

async fn connect(bootstrap: &str) -> Result<Client> {
    let settings = Settings {
        client_id: "mqd".to_owned(),
        patience: PATIENCE,
        ..Settings::default()
    };
    let client = Client::connect(bootstrap, settings).await;
    client.map_err(|error| match error {
        Error::Dial { .. } => anyhow::Error::new(error).context(format!(
            "nobody serves at {bootstrap}; start a queue with `mqd --data-dir DIR`, or say where one \
             is with --bootstrap HOST:PORT"
        )),
        error => anyhow::Error::new(error).context(format!("cannot talk to {bootstrap}")),
    })
}

/// The partitions of a topic, in order; `None` if there is no such topic.
async fn partitions(client: &Client, topic: &TopicName) -> Result<Option<Vec<TopicPartition>>> {
    let answer = client.metadata(Some(std::slice::from_ref(topic))).await?;
    let Some(found) = answer.topics.first() else {
        bail!("the broker did not say anything about the topic {topic}");
    };
    match found.error_code {
        ErrorCode::NONE => {}
        ErrorCode::UNKNOWN_TOPIC_OR_PARTITION => return Ok(None),
        code => bail!("topic {topic}: the broker answered {code}"),
    }
    let mut partitions: Vec<TopicPartition> = found
        .partitions
        .iter()
        .map(|partition| TopicPartition {
            topic: topic.clone(),
            partition: PartitionIndex(partition.partition_index),
        })
        .collect();
    partitions.sort();
    Ok(Some(partitions))
}

/// Those of the topic's partitions that are asked for: one, or all.
async fn chosen_partitions(
    client: &Client,
    topic: &TopicName,
    partition: Option<i32>,
) -> Result<Vec<TopicPartition>> {
    let Some(mut found) = partitions(client, topic).await? else {
        bail!("there is no topic {topic}; `mqd topics list` shows which there are");
    };
    let count = found.len();
    if let Some(index) = partition {
        found.retain(|found| found.partition.0 == index);
    }
    if found.is_empty() {
        bail!(
            "the topic {topic} has partitions 0 to {}",
            count.saturating_sub(1)
        );
    }
    Ok(found)
}
