//! The demo: a log through the queue, which is killed in the middle, and so is the job. Then
//! a call through the same queue.
//!
//! mqd, `ip-count` and `rpc-hello` run as processes of their own. When to kill is decided by
//! what `ip-count` says was acknowledged, never by a clock.
//!
//! Start reading at [`run`].

mod call;
mod job;
mod said;

pub use said::{Said, short_row};

use std::fs::File;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail, ensure};
use mqd_guard::{Mqd, Port};

use crate::chapter::Workspace;
use crate::cli::Demo;
use crate::commands::serve;
use crate::mine::Take;
use crate::say;
use crate::screen::Paint;
use crate::task_holes::shown;
use job::{Feed, Job};

/// What is run: packages, and the programs in them.
const PROGRAMS: [(&str, &str); 3] = [
    ("mqd", "mqd"),
    ("stream-compute", "ip-count"),
    ("rpc-programs", "rpc-hello"),
];
/// The log that the repository ships.
const SAMPLE: &str = "mini-projects/stream-compute/sample/access.log";
/// A log is fed at such a rate that it takes about so many seconds: long enough
/// to watch.
const WATCHABLE_SECONDS: u64 = 8;
/// How many lines are acknowledged between two words about it, at least.
const TOLD_EVERY_MIN: u64 = 200;
/// mqd is killed when so many tenths of the lines are acknowledged …
const MQD_DIES_AT: u64 = 5;
/// … and ip-count when so many are: then some rows of the sample are committed.
const IP_COUNT_DIES_AT: u64 = 9;
/// How much of what mqd said last is shown when something went wrong.
const MQD_LINES_SHOWN: usize = 20;
/// So many lines that do not parse are shown; the verdict has their number.
const SIDE_SHOWN_MAX: usize = 5;

/// Runs the demo.
///
/// # Errors
/// When it cannot be done, or the rows are not right.
pub fn run(workspace: &Workspace, demo: &Demo) -> Result<()> {
    if demo.follow.is_some() && job::hears_ctrl_c() {
        return job::again_without_ctrl_c();
    }
    let feed = feed(workspace, demo)?;
    let built = serve::build_programs(workspace, &PROGRAMS, demo.mine.then_some(Take::Green))?;
    let [mqd, ip_count, hello] = built.as_slice() else {
        bail!("cargo built {} programs of 3", built.len());
    };
    let paint = Paint::for_stdout();
    say!();

    let folder = tempfile::tempdir().context("making a temporary directory")?;
    let data = folder.path().join("data");
    let checkpoints = folder.path().join("checkpoints");
    let options = Mqd::options(mqd).data_dir(&data).stable_port();
    // The call's server is alone in its group: no other member is waited for.
    let options = options.set("group.initial.rebalance.delay.ms", "0");
    let options = match feed {
        Feed::Log { .. } => options,
        Feed::Follow { .. } => options.own_process_group(),
    };
    let mut queue = options.start()?;
    say!(
        "{} mqd is ready on {}; its data directory is empty",
        paint.bold("queue  "),
        queue.address()
    );
    say!(
        "{} ip-count counts requests per IP in windows of 5 seconds of\n        {}",
        paint.bold("job    "),
        feed.describe(workspace)
    );
    let demonstration = Demonstration {
        job: Job::start((ip_count, &checkpoints), queue.address(), &feed)?,
        queue: &mut queue,
        program: (ip_count, &checkpoints),
        feed: &feed,
        paint,
        killed: Killed::default(),
        mqd_is_down: false,
        told: 0,
        asides: 0,
    };
    let right = demonstration.watch().and_then(|outcome| {
        conclude(&outcome, paint)?;
        call::show(hello, queue.address(), paint)?;
        explain(demo.mine, paint);
        let ended = queue.terminate()?;
        ensure!(ended.success(), "mqd ended with an error");
        Ok(())
    });
    right.map_err(|error| {
        let said = queue.stderr();
        let from = said.lines().count().saturating_sub(MQD_LINES_SHOWN);
        for line in said.lines().skip(from) {
            eprintln!("  mqd: {line}");
        }
        let kept = folder.keep();
        error.context(format!("what mqd stored is kept in {}", kept.display()))
    })
}

/// What came of the job.
struct Outcome {
    verdict: String,
    is_right: bool,
    killed: Killed,
}

/// How many lines were acknowledged when a program was killed.
#[derive(Default)]
struct Killed {
    mqd: Option<u64>,
    ip_count: Option<u64>,
}

/// What is run, and what has become of it.
struct Demonstration<'a> {
    queue: &'a mut Mqd,
    /// `ip-count`, and where it keeps its checkpoints.
    program: (&'a Path, &'a Path),
    job: Job,
    feed: &'a Feed,
    paint: Paint,
    killed: Killed,
    mqd_is_down: bool,
    told: u64,
    asides: usize,
}

impl Demonstration<'_> {
    /// Shows what the job says. Kills mqd once half of the lines are safe in it, and starts
    /// it again when the job has noticed; then kills the job, and resumes it.
    fn watch(mut self) -> Result<Outcome> {
        let paint = self.paint;
        say!();
        while let Some(line) = self.job.next_line()? {
            match Said::parse(&line) {
                Said::Acknowledged(lines) => {
                    self.tell(lines);
                    self.kill(lines)?;
                }
                Said::Row(row) => say!("  row   {}", short_row(row)),
                Said::Side(side) => {
                    self.asides += 1;
                    if self.asides <= SIDE_SHOWN_MAX {
                        say!("{}", paint.yellow(&format!("  side  {side}")));
                    }
                }
                Said::Queue(what) => {
                    say!("{}", paint.dim(&format!("  job   {what}")));
                    if what.starts_with("queue producer: ") {
                        self.start_mqd()?;
                    }
                }
                Said::Resumed(how) => say!("{}", paint.dim(&format!("  job   {how}"))),
                Said::Verdict { is_right, text } => {
                    self.job.end()?;
                    return Ok(Outcome {
                        verdict: text.to_owned(),
                        is_right,
                        killed: self.killed,
                    });
                }
                Said::More(_) | Said::Other => {}
            }
        }
        self.job.end()?;
        bail!("ip-count ended without a verdict")
    }

    /// Says how many lines are acknowledged, now and then.
    fn tell(&mut self, lines: u64) {
        if lines >= self.told + (self.feed.lines() / 10).max(TOLD_EVERY_MIN) {
            self.told = lines;
            let told = format!("        {lines} lines acknowledged");
            say!("{}", self.paint.dim(&told));
        }
    }

    /// Kills what is to be killed when so many lines are acknowledged.
    fn kill(&mut self, lines: u64) -> Result<()> {
        let is_due = |share: u64| lines >= (self.feed.lines() * share / 10).max(1);
        if self.mqd_is_down || self.feed.is_whole(lines) {
            return Ok(());
        }
        if self.killed.mqd.is_none() && is_due(MQD_DIES_AT) {
            self.queue.kill_9()?;
            (self.killed.mqd, self.mqd_is_down) = (Some(lines), true);
            self.say_killed("mqd", lines);
            if !self.feed.is_missed() {
                self.start_mqd()?;
            }
        } else if self.killed.ip_count.is_none() && is_due(IP_COUNT_DIES_AT) {
            self.job.kill_9()?;
            self.killed.ip_count = Some(lines);
            self.say_killed("ip-count", lines);
            self.job = Job::start(self.program, self.queue.address(), self.feed)?;
            say!(
                "{} ip-count, on the same topics",
                self.paint.green("started")
            );
        }
        Ok(())
    }

    fn say_killed(&self, name: &str, lines: u64) {
        let killed = self.paint.red("killed ");
        say!("{killed} {name}, with SIGKILL: {lines} lines were acknowledged");
    }

    /// Starts mqd again, if it was killed.
    fn start_mqd(&mut self) -> Result<()> {
        if self.mqd_is_down {
            self.queue.restart(Port::Same)?;
            self.mqd_is_down = false;
            say!(
                "{} mqd, on the same directory and port",
                self.paint.green("started")
            );
        }
        Ok(())
    }
}

fn conclude(outcome: &Outcome, paint: Paint) -> Result<()> {
    if !outcome.is_right {
        say!("\n{}", paint.red(&outcome.verdict));
        bail!("the rows are wrong");
    }
    say!("\n{}", paint.green(&outcome.verdict));
    match (outcome.killed.mqd, outcome.killed.ip_count) {
        (Some(mqd), Some(ip_count)) => {
            say!("mqd was killed with SIGKILL after {mqd} lines, ip-count after {ip_count};");
            say!("nothing was lost, nothing counted twice.");
        }
        (Some(mqd), None) => {
            say!(
                "mqd was killed with SIGKILL after {mqd} lines; nothing was lost, nothing counted"
            );
            say!("twice. The log was too short to kill ip-count as well.");
        }
        (None, _) => say!("The log was too short to kill anything in the middle of it."),
    }
    Ok(())
}

fn explain(mine: bool, paint: Paint) {
    say!(
        "\n{}",
        paint.bold("why nothing is lost and nothing counts twice")
    );
    say!("  mqd acknowledges a line when the line is in its log file: a file survives");
    say!("  SIGKILL. If mqd is killed before it has acknowledged a batch, ip-count sends the");
    say!("  batch again. Batches have numbers, so mqd stores it once (chapters 18 and 19).");
    say!("  Each second ip-count stores a checkpoint: how far it has read, and the counts of");
    say!("  open windows. The rows between two checkpoints go into the queue in a transaction");
    say!("  (chapter 20), which is committed when the second one is stored. The ip-count that");
    say!("  was started again committed what the newest checkpoint names, aborted the rest, and");
    say!("  went on from there. The check reads committed rows; one that is there twice is an");
    say!("  error.");
    say!("\n{}", paint.bold("next"));
    say!("  cargo workbook demo --log FILE   take your own access log");
    say!("  cargo workbook serve             start the queue, for kcat or another client");
    say!("  cargo workbook book --open       read page 00, one evening with the queue");
    if mine {
        say!("  cargo workbook                   see what is still to build");
    } else {
        say!("  cargo workbook                   see what there is to build");
    }
}

fn feed(workspace: &Workspace, demo: &Demo) -> Result<Feed> {
    if let Some(file) = &demo.follow {
        let path = PathBuf::from(file);
        let lines = count_lines(&path)?;
        return Ok(Feed::Follow { path, lines });
    }
    let path = match &demo.log {
        Some(file) => PathBuf::from(file),
        None => workspace.path(SAMPLE),
    };
    let lines = count_lines(&path)?;
    ensure!(lines > 0, "{} is empty", path.display());
    Ok(Feed::Log {
        lines,
        rate: (lines / WATCHABLE_SECONDS).max(1),
        path,
    })
}

/// Counts line ends, as many as there are; holds no line in memory for longer.
fn count_lines(path: &Path) -> Result<u64> {
    let file = File::open(path).with_context(|| format!("reading {}", path.display()))?;
    let mut reader = BufReader::new(file);
    let mut lines = 0;
    let mut last = b'\n';
    loop {
        let bytes = reader
            .fill_buf()
            .with_context(|| format!("reading {}", path.display()))?;
        let Some(&end) = bytes.last() else { break };
        lines += bytes
            .iter()
            .map(|byte| u64::from(*byte == b'\n'))
            .sum::<u64>();
        last = end;
        let length = bytes.len();
        reader.consume(length);
    }
    Ok(lines + u64::from(last != b'\n'))
}

impl Feed {
    fn describe(&self, workspace: &Workspace) -> String {
        match self {
            Feed::Log { path, lines, .. } => format!("{}, {lines} lines", shown(workspace, path)),
            Feed::Follow { path, .. } => {
                format!("{} while it grows; Ctrl-C ends it", shown(workspace, path))
            }
        }
    }
}
