//! The whole job.

use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use async_model::Clock;
use message_model::{Offset, TopicName, TopicPartition};
use stream_engine::{Handle, Job, Plan, Restart};
use tokio::sync::{mpsc, watch};

use crate::check::Verdict;
use crate::error::Error;
use crate::feed::{Fed, Feeder};
use crate::input::Input;
use crate::job::{Counters, define};
use crate::job_dir::JobDir;
use crate::judge::{Wanted, judge};
use crate::lag::with_lag;
use crate::last_lines::LastLines;
use crate::page::page;
use crate::queue::{Address, Queue, Waiting};
use crate::report::Report;
use crate::settings::Settings;
use crate::thousands::Thousands;
use crate::topic_sink::TopicSink;
use crate::topic_source::{TopicSource, places};

/// How often the job begins again without a checkpoint between, when a transaction has failed.
const RESTART: Restart = Restart {
    attempts: 3,
    backoff: Duration::from_millis(200),
    backoff_max: Duration::from_secs(5),
};

/// What came of a job that has read its input to the end.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Summary {
    /// Whether the committed rows are right.
    pub verdict: Verdict,
    /// How many lines the input has, also those of earlier runs.
    pub lines: u64,
    /// What became of those that went through the queue.
    pub tally: Tally,
    /// How many lines were too long for it.
    pub too_long: u64,
    /// How many rows are committed, and neither withdrawn nor replaced by a later revision.
    pub rows: u64,
}

/// How many lines became what, over all runs of the job.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Tally {
    /// Skipped: their first copy is in one of the other numbers, or in a row.
    pub repeated: u64,
    /// In the side output, as no lines of an access log.
    pub unparsable: u64,
    /// In the side output, as too late.
    pub late: u64,
}

/// Feeds the source into the queue, counts what it returns, and checks the rows
/// against a recount. A followed file ends when `stop` says true. A job that was killed is
/// resumed if it has a directory of checkpoints, and the input is the same from its start.
///
/// # Errors
/// When it could not be done, or another instance has taken over; that the result is wrong is no error but a [`Verdict`].
pub async fn run(
    settings: Settings,
    report: Arc<Report>,
    stop: watch::Receiver<bool>,
) -> Result<Summary, Error> {
    let mut input = Input::open(settings.source.clone()).await?;
    let (address, ending) = address(&settings, report);
    let (queue, dir) = connect(&address, &settings).await?;
    let report = &address.waiting.report;
    let lines = queue.topic(&settings.topic, settings.partitions).await?;
    let rows = queue.topic(&settings.out, 1).await?;
    let (topic_name, out_name) = (&settings.topic, &settings.out);
    report.line(format_args!(
        "topics {topic_name} for lines, {out_name} for rows"
    ))?;

    let last = begin(&queue, &dir, &lines).await?;
    let (end, known_end) = watch::channel(None);
    let feeder = Feeder::new(&queue, (&lines, last), &settings);
    let feed = async {
        let fed = feeder.feed(&mut input, stop).await?;
        end.send_replace(Some(fed.end.clone()));
        Ok::<_, Error>(fed)
    };
    let counters = &report.meters.counters;
    let source = TopicSource {
        address: address.clone(),
        lines: lines.clone(),
        end: known_end,
    };
    let sink = TopicSink {
        subtasks: dir.subtasks,
        ..TopicSink::new(address.clone(), rows[0].clone(), &settings)
    };
    let job = define(&settings, (source, sink), counters, Arc::clone(report));
    let settings_of_engine = engine_settings(&settings, dir, &address);
    let count = count((&job, out_name), (settings_of_engine, ending), report);
    let fed = with_lag((&queue, &lines), feed, count).await?;

    let tally = Tally {
        repeated: counters.repeated.total(),
        unparsable: counters.unparsable.total(),
        late: counters.late.total(),
    };
    let (lines, too_long) = (fed.lines, fed.too_long);
    let wanted = Wanted {
        settings: &settings,
        files: counted_files(&input, &fed),
        fed,
        tally,
    };
    let judged = judge(&queue, &rows[0], &wanted).await?;
    let summary = Summary {
        verdict: judged.verdict,
        lines,
        tally,
        too_long,
        rows: judged.rows,
    };
    report.verdict(&summary)?;
    if let Some(file) = &report.page {
        file.finish(&page(&settings, &summary, &judged.counts, &report.meters))?;
    }
    Ok(summary)
}

/// The files with the lines that were fed, and how much of each, if they can be read again.
fn counted_files(input: &Input, fed: &Fed) -> Option<Vec<(PathBuf, u64)>> {
    let mut files = input.can_be_read_again()?;
    if let Some((_, bytes)) = files.last_mut() {
        *bytes -= fed.unsent_bytes;
    }
    Some(files)
}

/// The plan of the job, for which no queue is needed.
///
/// # Errors
/// When the engine cannot run a job with these windows and subtasks.
pub fn plan(settings: &Settings, report: Report) -> Result<Plan, Error> {
    let (address, _) = address(settings, Arc::new(report));
    let partition = |number| TopicPartition {
        topic: settings.topic.clone(),
        partition: message_model::PartitionIndex(number),
    };
    let source = TopicSource {
        address: address.clone(),
        lines: (0..settings.partitions).map(partition).collect(),
        end: watch::channel(None).1,
    };
    let sink = TopicSink::new(address.clone(), partition(0), settings);
    let report = address.waiting.report;
    let job = define(settings, (source, sink), &Counters::default(), report);
    Ok(job.plan(settings.parallelism)?)
}

/// Where the queue is, and what gets the errors that end the job.
fn address(settings: &Settings, report: Arc<Report>) -> (Address, mpsc::UnboundedReceiver<Error>) {
    let (ending, errors) = mpsc::unbounded_channel();
    let address = Address {
        ending,
        bootstrap: settings.bootstrap.clone(),
        waiting: Waiting {
            clock: Clock::start(),
            patience: settings.patience,
            report,
        },
    };
    (address, errors)
}

fn engine_settings(settings: &Settings, dir: JobDir, address: &Address) -> stream_engine::Settings {
    stream_engine::Settings {
        parallelism: settings.parallelism,
        store: dir.checkpoints,
        interval: Some(settings.checkpoint_every),
        resume: dir.resume,
        before: dir.before,
        restart: RESTART,
        ..stream_engine::Settings::new(address.waiting.clock)
    }
}

/// Runs the job to its end, and notes its checkpoints. An error that another try does not mend
/// ends it at once.
async fn count(
    (job, rows): (&Job, &TopicName),
    (mut settings, mut ending): (stream_engine::Settings, mpsc::UnboundedReceiver<Error>),
    report: &Report,
) -> Result<(), Error> {
    let (completed, mut checkpoints) = mpsc::unbounded_channel();
    settings.completed = Some(completed);
    let note = async {
        while let Some(checkpoint) = checkpoints.recv().await {
            report.completed(checkpoint);
        }
    };
    let (_handle, requests) = Handle::new();
    let run = async { tokio::join!(job.run(settings, requests), note).0 };
    tokio::select! {
        biased;
        Some(error) = ending.recv() => Err(error),
        ended = run => {
            ended.map_err(|error| match error {
                stream_engine::Error::Aborted(_) => Error::Lost(rows.clone()),
                error => error.into(),
            })?;
            Ok(())
        }
    }
}

/// Asks queue and directory whether the job can run, before it creates or sends anything.
async fn connect(address: &Address, settings: &Settings) -> Result<(Queue, JobDir), Error> {
    let queue = Queue::connect(address).await?;
    let asking = queue.check_timeout(settings.transaction_timeout, &settings.out);
    asking.await?;
    let dir = JobDir::open(settings).await?;
    check_topics(&queue, &dir, settings).await?;
    Ok((queue, dir))
}

/// The topics of a job that has not begun before must be empty, if they are there. Those that a
/// checkpoint speaks of must be there.
async fn check_topics(queue: &Queue, dir: &JobDir, settings: &Settings) -> Result<(), Error> {
    for topic in [&settings.topic, &settings.out] {
        let Some(partitions) = queue.existing(topic).await? else {
            if dir.resume.is_some() {
                return Err(Error::Lost(topic.clone()));
            }
            continue;
        };
        for partition in partitions.iter().filter(|_| !dir.has_begun) {
            if queue.log_end(partition).await? != Offset::ZERO {
                return Err(Error::TopicInUse(topic.clone()));
            }
        }
    }
    Ok(())
}

/// Says where the job begins, and returns what the topic has last.
async fn begin(queue: &Queue, dir: &JobDir, lines: &[TopicPartition]) -> Result<LastLines, Error> {
    if let Some(checkpoint) = &dir.resume {
        // Before the first line is fed: then a topic that is too short would grow.
        for (partition, place) in places(checkpoint, lines)? {
            if queue.log_end(partition).await? < place {
                return Err(Error::Lost(partition.topic.clone()));
            }
        }
    }
    dir.begin().await?;
    let last = LastLines::read(queue, lines).await?;
    if dir.has_begun {
        let known = last.known();
        let report = &queue.waiting.report;
        match &dir.resume {
            Some(checkpoint) => report.line(format_args!(
                "resumed from checkpoint {}; {known} lines are in the queue",
                checkpoint.id
            )),
            None => report.line(format_args!(
                "resumed from the start; {known} lines are in the queue"
            )),
        }?;
    }
    Ok(last)
}

impl Summary {
    /// How many lines are in the side output.
    pub(crate) fn aside(&self) -> u64 {
        self.tally.unparsable + self.too_long + self.tally.late
    }
}

impl fmt::Display for Summary {
    /// One line that begins with `verdict: OK` or `verdict: FAILED`. For people, with `{:#}`, its
    /// numbers have commas.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let has_commas = f.alternate();
        let number = |number: u64| match has_commas {
            true => Thousands(number).to_string(),
            false => number.to_string(),
        };
        let (rows, lines) = (number(self.rows), number(self.lines));
        match &self.verdict {
            Verdict::Equal if self.tally.late == 0 => {
                write!(
                    f,
                    "verdict: OK, all {rows} committed rows equal the batch recount of {lines} lines"
                )
            }
            Verdict::Equal => write!(
                f,
                "verdict: OK, all {rows} committed rows equal the batch recount of {lines} lines less {} late ones",
                number(self.tally.late)
            ),
            Verdict::AddsUp => write!(
                f,
                "verdict: OK, {rows} committed rows and the side output add up to {lines} lines (the input cannot be read again)"
            ),
            Verdict::NoneAbove => write!(
                f,
                "verdict: OK, no one of {rows} committed rows is above the batch recount of {lines} lines, of which some came late"
            ),
            Verdict::Once => write!(
                f,
                "verdict: OK, {rows} committed rows are there once; no more can be checked"
            ),
            Verdict::Differs { key, row, recount } => write!(
                f,
                "verdict: FAILED, row {key} says {}, the batch recount {}",
                number(*row),
                number(*recount)
            ),
            Verdict::DoesNotAddUp { accounted, lines } => write!(
                f,
                "verdict: FAILED, rows and side output have {} of {} lines",
                number(*accounted),
                number(*lines)
            ),
            Verdict::Twice { key } => {
                write!(f, "verdict: FAILED, row {key} is committed twice")
            }
        }?;
        write!(
            f,
            "; side output: {}; repeated lines skipped: {}",
            number(self.aside()),
            number(self.tally.repeated),
        )
    }
}
