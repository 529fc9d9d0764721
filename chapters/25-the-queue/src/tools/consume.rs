//! `mqd consume`: records to stdout.

use std::io::{self, BufWriter, Write as _};
use std::time::Duration;

use anyhow::{Context as _, Result, bail};
use client::{Client, FetchLimits, OffsetSpec, Records, Target, records};
use consumer::OffsetReset;
use lexopt::prelude::*;
use message_model::{Offset, TopicName, TopicPartition};
use wire_protocol::ErrorCode;

use super::consume_group::{self, Member};
use super::format::Format;
use super::place::{Place, find};
use super::{Common, Tool, chosen_partitions, connect, partitions};

const HELP: &str = "\
mqd consume: the records of a topic, on stdout.

  mqd consume TOPIC [--from WHERE] [--count N] [--follow | --to-end]

  --from WHERE            beginning (if not given), end, an offset such as 42, or a time in
                          milliseconds since 1970 such as @1700000000000
  --count N               end after N records
  --follow                wait for more records, also if none of these options is given
  --to-end                end when the records that were there at the start are printed
  --partition N           only this partition; all of them if not given
  --group GROUP           as a member of this group: its members share the partitions, and go on
                          where the group has committed; --from, beginning or end, is for
                          partitions for which it has not. What is printed is committed
  --keys                  print the key in front of each value, and a tab between them
  --headers               print the headers in front of that, as NAME=VALUE,NAME=VALUE
  --format FORMAT         what to print per record: %t topic, %p partition, %o offset,
                          %T timestamp, %k key, %s value, %h headers, \\n, \\t ['%s\\n']
  --bootstrap HOST:PORT   where the queue is [127.0.0.1:9092]

Example:
  mqd consume greetings --to-end --format '%o: %k says %s\\n'
";

/// How long a round over all partitions waits for records.
const ROUND: Duration = Duration::from_millis(500);

/// How often it is asked whether the topic has more partitions.
const LOOK_EVERY: Duration = Duration::from_secs(2);

/// About the most that one fetch brings, in bytes.
const FETCH_BYTES: u32 = 4 * 1024 * 1024;

/// The command.
#[derive(Debug)]
pub struct Consume {
    bootstrap: String,
    topic: TopicName,
    partition: Option<i32>,
    from: Place,
    count: u64,
    to_end: bool,
    format: Format,
    /// `None`: alone, and nothing is committed.
    member: Option<Member>,
}

impl Consume {
    /// Whether partitions that are added to the topic are read, too.
    fn follows_all(&self) -> bool {
        self.partition.is_none() && !self.to_end
    }
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
    let mut from = Place::Spec(OffsetSpec::Earliest);
    let mut count = u64::MAX;
    let (mut to_end, mut follow) = (false, false);
    let mut shown = Shown::default();
    let mut group = None;
    while let Some(argument) = rest.next()? {
        match argument {
            Long("help") | Short('h') => return Ok(Tool::Help(HELP)),
            Long("bootstrap") => common.bootstrap = Some(rest.value()?.string()?),
            Long("partition") => {
                let number = rest.value()?.parse();
                partition = Some(number.context("--partition takes a number")?);
            }
            Long("from") => from = Place::parse("--from", &rest.value()?.string()?)?,
            Long("count") => count = rest.value()?.parse().context("--count takes a number")?,
            Long("to-end") => to_end = true,
            Long("group") => group = Some(rest.value()?.string()?),
            Long("follow") => follow = true,
            Long("keys") => shown.keys = true,
            Long("headers") => shown.headers = true,
            Long("format") => shown.format = Some(rest.value()?.string()?),
            Value(name) => common.add_name(name)?,
            other => return Err(other.unexpected()).context("see mqd consume --help"),
        }
    }
    if follow && to_end {
        bail!("--follow waits for more, --to-end does not: choose one");
    }
    let topic = common.topic("mqd consume TOPIC")?;
    if group.is_some() && (to_end || partition.is_some()) {
        bail!(
            "the members of a group share all partitions and wait for more: leave --partition and --to-end out"
        );
    }
    let member = match group {
        Some(group) => Some(Member {
            topic: topic.clone(),
            group,
            reset: reset(from)?,
            count,
        }),
        None => None,
    };
    Ok(Tool::Consume(Consume {
        bootstrap: common.bootstrap(),
        topic,
        partition,
        from,
        count,
        to_end,
        format: shown.format()?,
        member,
    }))
}

/// Where a partition begins for which a group has committed nothing.
fn reset(from: Place) -> Result<OffsetReset> {
    match from {
        Place::Spec(OffsetSpec::Earliest) => Ok(OffsetReset::Earliest),
        Place::Spec(OffsetSpec::Latest) => Ok(OffsetReset::Latest),
        _ => bail!(
            "a group begins where it has committed: --from takes beginning or end, and `mqd groups \
             reset` moves it elsewhere"
        ),
    }
}

/// What is to be printed of a record, as far as the command line says.
#[derive(Debug, Default)]
struct Shown {
    keys: bool,
    headers: bool,
    format: Option<String>,
}

impl Shown {
    fn format(self) -> Result<Format> {
        match self.format {
            Some(_) if self.keys || self.headers => {
                bail!("--format says all that is printed: put %k and %h into it")
            }
            Some(format) => Format::parse(&format),
            None => {
                let headers = if self.headers { "%h\\t" } else { "" };
                let keys = if self.keys { "%k\\t" } else { "" };
                Format::parse(&format!("{headers}{keys}%s\\n"))
            }
        }
    }
}

pub(super) async fn run(command: Consume) -> Result<()> {
    let client = connect(&command.bootstrap).await?;
    let chosen = chosen_partitions(&client, &command.topic, command.partition).await?;
    if let Some(member) = command.member {
        return consume_group::run(client, member, &command.format).await;
    }
    let mut readings = Vec::new();
    for partition in chosen {
        readings.push(begin(&client, partition, command.from, command.to_end).await?);
    }
    let mut left = command.count;
    // The first round asks what is there; only when there is nothing, the next one waits.
    let mut wait = Duration::ZERO;
    let mut next_look = client.clock().now().plus(LOOK_EVERY);
    while left > 0 && !readings.iter().all(Reading::is_done) {
        if command.follows_all() && client.clock().now() >= next_look {
            readings.extend(new_partitions(&client, &command.topic, readings.len()).await?);
            next_look = client.clock().now().plus(LOOK_EVERY);
        }
        let mut came = false;
        for reading in readings.iter_mut().filter(|reading| !reading.is_done()) {
            let before = reading.next;
            left = read_some(&client, reading, wait, left, &command.format).await?;
            came |= reading.next > before;
        }
        let parts = u32::try_from(readings.len()).unwrap_or(u32::MAX);
        wait = if came { Duration::ZERO } else { ROUND / parts };
    }
    Ok(())
}

/// The partitions that were added to the topic when it had `known`. All their records are
/// new, so they are read from their beginning.
async fn new_partitions(client: &Client, topic: &TopicName, known: usize) -> Result<Vec<Reading>> {
    let all = partitions(client, topic).await?.unwrap_or_default();
    let mut readings = Vec::new();
    for partition in all.into_iter().skip(known) {
        let from = Place::Spec(OffsetSpec::Earliest);
        readings.push(begin(client, partition, from, false).await?);
    }
    Ok(readings)
}

/// Where to read a partition from, and with `to_end` until where.
async fn begin(
    client: &Client,
    partition: TopicPartition,
    from: Place,
    to_end: bool,
) -> Result<Reading> {
    let latest = find(client, &partition, OffsetSpec::Latest).await?;
    let latest = latest.unwrap_or(Offset::ZERO);
    let next = match from {
        Place::Offset(offset) => offset,
        // No record is that late: those that are still to come are.
        Place::Spec(spec) => find(client, &partition, spec).await?.unwrap_or(latest),
    };
    Ok(Reading {
        partition,
        next,
        end: to_end.then_some(latest),
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
    let target = Target::Leader(reading.partition.clone());
    let attempt = async || client.fetch(&reading.partition, reading.next, limits).await;
    let fetched = client.retry(&target, client.deadline(), attempt).await;
    let fetched = match fetched {
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
    let printed = printing.records(reading, records(fetched.batches, reading.next));
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
    /// Prints records.
    ///
    /// # Errors
    /// When a batch is not what its producer sent; the records before it are printed.
    fn records(&mut self, reading: &mut Reading, mut records: Records) -> Result<()> {
        for record in records.by_ref() {
            let record = record.with_context(|| format!("reading {}", reading.partition))?;
            let is_wanted = reading.end.is_none_or(|end| record.offset < end);
            if !is_wanted || self.left == 0 {
                continue;
            }
            let printed = self
                .format
                .write(&mut self.out, &reading.partition, &record);
            printed?;
            self.left -= 1;
        }
        reading.next = records.next_offset();
        Ok(())
    }
}
