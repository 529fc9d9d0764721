//! The whole job.

use std::fmt;
use std::num::NonZeroU32;
use std::time::Duration;

use async_model::Clock;
use message_model::TopicName;
use tokio::sync::watch;

use crate::check::{Recount, Verdict};
use crate::error::Error;
use crate::feed::{Fed, Feeder, LastLine};
use crate::input::{Input, Source};
use crate::job::Job;
use crate::pipeline::Tally;
use crate::queue::{Queue, Waiting};
use crate::read_back::ReadBack;
use crate::report::Report;
use crate::window::Tumbling;

/// What to do.
#[derive(Debug, Clone)]
pub struct Settings {
    /// Where the queue is: `host:port`, or several with commas between them.
    pub bootstrap: String,
    /// What to count.
    pub source: Source,
    /// The topic that takes the lines; created, or empty, or that of a job to resume.
    pub topic: TopicName,
    /// The topic that takes the rows; the same holds.
    pub out: TopicName,
    /// The windows.
    pub windows: Tumbling,
    /// How far a line may be behind the latest one before it.
    pub out_of_order: Duration,
    /// At most so many lines a second.
    pub rate: Option<NonZeroU32>,
    /// A followed file ends when it has not grown for so long.
    pub idle_end: Option<Duration>,
    /// How long the queue may be away.
    pub patience: Duration,
}

/// What came of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Summary {
    /// Whether it is right.
    pub verdict: Verdict,
    /// How many lines the input has.
    pub lines: u64,
    /// What became of those that went through the queue.
    pub tally: Tally,
    /// How many lines were too long for it.
    pub too_long: u64,
    /// How many rows are committed.
    pub rows: u64,
}

/// Feeds the source into the queue, counts what it returns, and checks the rows
/// against a recount. A followed file ends when `stop` says true. A job that was killed is
/// resumed if its topics are named, and the input is the same from its start.
///
/// # Errors
/// When it could not be done, or another instance has taken over; that the result is wrong is no error but a [`Verdict`].
pub async fn run(
    settings: Settings,
    report: &Report,
    stop: watch::Receiver<bool>,
) -> Result<Summary, Error> {
    let mut input = Input::open(settings.source.clone()).await?;
    let waiting = Waiting {
        clock: Clock::start(),
        patience: settings.patience,
        report,
    };
    let queue = Queue::connect(&settings.bootstrap, waiting).await?;
    let lines = queue.topic(&settings.topic).await?;
    let rows = queue.topic(&settings.out).await?;
    let (topic_name, out_name) = (&settings.topic, &settings.out);
    report.line(format_args!(
        "topics {topic_name} for lines, {out_name} for rows"
    ))?;

    let (job, resumed) = Job::begin(&queue, &settings, (&lines, &rows)).await?;
    let last = queue.last_record(&lines).await?;
    let last = last.as_ref().and_then(LastLine::of);
    if let Some(point) = resumed {
        let (from, known) = (
            point.from.offset,
            last.as_ref().map_or(0, |last| last.number),
        );
        report.line(format_args!(
            "resumed at offset {from}; {known} lines are in the queue"
        ))?;
    }
    let feeder = Feeder::new(&queue, (&lines, last), &settings);
    let (end, known_end) = watch::channel(None);
    let feed = async {
        let fed = feeder.feed(&mut input, stop).await?;
        end.send_replace(Some(fed.end));
        Ok(fed)
    };
    let (fed, tally) = tokio::try_join!(feed, job.count(known_end))?;

    let read_back = ReadBack::all(&queue, &rows).await?;
    let verdict = verdict(&settings, &input, &read_back, (fed, tally))?;
    let summary = Summary {
        verdict,
        lines: fed.lines,
        tally,
        too_long: fed.too_long,
        rows: read_back.rows.len() as u64,
    };
    report.line(format_args!("{summary}"))?;
    Ok(summary)
}

fn verdict(
    settings: &Settings,
    input: &Input,
    read_back: &ReadBack,
    (fed, tally): (Fed, Tally),
) -> Result<Verdict, Error> {
    if let Some(key) = &read_back.twice {
        return Ok(Verdict::Twice { key: key.clone() });
    }
    let in_rows: u64 = read_back.rows.values().sum();
    let accounted = in_rows + tally.unparsable + tally.late + fed.too_long;
    let lines = fed.lines;
    if accounted != lines {
        return Ok(Verdict::DoesNotAddUp { accounted, lines });
    }
    let Some((path, bytes)) = input.can_be_read_again() else {
        return Ok(Verdict::AddsUp);
    };
    let recount =
        Recount::of(path, bytes - fed.unsent_bytes, settings.windows).map_err(|source| {
            Error::Input {
                path: path.to_owned(),
                source,
            }
        })?;
    Ok(Verdict::compare(&read_back.rows, &recount.rows, tally.late))
}

impl fmt::Display for Summary {
    /// One line that begins with `verdict: OK` or `verdict: FAILED`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (rows, lines, late) = (self.rows, self.lines, self.tally.late);
        match &self.verdict {
            Verdict::Equal if late == 0 => {
                write!(
                    f,
                    "verdict: OK, all {rows} committed rows equal the batch recount of {lines} lines"
                )
            }
            Verdict::Equal => write!(
                f,
                "verdict: OK, all {rows} committed rows equal the batch recount of {lines} lines less {late} late ones"
            ),
            Verdict::AddsUp => write!(
                f,
                "verdict: OK, {rows} committed rows and the side output add up to {lines} lines (the input cannot be read again)"
            ),
            Verdict::Differs { key, row, recount } => write!(
                f,
                "verdict: FAILED, row {key} says {row}, the batch recount {recount}"
            ),
            Verdict::DoesNotAddUp { accounted, lines } => write!(
                f,
                "verdict: FAILED, rows and side output have {accounted} of {lines} lines"
            ),
            Verdict::Twice { key } => {
                write!(f, "verdict: FAILED, row {key} is committed twice")
            }
        }?;
        write!(
            f,
            "; side output: {}; repeated lines skipped: {}",
            self.tally.unparsable + self.too_long + late,
            self.tally.repeated,
        )
    }
}
