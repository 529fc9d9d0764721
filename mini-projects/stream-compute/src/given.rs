//! Whether the words of the command line go together. All that can be refused without the queue
//! is refused here, before anything is created or sent.

use std::num::NonZeroU32;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context, bail, ensure};
use async_model::Clock;
use message_model::TopicName;
use stream_compute::{Cut, RowsShown, Settings, Source, has_job};
use stream_engine::KEY_GROUPS;

use crate::arguments::Arguments;

const SECOND: Duration = Duration::from_secs(1);
const MINUTE: Duration = Duration::from_secs(60);
/// In so many windows a line may be at most: each of them has a count of its own.
const WINDOWS_MAX: u128 = 10_000;
/// How many partitions the topic of lines may get. Each of them is asked for by itself.
const PARTITIONS_MAX: i32 = 1_000;

/// The words of the command line, before it is checked which of them go together.
#[derive(Default)]
pub(crate) struct Given {
    pub(crate) bootstrap: Option<String>,
    pub(crate) logs: Vec<PathBuf>,
    pub(crate) others: Vec<Source>,
    pub(crate) topic: Option<String>,
    pub(crate) out: Option<String>,
    pub(crate) window: Option<Duration>,
    pub(crate) slide: Option<Duration>,
    pub(crate) session: Option<Duration>,
    pub(crate) top: Option<usize>,
    pub(crate) out_of_order: Option<Duration>,
    pub(crate) lateness: Option<Duration>,
    pub(crate) rate: Option<NonZeroU32>,
    pub(crate) idle_end: Option<Duration>,
    pub(crate) patience: Option<Duration>,
    pub(crate) rows: Option<RowsShown>,
    pub(crate) side: Option<PathBuf>,
    pub(crate) checkpoint_dir: Option<PathBuf>,
    pub(crate) resume: bool,
    pub(crate) checkpoint_every: Option<Duration>,
    pub(crate) transaction_timeout: Option<Duration>,
    pub(crate) parallelism: Option<usize>,
    pub(crate) partitions: Option<i32>,
    pub(crate) idle: Option<Duration>,
    pub(crate) page: Option<PathBuf>,
    pub(crate) plain: bool,
    pub(crate) explain: bool,
}

impl Given {
    pub(crate) fn check(self) -> anyhow::Result<Arguments> {
        self.check_numbers()?;
        let cut = cut((self.window, self.slide, self.session))?;
        self.check_top(cut)?;
        self.check_resume()?;
        let (checkpoint_every, transaction_timeout) =
            open_times(self.checkpoint_every, self.transaction_timeout)?;
        let source = source(self.logs, self.others)?;
        ensure!(
            self.idle_end.is_none() || matches!(source, Source::Follow(_)),
            "--idle-end belongs to --follow"
        );
        check_outputs(&source, self.side.as_deref(), self.page.as_deref())?;
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
            partitions: self.partitions.unwrap_or(1),
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

    /// Numbers and times that have a least or a greatest value.
    fn check_numbers(&self) -> anyhow::Result<()> {
        if let Some(partitions) = self.partitions {
            ensure!(
                (1..=PARTITIONS_MAX).contains(&partitions),
                "--partitions is from 1 to {PARTITIONS_MAX}, not {partitions}"
            );
        }
        if let Some(parallelism) = self.parallelism {
            ensure!(
                (1..=usize::from(KEY_GROUPS)).contains(&parallelism),
                "--parallelism is from 1 to {KEY_GROUPS}, not {parallelism}"
            );
        }
        ensure!(self.top != Some(0), "--top is at least 1");
        ensure!(
            self.patience.is_none_or(|patience| patience >= SECOND),
            "--patience is at least 1s: a queue needs a moment to answer"
        );
        let is_zero = |time: Option<Duration>| time.is_some_and(|time| time.is_zero());
        ensure!(
            !is_zero(self.checkpoint_every) && !is_zero(self.idle),
            "--checkpoint-every and --idle are at least 1ms"
        );
        Ok(())
    }

    fn check_top(&self, cut: Cut) -> anyhow::Result<()> {
        if self.top.is_none() {
            return Ok(());
        }
        ensure!(
            self.lateness.is_none() && !matches!(cut, Cut::Sessions(_)),
            "--top goes with windows that have one row for each address: not with --lateness or --session"
        );
        ensure!(
            is_aligned(cut),
            "--top needs a --window that is a multiple of --slide"
        );
        Ok(())
    }

    fn check_resume(&self) -> anyhow::Result<()> {
        let Some(dir) = &self.checkpoint_dir else {
            ensure!(
                !self.resume,
                "--resume needs --checkpoint-dir, which says where the checkpoints of the job are"
            );
            return Ok(());
        };
        ensure!(
            self.topic.is_some() && self.out.is_some(),
            "with --checkpoint-dir, name --topic and --out: a resumed job goes on in them"
        );
        ensure!(
            !self.resume || has_job(dir),
            "no job has begun in {}: name the --checkpoint-dir that it had, or leave --resume out to begin one",
            dir.display()
        );
        Ok(())
    }
}

fn source(logs: Vec<PathBuf>, others: Vec<Source>) -> anyhow::Result<Source> {
    let mut others = others.into_iter();
    match (logs.is_empty(), others.next(), others.next()) {
        (true, Some(Source::Follow(log)), None) => Ok(Source::follow(log)?),
        (true, Some(source), None) => Ok(source),
        (false, None, None) => Ok(Source::oldest_first(logs)?),
        _ => bail!("name one input: --log FILE..., --follow FILE or -"),
    }
}

/// What is written must not be what is read: the page would replace the log, and the side output
/// of a log that grows would be read as lines of it.
fn check_outputs(source: &Source, side: Option<&Path>, page: Option<&Path>) -> anyhow::Result<()> {
    let outputs = [
        ("--side", side),
        ("--report", page),
        ("standard output", Some(Path::new("/dev/stdout"))),
    ];
    for (name, output) in outputs {
        if let Some(output) = output.filter(|output| source.has(output)) {
            bail!(
                "{name} is {}, which is the log itself: name another file",
                output.display()
            );
        }
    }
    ensure!(
        side.is_none() || side != page,
        "--side and --report are one file: name two"
    );
    Ok(())
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
            let windows = window.as_millis().div_ceil(slide.as_millis());
            if windows > WINDOWS_MAX {
                bail!(
                    "with this --window and --slide a line is in {windows} windows; {WINDOWS_MAX} are the most: choose a longer --slide"
                );
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
