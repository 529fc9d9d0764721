//! The demo: a log through the queue, which is killed in the middle.
//!
//! mqd and `ip-count` run as processes of their own. When to kill is decided by
//! what `ip-count` says was acknowledged, never by a clock.
//!
//! Start reading at [`run`].

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

/// The log that the repository ships.
const SAMPLE: &str = "mini-projects/stream-compute/sample/access.log";
/// A log is fed at such a rate that it takes about so many seconds: long enough
/// to watch.
const WATCHABLE_SECONDS: u64 = 8;
/// How many lines are acknowledged between two words about it, at least.
const TOLD_EVERY_MIN: u64 = 200;
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
    let programs = [("mqd", "mqd"), ("stream-compute", "ip-count")];
    let built = serve::build_programs(workspace, &programs, demo.mine.then_some(Take::Green))?;
    let [mqd, ip_count] = built.as_slice() else {
        bail!("cargo built {} programs of 2", built.len());
    };
    let paint = Paint::for_stdout();
    say!();

    let folder = tempfile::tempdir().context("making a temporary directory")?;
    let data = folder.path().join("data");
    let options = Mqd::options(mqd).data_dir(&data).stable_port();
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
    let job = Job::start(ip_count, queue.address(), &feed)?;
    let right = watch(&mut queue, job, &feed, paint).and_then(|outcome| {
        conclude(&outcome, demo.mine, paint)?;
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
    killed_at: Option<u64>,
}

/// Shows what the job says, and kills mqd once half of the lines are safe in it;
/// starts it again when the job has noticed.
fn watch(queue: &mut Mqd, mut job: Job, feed: &Feed, paint: Paint) -> Result<Outcome> {
    let kill_at = feed.lines() / 2;
    let (mut killed_at, mut is_down) = (None, false);
    let (mut told, mut asides) = (0, 0);
    say!();
    while let Some(line) = job.next_line()? {
        match Said::parse(&line) {
            Said::Acknowledged(lines) => {
                if lines >= told + (feed.lines() / 10).max(TOLD_EVERY_MIN) {
                    told = lines;
                    say!(
                        "{}",
                        paint.dim(&format!("        {lines} lines acknowledged"))
                    );
                }
                if killed_at.is_none() && lines >= kill_at.max(1) && !feed.is_whole(lines) {
                    queue.kill_9()?;
                    (killed_at, is_down) = (Some(lines), true);
                    say!(
                        "{} mqd, with SIGKILL: {lines} lines were acknowledged",
                        paint.red("killed ")
                    );
                }
            }
            Said::Row(row) => say!("  row   {}", short_row(row)),
            Said::Side(side) => {
                asides += 1;
                if asides <= SIDE_SHOWN_MAX {
                    say!("{}", paint.yellow(&format!("  side  {side}")));
                }
            }
            Said::Queue(what) => {
                say!("{}", paint.dim(&format!("  job   {what}")));
                if is_down && feed.is_missed_by(what) {
                    queue.restart(Port::Same)?;
                    is_down = false;
                    say!(
                        "{} mqd, on the same directory and port",
                        paint.green("started")
                    );
                }
            }
            Said::Verdict { is_right, text } => {
                job.end()?;
                return Ok(Outcome {
                    verdict: text.to_owned(),
                    is_right,
                    killed_at,
                });
            }
            Said::More(_) | Said::Other => {}
        }
    }
    job.end()?;
    bail!("ip-count ended without a verdict")
}

fn conclude(outcome: &Outcome, mine: bool, paint: Paint) -> Result<()> {
    if !outcome.is_right {
        say!("\n{}", paint.red(&outcome.verdict));
        bail!("the rows are wrong");
    }
    say!("\n{}", paint.green(&outcome.verdict));
    match outcome.killed_at {
        Some(lines) => say!(
            "mqd was killed with SIGKILL after {lines} lines; nothing was lost, nothing counted twice."
        ),
        None => say!("The log was too short to kill mqd in the middle of it."),
    }
    say!(
        "\n{}",
        paint.bold("why nothing counts twice, at this stage of the workbook")
    );
    say!("  mqd acknowledges a line when the line is in its log file: a file survives");
    say!("  SIGKILL. If mqd is killed before it has acknowledged a batch, the job sends the");
    say!("  batch again, so a record can come twice. Each record carries its line number,");
    say!("  and the job skips the numbers that it has seen. A row can come twice as well.");
    say!("  Its key is the window and the address, so rows with the same key are one row.");
    say!("  Producer ids, sequences and transactions come in chapters 18 to 20.");
    say!("\n{}", paint.bold("next"));
    say!("  cargo workbook demo --log FILE   take your own access log");
    say!("  cargo workbook serve             start the queue, for kcat or another client");
    say!("  cargo workbook book --open       read page 00, one evening with the queue");
    if mine {
        say!("  cargo workbook                   see what is still to build");
    } else {
        say!("  cargo workbook                   see what there is to build");
    }
    Ok(())
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
