//! `mqd produce`: a record from each line of stdin.

use std::io::{self, BufRead as _, BufReader, IsTerminal as _, Read as _};
use std::thread;

use anyhow::{Context as _, Result, bail};
use async_model::Clock;
use client::{Acks, Client};
use lexopt::prelude::*;
use message_model::{Offset, PartitionIndex, TopicName, TopicPartition};
use record_batch::{BatchBuilder, RecordToSend};
use tokio::sync::mpsc;
use wire_protocol::ErrorCode;

use super::{Common, PATIENCE, Tool, chosen_partitions, connect, partitions};

const HELP: &str = "\
mqd produce: one record for each line of stdin.

  mqd produce TOPIC [--partition N] [--key-separator TEXT]

  --partition N           which partition the records go to [0]
  --key-separator TEXT    what is in front of the first TEXT in a line is the record's key;
                          a line without it is a record without a key
  --bootstrap HOST:PORT   where the queue is [127.0.0.1:9092]

  A topic that does not exist is created, with one partition. It says at the end which
  offsets the records have; by then they are on the broker's disk.

Example:
  printf 'ada:hello\\nbob:hi\\n' | mqd produce greetings --key-separator :
";

/// The longest line, in bytes: what `message.max.bytes` allows by default, less a batch's header.
const LINE_MAX: usize = 1_048_000;

/// A batch is sent when it has grown to this many bytes, even if more lines are waiting.
const BATCH_BYTES: usize = 512 * 1024;

/// How many lines may wait for the broker.
const LINES_WAITING_MAX: usize = 1024;

/// The command.
#[derive(Debug)]
pub struct Produce {
    bootstrap: String,
    topic: TopicName,
    partition: i32,
    key_separator: Option<String>,
}

pub(super) fn parse(rest: &mut lexopt::Parser) -> Result<Tool> {
    let mut common = Common::default();
    let mut partition = 0;
    let mut key_separator = None;
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
            Value(name) => common.add_name(name)?,
            other => return Err(other.unexpected()).context("see mqd produce --help"),
        }
    }
    Ok(Tool::Produce(Produce {
        bootstrap: common.bootstrap(),
        topic: common.topic("mqd produce TOPIC")?,
        partition,
        key_separator,
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
    let mut lines = lines_of_stdin();
    let mut sent = 0_i64;
    let mut first: Option<Offset> = None;
    let mut next = Offset::ZERO;
    while let Some(line) = lines.recv().await {
        let (batch, count) =
            collect_batch(line?, &mut lines, command.key_separator.as_deref()).await?;
        let base = client.produce(&to, batch, Acks::All, PATIENCE).await;
        let base = base.with_context(|| {
            format!("after {sent} acknowledged records; whether the next {count} are in the queue is unknown")
        })?;
        first.get_or_insert(base);
        sent += count;
        next = base.plus(count);
    }
    match first {
        Some(first) if sent == 1 => eprintln!("1 record is in {to} at offset {first}"),
        Some(first) if next.since(first) == sent => {
            eprintln!(
                "{sent} records are in {to} at offsets {first} to {}",
                next.plus(-1)
            );
        }
        Some(first) => eprintln!(
            "{sent} records are in {to} between offsets {first} and {}; others wrote there too",
            next.plus(-1)
        ),
        None => eprintln!("no lines, no records"),
    }
    Ok(())
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

/// A line of stdin.
struct Line {
    bytes: Vec<u8>,
    /// Another one arrived together with it, and follows at once.
    more: bool,
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

/// A batch of `first` and the lines that came with it or are waiting behind it, and how many
/// those are.
async fn collect_batch(
    first: Line,
    lines: &mut mpsc::Receiver<io::Result<Line>>,
    key_separator: Option<&str>,
) -> Result<(Vec<u8>, i64)> {
    let now = Clock::start().wall();
    let mut batch = BatchBuilder::new();
    let mut count = 0;
    let mut line = first;
    loop {
        if line.bytes.len() > LINE_MAX {
            bail!("a line is longer than {LINE_MAX} bytes; nothing of it was sent");
        }
        let (key, value) = split(&line.bytes, key_separator);
        batch.push(&RecordToSend {
            timestamp: now,
            key,
            value: Some(value),
            headers: Vec::new(),
        });
        count += 1;
        if batch.size() + LINE_MAX.min(BATCH_BYTES) > LINE_MAX {
            break;
        }
        let next = if line.more {
            lines.recv().await
        } else {
            lines.try_recv().ok()
        };
        match next {
            Some(next) => line = next?,
            None => break,
        }
    }
    Ok((batch.build(), count))
}

fn split<'a>(line: &'a [u8], separator: Option<&str>) -> (Option<&'a [u8]>, &'a [u8]) {
    let Some(separator) = separator.map(str::as_bytes) else {
        return (None, line);
    };
    match line
        .windows(separator.len())
        .position(|window| window == separator)
    {
        Some(at) => (Some(&line[..at]), &line[at + separator.len()..]),
        None => (None, line),
    }
}
