//! The command line.

use std::ffi::OsString;
use std::path::PathBuf;
use std::time::Duration;

use anyhow::{Context, bail, ensure};
use lexopt::prelude::*;
use stream_compute::{RowsShown, SPAN_MAX, Settings, Source};

use crate::given::Given;

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
  --slide TIME             a window begins so often (default: when the one before ends);
                           a line is in at most 10000 windows
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
  --idle-end TIME          end --follow when the file has not grown for so long; half a line
                           at its end is not counted
  --patience TIME          how long the queue may be away (default: 60s)
  --checkpoint-dir DIR     where checkpoints are kept; from the newest one the job goes on.
                           Built with the feature s3, also s3://BUCKET/PREFIX
  --resume                 go on, or end at once if no job has begun in --checkpoint-dir
  --checkpoint-every TIME  how often, which is also how often rows are committed (default: 1s)
  --transaction-timeout TIME  how long rows may wait for their commit: a job that stays down for
                           longer writes them again (default: 15m, the most that a queue allows
                           if its transaction.max.timeout.ms is not set)
  --parallelism N          how many subtasks the job's tasks have, 1 to 128 (default: 1)
  --partitions N           how many partitions the topic for the lines gets, 1 to 1000
                           (default: 1)
  --idle TIME              do not wait for a partition from which nothing comes for so long
  --explain                show how the job would run, and end

A TIME is a number with ms, s, m or h; without, it is seconds. It is at most 8760h, a year.

On a terminal a live view shows how the job runs; NO_COLOR takes its colours away. It ends
with the lines topics, resumed, input and verdict.

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
  stopping     Ctrl-C was pressed: the input ends, and the job counts what it has read
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
    let time = Duration::from_millis(millis);
    let hours = SPAN_MAX.as_secs() / 3600;
    ensure!(
        time <= SPAN_MAX,
        "a time is at most {hours}h, which is a year"
    );
    Ok(time)
}
