//! The command line.

use std::ffi::OsString;
use std::num::NonZeroU32;
use std::path::PathBuf;
use std::time::Duration;

use anyhow::{Context, bail};
use async_model::Clock;
use lexopt::prelude::*;
use message_model::TopicName;
use stream_compute::{RowsShown, Settings, Source, Tumbling};

pub(crate) const HELP: &str = "\
Counts the requests per IP address of an access log, in windows of event time.
The log flows through the queue, and so do the rows.

A job that was killed goes on when it is started again with the same input, options
and topics. (Then name the topics: their names are in the first line of output.)

usage: ip-count --bootstrap HOST:PORT (--log FILE | --follow FILE | -) [options]

  --bootstrap HOST:PORT    where the queue is
  --log FILE               count a file, from its start to its end
  --follow FILE            count a file that grows, until Ctrl-C
  -                        count standard input
  --topic NAME             the topic for the lines (default: access-log-<time>)
  --out NAME               the topic for the rows (default: ip-count-<time>)
  --window SECONDS         the size of a window (default: 5)
  --out-of-order SECONDS   how far a line may be behind the latest (default: 60)
  --rate LINES             feed at most so many lines a second
  --rows N | all           show at most N rows at a time (default: 5)
  --side FILE              append the side output to a file, not to the screen
  --idle-end SECONDS       end --follow when the file has not grown for so long
  --patience SECONDS       how long the queue may be away (default: 60)

Each line of output says with its first word what it is:
  topics       the names of the two topics; comes first
  resumed at offset N      from there on the lines of open windows are counted again
  acknowledged N lines     so many lines are safe in the queue
  row          start, end, address, count of a row that is committed
  rows N more  so many rows were not shown
  side line N: reason      line N does not parse, or came too late
  queue        the queue does not answer, or answers again
  verdict: OK | FAILED     comes last

Exit status: 0 all rows are right, 1 they are not, 2 the job could not be done.
";

pub(crate) enum Command {
    Help,
    Run(Arguments),
}

pub(crate) struct Arguments {
    pub(crate) settings: Settings,
    pub(crate) rows: RowsShown,
    pub(crate) side: Option<PathBuf>,
}

/// What was given, unchecked.
#[derive(Default)]
struct Given {
    bootstrap: Option<String>,
    sources: Vec<Source>,
    topic: Option<String>,
    out: Option<String>,
    window: Option<NonZeroU32>,
    out_of_order: Option<u32>,
    rate: Option<NonZeroU32>,
    idle_end: Option<u32>,
    patience: Option<u32>,
    rows: Option<RowsShown>,
    side: Option<PathBuf>,
}

impl Command {
    /// Reads the command line of this process.
    pub(crate) fn read() -> anyhow::Result<Command> {
        let mut parser = lexopt::Parser::from_env();
        let mut given = Given::default();
        while let Some(argument) = parser.next()? {
            match argument {
                Long("help") | Short('h') => return Ok(Command::Help),
                Long("bootstrap") => given.bootstrap = Some(parser.value()?.string()?),
                Long("log") => given.sources.push(Source::File(parser.value()?.into())),
                Long("follow") => given.sources.push(Source::Follow(parser.value()?.into())),
                Value(value) if value == "-" => given.sources.push(Source::Stdin),
                Long("topic") => given.topic = Some(parser.value()?.string()?),
                Long("out") => given.out = Some(parser.value()?.string()?),
                Long("window") => given.window = Some(parser.value()?.parse()?),
                Long("out-of-order") => given.out_of_order = Some(parser.value()?.parse()?),
                Long("rate") => given.rate = Some(parser.value()?.parse()?),
                Long("idle-end") => given.idle_end = Some(parser.value()?.parse()?),
                Long("patience") => given.patience = Some(parser.value()?.parse()?),
                Long("rows") => given.rows = Some(rows_shown(parser.value()?)?),
                Long("side") => given.side = Some(parser.value()?.into()),
                unexpected => return Err(unexpected.unexpected().into()),
            }
        }
        given.check().map(Command::Run)
    }
}

impl Given {
    fn check(self) -> anyhow::Result<Arguments> {
        let mut sources = self.sources.into_iter();
        let (Some(source), None) = (sources.next(), sources.next()) else {
            bail!("name one input: --log FILE, --follow FILE or -");
        };
        if self.idle_end.is_some() && !matches!(source, Source::Follow(_)) {
            bail!("--idle-end belongs to --follow");
        }
        let now = Clock::start().wall();
        let topic = |name: Option<String>, default: &str| {
            TopicName::new(&name.unwrap_or_else(|| format!("{default}-{now}")))
        };
        let settings = Settings {
            bootstrap: self.bootstrap.context("--bootstrap HOST:PORT is missing")?,
            source,
            topic: topic(self.topic, "access-log")?,
            out: topic(self.out, "ip-count")?,
            windows: Tumbling::of_seconds(self.window.unwrap_or(NonZeroU32::new(5).context("5")?)),
            out_of_order: seconds(self.out_of_order.unwrap_or(60)),
            rate: self.rate,
            idle_end: self.idle_end.map(seconds),
            patience: seconds(self.patience.unwrap_or(60)),
        };
        if settings.topic == settings.out {
            bail!("--topic and --out must differ");
        }
        Ok(Arguments {
            settings,
            rows: self.rows.unwrap_or(RowsShown::AtMost(5)),
            side: self.side,
        })
    }
}

fn rows_shown(value: OsString) -> anyhow::Result<RowsShown> {
    match value.string()?.as_str() {
        "all" => Ok(RowsShown::All),
        number => Ok(RowsShown::AtMost(number.parse()?)),
    }
}

fn seconds(seconds: u32) -> Duration {
    Duration::from_secs(seconds.into())
}
