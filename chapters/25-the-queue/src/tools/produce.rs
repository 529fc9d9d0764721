//! `mqd produce`: a record from each line of stdin.

use std::io::{self, BufRead as _, BufReader, IsTerminal as _, Read as _};
use std::sync::Arc;
use std::thread;
use std::time::Duration;

use anyhow::{Context as _, Result, anyhow, bail};
use client::Client;
use lexopt::prelude::*;
use message_model::{PartitionIndex, TopicName, TopicPartition};
use producer::{Producer, Settings};
use tokio::sync::mpsc;
use wire_protocol::ErrorCode;

use super::produce_lines::{LINE_MAX, Line, Sending};
use super::{Common, PATIENCE, Tool, chosen_partitions, connect, partitions};

const HELP: &str = "\
mqd produce: one record for each line of stdin.

  mqd produce TOPIC [--partition N] [--key-separator TEXT] [--without-idempotence]

  --partition N           which partition the records go to [0]
  --key-separator TEXT    what is in front of the first TEXT in a line is the record's key;
                          a line without it is a record without a key
  --without-idempotence   do not number the batches: if an answer is lost, its lines may
                          be in the queue twice
  --bootstrap HOST:PORT   where the queue is [127.0.0.1:9092]

  A topic that does not exist is created, with one partition. It says at the end which
  offsets the records have; by then they are on the broker's disk.

Example:
  printf 'ada:hello\\nbob:hi\\n' | mqd produce greetings --key-separator :
";

/// A batch is sent when it has grown to this many bytes, even if more lines are waiting.
const BATCH_BYTES: usize = 512 * 1024;

/// How much may be on its way to the broker, in bytes.
const MEMORY: usize = 4 * 1024 * 1024;

/// How many lines may wait for the broker.
const LINES_WAITING_MAX: usize = 1024;

/// The command.
#[derive(Debug)]
pub struct Produce {
    bootstrap: String,
    topic: TopicName,
    partition: i32,
    key_separator: Option<String>,
    idempotent: bool,
}

pub(super) fn parse(rest: &mut lexopt::Parser) -> Result<Tool> {
    let mut common = Common::default();
    let mut partition = 0;
    let mut key_separator = None;
    let mut idempotent = true;
    while let Some(argument) = rest.next()? {
        match argument {
            Long("help") | Short('h') => return Ok(Tool::Help(HELP)),
            Long("bootstrap") => common.bootstrap = Some(rest.value()?.string()?),
            Long("partition") => {
                partition = rest
                    .value()?
                    .parse()
                    .context("--partition takes a number")?;
            }
            Long("key-separator") => {
                let text = rest.value()?.string()?;
                if text.is_empty() {
                    bail!("--key-separator takes at least one character");
                }
                key_separator = Some(text);
            }
            Long("without-idempotence") => idempotent = false,
            Value(name) => common.add_name(name)?,
            other => return Err(other.unexpected()).context("see mqd produce --help"),
        }
    }
    Ok(Tool::Produce(Produce {
        bootstrap: common.bootstrap(),
        topic: common.topic("mqd produce TOPIC")?,
        partition,
        key_separator,
        idempotent,
    }))
}

pub(super) async fn run(command: Produce) -> Result<()> {
    let client = connect(&command.bootstrap).await?;
    create_if_missing(&client, &command.topic).await?;
    let partition = Some(command.partition);
    chosen_partitions(&client, &command.topic, partition).await?;
    let to = TopicPartition {
        topic: command.topic,
        partition: PartitionIndex(command.partition),
    };
    if io::stdin().is_terminal() {
        eprintln!("one record a line; Ctrl-D ends");
    }
    let producer = Producer::new(Arc::new(client), settings(command.idempotent));
    let mut sending = Sending::new(producer, to, command.key_separator);
    let mut lines = lines_of_stdin();
    let ended = tokio::select! {
        ended = sending.send_all(&mut lines) => ended,
        _ = tokio::signal::ctrl_c() => Err(anyhow!("interrupted")),
    };
    // What is on its way gets its outcome, unless Ctrl-C comes once more.
    tokio::select! {
        () = sending.producer.close(PATIENCE) => {}
        _ = tokio::signal::ctrl_c() => sending.producer.close(Duration::ZERO).await,
    }
    sending.count_outcomes();
    sending.report(ended, &command.bootstrap)
}

/// A batch is sent when no more lines wait for it, and then by [`Producer::flush`]. `linger`
/// is above any time that a line takes which is on its way already.
fn settings(idempotent: bool) -> Settings {
    let promises = match idempotent {
        true => Settings::idempotent(),
        false => Settings::default(),
    };
    Settings {
        batch_bytes: BATCH_BYTES,
        linger: Duration::from_secs(1),
        memory: MEMORY,
        max_block: PATIENCE,
        delivery_timeout: PATIENCE,
        request_timeout: PATIENCE,
        ..promises
    }
}

async fn create_if_missing(client: &Client, topic: &TopicName) -> Result<()> {
    if partitions(client, topic).await?.is_some() {
        return Ok(());
    }
    match client.create_topic(topic, 1, &[]).await {
        Ok(()) => eprintln!("created {topic} with 1 partition"),
        // Somebody else was quicker.
        Err(error) if error.code() == Some(ErrorCode::TOPIC_ALREADY_EXISTS) => {}
        Err(error) => return Err(error).with_context(|| format!("cannot create {topic}")),
    }
    Ok(())
}

/// Stdin is read on a thread of its own: reading it cannot be given up half way.
fn lines_of_stdin() -> mpsc::Receiver<io::Result<Line>> {
    let (sender, lines) = mpsc::channel(LINES_WAITING_MAX);
    thread::spawn(move || {
        let mut stdin = BufReader::new(io::stdin());
        loop {
            let mut bytes = Vec::new();
            let limit = LINE_MAX as u64 + 1;
            let line = match stdin.by_ref().take(limit).read_until(b'\n', &mut bytes) {
                Ok(0) => return,
                Ok(_) => {
                    bytes.pop_if(|last| *last == b'\n');
                    let more = stdin.buffer().contains(&b'\n');
                    Ok(Line { bytes, more })
                }
                Err(error) => Err(error),
            };
            let last = line.is_err();
            if sender.blocking_send(line).is_err() || last {
                return;
            }
        }
    });
    lines
}
