//! The command line.

use std::ffi::OsString;
use std::num::NonZeroU32;
use std::path::PathBuf;
use std::time::Duration;

use anyhow::{Context, bail};
use async_model::Clock;
use lexopt::prelude::*;
use message_model::TopicName;
use stream_compute::{Cut, RowsShown, Settings, Source};

const SECOND: Duration = Duration::from_secs(1);
const MINUTE: Duration = Duration::from_secs(60);

pub(crate) const HELP: &str = "\
Counts the requests per IP address of an access log, in windows of event time.
The log flows through the queue, and so do the rows.

A job that was killed goes on when it is started again with the same input, options
and topics, and with the --checkpoint-dir that it had.

usage: ip-count --bootstrap HOST:PORT (--log FILE... | --follow FILE | -) [options]

  --bootstrap HOST:PORT    where the queue is
  --log FILE...            count files, such as --log access.log*, from their start to their
                           end; the one whose first line is the oldest comes first
  --follow FILE            count a file that grows, until Ctrl-C; also when it is rotated
  -                        count standard input
  --topic NAME             the topic for the lines (default: access-log-<time>)
  --out NAME               the topic for the rows (default: ip-count-<time>)
  --window TIME            the size of a window (default: 5s)
  --slide TIME             a window begins so often (default: when the one before ends)
  --session TIME           windows end when an address is silent for so long
  --top N                  only the N rows of a window with the highest counts
  --out-of-order TIME      how far a line may be behind the latest (default: 60s)
  --lateness TIME          how long a window takes lines that come later (default: 0s);
                           each makes a new revision of a row, which replaces the one before
  --rate LINES             feed at most so many lines a second
  --rows N | all           show at most N rows at a time (default: 5)
  --side FILE              append the side output to a file, not to the screen
  --report FILE            write a web page with plots about the job when it has ended
  --plain                  show lines on a terminal too, and no live view
  --idle-end TIME          end --follow when the file has not grown for so long
  --patience TIME          how long the queue may be away (default: 60s)
  --checkpoint-dir DIR     where checkpoints are kept; from the newest one the job goes on.
                           Built with the feature s3, also s3://BUCKET/PREFIX
  --resume                 go on, or end at once if no job has begun in --checkpoint-dir
  --checkpoint-every TIME  how often, which is also how often rows are committed (default: 1s)
  --transaction-timeout TIME  how long rows may wait for their commit: a job that stays down for
                           longer writes them again (default: 15m, the most that a queue allows
                           if its transaction.max.timeout.ms is not set)
  --parallelism N          how many subtasks the job's tasks have (default: 1)
  --partitions N           how many partitions the topic for the lines gets (default: 1)
  --idle TIME              do not wait for a partition from which nothing comes for so long
  --explain                show how the job would run, and end

A TIME is a number with ms, s, m or h; without, it is seconds.

On a terminal a live view shows how the job runs; NO_COLOR takes its colours away. It ends
with the lines topics, resumed and verdict.

Without a terminal, or with --plain, each line of output says with its first word what it is:
  topics       the names of the two topics; comes first
  resumed from checkpoint N; M lines are in the queue
  acknowledged N lines     so many lines are safe in the queue
  row          start, end, address, count of a row that is committed, and its revision
               if that is not 0; a count of 0 withdraws a row
  rows N more  so many rows were not shown
  side line N: reason      line N does not parse, or came too late
  input        the log was cut, so lines may be lost
  queue        the queue does not answer, or answers again
  verdict: OK | FAILED     comes last

Exit status: 0 all rows are right, 1 they are not, 2 the job could not be done.
";

pub(crate) enum Command {
    Help,
    Run(Box<Arguments>),
}

pub(crate) struct Arguments {
    pub(crate) settings: Settings,
    pub(crate) rows: RowsShown,
    pub(crate) side: Option<PathBuf>,
    pub(crate) page: Option<PathBuf>,
    pub(crate) plain: bool,
    pub(crate) explain: bool,
}

/// The words of the command line, before it is checked which of them go together.
#[derive(Default)]
struct Given {
    bootstrap: Option<String>,
    logs: Vec<PathBuf>,
    others: Vec<Source>,
    topic: Option<String>,
    out: Option<String>,
    window: Option<Duration>,
    slide: Option<Duration>,
    session: Option<Duration>,
    top: Option<usize>,
    out_of_order: Option<Duration>,
    lateness: Option<Duration>,
    rate: Option<NonZeroU32>,
    idle_end: Option<Duration>,
    patience: Option<Duration>,
    rows: Option<RowsShown>,
    side: Option<PathBuf>,
    checkpoint_dir: Option<PathBuf>,
    resume: bool,
    checkpoint_every: Option<Duration>,
    transaction_timeout: Option<Duration>,
    parallelism: Option<usize>,
    partitions: Option<i32>,
    idle: Option<Duration>,
    page: Option<PathBuf>,
    plain: bool,
    explain: bool,
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
                Long("log") => given.logs.extend(parser.values()?.map(PathBuf::from)),
                Long("follow") => given.others.push(Source::Follow(parser.value()?.into())),
                Value(value) if value == "-" => given.others.push(Source::Stdin),
                Long("topic") => given.topic = Some(parser.value()?.string()?),
                Long("out") => given.out = Some(parser.value()?.string()?),
                Long("window") => given.window = Some(parser.value()?.parse_with(time)?),
                Long("slide") => given.slide = Some(parser.value()?.parse_with(time)?),
                Long("session") => given.session = Some(parser.value()?.parse_with(time)?),
                Long("top") => given.top = Some(parser.value()?.parse()?),
                Long("out-of-order") => {
                    given.out_of_order = Some(parser.value()?.parse_with(time)?);
                }
                Long("lateness") => given.lateness = Some(parser.value()?.parse_with(time)?),
                Long("rate") => given.rate = Some(parser.value()?.parse()?),
                Long("idle-end") => given.idle_end = Some(parser.value()?.parse_with(time)?),
                Long("patience") => given.patience = Some(parser.value()?.parse_with(time)?),
                Long("rows") => given.rows = Some(rows_shown(parser.value()?)?),
                Long("side") => given.side = Some(parser.value()?.into()),
                Long("checkpoint-dir") => given.checkpoint_dir = Some(parser.value()?.into()),
                Long("resume") => given.resume = true,
                Long("checkpoint-every") => {
                    given.checkpoint_every = Some(parser.value()?.parse_with(time)?);
                }
                Long("transaction-timeout") => {
                    given.transaction_timeout = Some(parser.value()?.parse_with(time)?);
                }
                Long("parallelism") => given.parallelism = Some(parser.value()?.parse()?),
                Long("partitions") => given.partitions = Some(parser.value()?.parse()?),
                Long("idle") => given.idle = Some(parser.value()?.parse_with(time)?),
                Long("report") => given.page = Some(parser.value()?.into()),
                Long("plain") => given.plain = true,
                Long("explain") => given.explain = true,
                unexpected => return Err(unexpected.unexpected().into()),
            }
        }
        given
            .check()
            .map(|arguments| Command::Run(Box::new(arguments)))
    }
}

impl Given {
    fn check(self) -> anyhow::Result<Arguments> {
        let source = source(self.logs, self.others)?;
        if self.idle_end.is_some() && !matches!(source, Source::Follow(_)) {
            bail!("--idle-end belongs to --follow");
        }
        if self.checkpoint_dir.is_some() && (self.topic.is_none() || self.out.is_none()) {
            bail!("with --checkpoint-dir, name --topic and --out: a resumed job goes on in them");
        }
        let (checkpoint_every, transaction_timeout) =
            open_times(self.checkpoint_every, self.transaction_timeout)?;
        let cut = cut((self.window, self.slide, self.session))?;
        let is_top = self.top.is_some();
        if is_top && (self.lateness.is_some() || matches!(cut, Cut::Sessions(_))) {
            bail!(
                "--top goes with windows that have one row for each address: not with --lateness or --session"
            );
        }
        if is_top && !is_aligned(cut) {
            bail!("--top needs a --window that is a multiple of --slide");
        }
        let now = Clock::start().wall();
        let topic = |name: Option<String>, default: &str| {
            TopicName::new(&name.unwrap_or_else(|| format!("{default}-{now}")))
        };
        let settings = Settings {
            bootstrap: match self.bootstrap {
                // A plan needs no queue.
                None if self.explain => String::new(),
                bootstrap => bootstrap.context("--bootstrap HOST:PORT is missing")?,
            },
            source,
            topic: topic(self.topic, "access-log")?,
            out: topic(self.out, "ip-count")?,
            windows: cut,
            lateness: self.lateness.unwrap_or_default(),
            top: self.top,
            out_of_order: self.out_of_order.unwrap_or(MINUTE),
            rate: self.rate,
            idle_end: self.idle_end,
            patience: self.patience.unwrap_or(MINUTE),
            partitions: self.partitions.unwrap_or(1).max(1),
            idle_after: self.idle,
            parallelism: self.parallelism.unwrap_or(1),
            checkpoint_dir: self.checkpoint_dir,
            must_resume: self.resume,
            checkpoint_every,
            transaction_timeout,
        };
        if settings.topic == settings.out {
            bail!("--topic and --out must differ");
        }
        Ok(Arguments {
            settings,
            rows: self.rows.unwrap_or(RowsShown::AtMost(5)),
            side: self.side,
            page: self.page,
            plain: self.plain,
            explain: self.explain,
        })
    }
}

fn source(logs: Vec<PathBuf>, others: Vec<Source>) -> anyhow::Result<Source> {
    let mut others = others.into_iter();
    match (logs.is_empty(), others.next(), others.next()) {
        (true, Some(source), None) => Ok(source),
        (false, None, None) => Ok(Source::oldest_first(logs)?),
        _ => bail!("name one input: --log FILE..., --follow FILE or -"),
    }
}

/// How long it is to the next checkpoint, and how long a transaction may be open.
fn open_times(
    every: Option<Duration>,
    timeout: Option<Duration>,
) -> anyhow::Result<(Duration, Duration)> {
    let (every, timeout) = (every.unwrap_or(SECOND), timeout.unwrap_or(15 * MINUTE));
    if every > timeout * 2 / 3 {
        bail!(
            "--checkpoint-every is at most two thirds of --transaction-timeout: the queue aborts what is open for longer"
        );
    }
    Ok((every, timeout))
}

fn rows_shown(value: OsString) -> anyhow::Result<RowsShown> {
    match value.string()?.as_str() {
        "all" => Ok(RowsShown::All),
        number => Ok(RowsShown::AtMost(number.parse()?)),
    }
}

/// Reads `5s`, `500ms`, `2m`, `1h`, or `5`, which is seconds.
fn time(text: &str) -> anyhow::Result<Duration> {
    let digits = text.trim_end_matches(|letter: char| letter.is_ascii_alphabetic());
    let number: u64 = digits.parse()?;
    let unit = match &text[digits.len()..] {
        "ms" => 1,
        "" | "s" => 1000,
        "m" => 60_000,
        "h" => 3_600_000,
        unit => bail!("{unit} is no unit of time: ms, s, m or h"),
    };
    let millis = number.checked_mul(unit).context("too long")?;
    Ok(Duration::from_millis(millis))
}

type Times = (Option<Duration>, Option<Duration>, Option<Duration>);

/// How time is cut. Rows show whole seconds, so windows are of whole seconds.
fn cut(times: Times) -> anyhow::Result<Cut> {
    let (window, slide, session) = times;
    for time in [window, slide, session].into_iter().flatten() {
        if time.is_zero() || time.subsec_millis() > 0 {
            bail!("--window, --slide and --session are whole seconds, at least one");
        }
    }
    match times {
        (None, None, Some(gap)) => Ok(Cut::Sessions(gap)),
        (_, _, Some(_)) => bail!("--session goes without --window and --slide"),
        (window, None, None) => Ok(Cut::Tumbling(window.unwrap_or(5 * SECOND))),
        (window, Some(slide), None) => {
            let window = window.unwrap_or(5 * SECOND);
            if slide > window {
                bail!("--slide is at most --window: else some lines are in no window");
            }
            Ok(Cut::Sliding(window, slide))
        }
    }
}

fn is_aligned(cut: Cut) -> bool {
    match cut {
        Cut::Sliding(size, step) => size.as_millis().is_multiple_of(step.as_millis()),
        Cut::Tumbling(_) | Cut::Sessions(_) => true,
    }
}
