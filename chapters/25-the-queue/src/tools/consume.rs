//! `mqd consume`: records to stdout.

use std::io::{self, BufWriter, Write as _};
use std::time::Duration;

use anyhow::{Context as _, Result, bail};
use client::{Client, FetchLimits, OffsetSpec};
use lexopt::prelude::*;
use message_model::{Offset, Timestamp, TopicName, TopicPartition};
use record_batch::{BatchError, BatchHeader, Batches, decode_records, validate};
use wire_protocol::ErrorCode;

use super::format::{Format, Placed};
use super::{Common, Tool, chosen_partitions, connect};

const HELP: &str = "\
mqd consume: the records of a topic, on stdout.

  mqd consume TOPIC [--from WHERE] [--count N] [--to-end]

  --from WHERE            beginning (if not given), end, an offset such as 42, or a time in
                          milliseconds since 1970 such as @1700000000000
  --count N               end after N records
  --to-end                end when the records that were there at the start are printed;
                          without it, wait for more
  --partition N           only this partition; all of them if not given
  --format FORMAT         what to print per record: %t topic, %p partition, %o offset,
                          %T timestamp, %k key, %s value, %h headers, \\n, \\t ['%s\\n']
  --bootstrap HOST:PORT   where the queue is [127.0.0.1:9092]

Example:
  mqd consume greetings --to-end --format '%o: %k says %s\\n'
";

/// How long a round over all partitions waits for records.
const ROUND: Duration = Duration::from_millis(500);

/// About the most that one fetch brings, in bytes.
const FETCH_BYTES: u32 = 4 * 1024 * 1024;

/// The command.
#[derive(Debug)]
pub struct Consume {
    bootstrap: String,
    topic: TopicName,
    partition: Option<i32>,
    from: From,
    count: u64,
    to_end: bool,
    format: Format,
}

/// Where to begin.
#[derive(Debug, Clone, Copy)]
enum From {
    Offset(Offset),
    Place(OffsetSpec),
}

/// One partition, and how far it is read.
#[derive(Debug)]
struct Reading {
    partition: TopicPartition,
    next: Offset,
    /// Where to end.
    end: Option<Offset>,
}

impl Reading {
    fn is_done(&self) -> bool {
        self.end.is_some_and(|end| self.next >= end)
    }
}

pub(super) fn parse(rest: &mut lexopt::Parser) -> Result<Tool> {
    let mut common = Common::default();
    let mut partition = None;
    let mut from = From::Place(OffsetSpec::Earliest);
    let mut count = u64::MAX;
    let mut to_end = false;
    let mut format = Format::parse("%s\\n")?;
    while let Some(argument) = rest.next()? {
        match argument {
            Long("help") | Short('h') => return Ok(Tool::Help(HELP)),
            Long("bootstrap") => common.bootstrap = Some(rest.value()?.string()?),
            Long("partition") => {
                partition = Some(
                    rest.value()?
                        .parse()
                        .context("--partition takes a number")?,
                );
            }
            Long("from") => from = parse_from(&rest.value()?.string()?)?,
            Long("count") => count = rest.value()?.parse().context("--count takes a number")?,
            Long("to-end") => to_end = true,
            Long("format") => format = Format::parse(&rest.value()?.string()?)?,
            Value(name) => common.add_name(name)?,
            other => return Err(other.unexpected()).context("see mqd consume --help"),
        }
    }
    Ok(Tool::Consume(Consume {
        bootstrap: common.bootstrap(),
        topic: common.topic("mqd consume TOPIC")?,
        partition,
        from,
        count,
        to_end,
        format,
    }))
}

fn parse_from(text: &str) -> Result<From> {
    let number = |text: &str| text.parse::<i64>().ok().filter(|number| *number >= 0);
    match text {
        "beginning" => Ok(From::Place(OffsetSpec::Earliest)),
        "end" => Ok(From::Place(OffsetSpec::Latest)),
        text => match (text.strip_prefix('@'), number(text)) {
            (None, Some(offset)) => Ok(From::Offset(Offset(offset))),
            (Some(time), _) if number(time).is_some() => {
                let time = Timestamp(number(time).unwrap_or_default());
                Ok(From::Place(OffsetSpec::AtOrAfter(time)))
            }
            _ => bail!("--from takes beginning, end, an offset, or @ and milliseconds since 1970"),
        },
    }
}

pub(super) async fn run(command: Consume) -> Result<()> {
    let client = connect(&command.bootstrap).await?;
    let mut readings = Vec::new();
    for partition in chosen_partitions(&client, &command.topic, command.partition).await? {
        readings.push(begin(&client, partition, &command).await?);
    }
    let parts = u32::try_from(readings.len()).unwrap_or(u32::MAX);
    let mut left = command.count;
    // The first round asks what is there; only when there is nothing, the next one waits.
    let mut wait = Duration::ZERO;
    while left > 0 && !readings.iter().all(Reading::is_done) {
        let mut came = false;
        for reading in readings.iter_mut().filter(|reading| !reading.is_done()) {
            let before = reading.next;
            left = read_some(&client, reading, wait, left, &command.format).await?;
            came |= reading.next > before;
        }
        wait = if came { Duration::ZERO } else { ROUND / parts };
    }
    Ok(())
}

async fn begin(client: &Client, partition: TopicPartition, command: &Consume) -> Result<Reading> {
    let latest = client.list_offset(&partition, OffsetSpec::Latest).await?;
    let latest = latest.unwrap_or(Offset::ZERO);
    let next = match command.from {
        From::Offset(offset) => offset,
        // No record is that late: those that are still to come are.
        From::Place(spec) => client
            .list_offset(&partition, spec)
            .await?
            .unwrap_or(latest),
    };
    Ok(Reading {
        partition,
        next,
        end: command.to_end.then_some(latest),
    })
}

/// One fetch; prints at most `left` records, and returns how many are left to print.
async fn read_some(
    client: &Client,
    reading: &mut Reading,
    max_wait: Duration,
    left: u64,
    format: &Format,
) -> Result<u64> {
    let limits = FetchLimits {
        max_wait,
        min_bytes: 1,
        max_bytes: FETCH_BYTES,
    };
    let fetched = match client.fetch(&reading.partition, reading.next, limits).await {
        Ok(fetched) => fetched,
        Err(error) if error.code() == Some(ErrorCode::OFFSET_OUT_OF_RANGE) => bail!(
            "{} has no offset {}; `mqd topics describe {}` shows which it has",
            reading.partition,
            reading.next,
            reading.partition.topic
        ),
        Err(error) => return Err(error).context(format!("reading {}", reading.partition)),
    };
    let mut printing = Printing {
        out: BufWriter::new(io::stdout().lock()),
        left,
        format,
    };
    let printed = printing.batches(reading, &fetched.batches);
    printing.out.flush()?;
    printed?;
    Ok(printing.left)
}

/// Records on their way to stdout.
struct Printing<'a, Out> {
    out: Out,
    /// How many records are still wanted.
    left: u64,
    format: &'a Format,
}

impl<Out: io::Write> Printing<'_, Out> {
    /// Prints whole batches, each after a check of its CRC.
    ///
    /// # Errors
    /// When a batch is not what its producer sent; those before it are printed.
    fn batches(&mut self, reading: &mut Reading, batches: &[u8]) -> Result<()> {
        for batch in Batches::new(batches) {
            let checked = batch.and_then(|(_, bytes)| {
                let header = validate(bytes, bytes.len())?;
                Ok((header, bytes))
            });
            match checked {
                Ok((header, bytes)) => self.batch(reading, &header, bytes)?,
                // The broker may cut the last batch of an answer off.
                Err(BatchError::Truncated { .. }) => break,
                Err(error) => bail!("{} at offset {}: {error}", reading.partition, reading.next),
            }
        }
        Ok(())
    }

    fn batch(&mut self, reading: &mut Reading, header: &BatchHeader, bytes: &[u8]) -> Result<()> {
        let range = header.range();
        if range.end <= reading.next {
            return Ok(());
        }
        let records = match decode_records(bytes) {
            _ if header.is_control() => Vec::new(),
            Ok(records) => records,
            Err(BatchError::Compressed(codec)) => {
                eprintln!(
                    "{}: the {} records at offsets {range} are compressed with {codec:?}, which \
                     this command cannot open yet; skipped",
                    reading.partition, header.record_count
                );
                Vec::new()
            }
            Err(error) => bail!("{} at offsets {range}: {error}", reading.partition),
        };
        for record in &records {
            let offset = header.offset_of(record);
            let is_wanted = reading.next <= offset && reading.end.is_none_or(|end| offset < end);
            if !is_wanted || self.left == 0 {
                continue;
            }
            let placed = Placed {
                partition: &reading.partition,
                offset,
                timestamp: header.timestamp_of(record),
                record,
            };
            self.format.write(&mut self.out, &placed)?;
            self.left -= 1;
        }
        reading.next = range.end;
        Ok(())
    }
}
