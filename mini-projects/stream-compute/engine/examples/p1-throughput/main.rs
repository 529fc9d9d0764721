//! Requests per IP in 5-second windows over one file: a loop written by hand, the engine, and
//! mawk if there is one, in turn and several times. Prints medians. What counts is the ratio of
//! numbers from one run.
//!
//! ```text
//! cargo run --release -p stream-engine --example p1-throughput -- [REPETITIONS] [ACCESS_LOG]
//! ```

mod per_address;

use std::cell::Cell;
use std::fs::{self, File};
use std::io::{self, BufRead, BufReader, BufWriter, Write};
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

use anyhow::{Context, Result};
use async_model::Clock;
use per_address::{DAY_MS, MONTHS, days, parse};
use stream_engine::{CheckpointDir, Settings};

const SAMPLE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../sample/access.log");
const CHECKPOINT_INTERVAL: Duration = Duration::from_millis(100);

/// What else the machine does changes from round to round, and in each it meets all of them.
const ROUNDS: usize = 3;

/// A run of one of the programs.
struct Run {
    seconds: f64,
    /// Of processors: other programs on the machine change it less.
    busy: f64,
    rows: u64,
}

type Work<'a> = Box<dyn Fn() -> Result<u64> + 'a>;

fn main() -> Result<()> {
    let mut arguments = std::env::args().skip(1);
    let repetitions = arguments.next().map_or(Ok(400), |count| count.parse())?;
    let sample = arguments.next().unwrap_or_else(|| SAMPLE.to_owned());
    let folder = tempfile::tempdir()?;
    let log = folder.path().join("access.log");
    let lines = repeat(Path::new(&sample), &log, repetitions)?;
    let taken = Cell::new(0);
    let mut programs: Vec<(String, Work<'_>)> =
        vec![("loop by hand".to_owned(), Box::new(|| loop_by_hand(&log)))];
    for shape @ (threads, parallelism) in [(1, 1), (2, 1), (2, 2)] {
        let plural = if threads == 1 { "" } else { "s" };
        let name = format!("engine, {threads} thread{plural}, ×{parallelism}");
        let log = &log;
        programs.push((name, Box::new(move || engine(log, shape, None))));
    }
    let name = "  and checkpoints, ×2".to_owned();
    programs.push((name, Box::new(|| with_checkpoints(&log, &taken))));
    if Command::new("mawk").arg("BEGIN {}").status().is_ok() {
        programs.push(("mawk".to_owned(), Box::new(|| mawk(&log))));
    } else {
        println!("mawk is not installed");
    }
    let mut runs: Vec<Vec<Run>> = programs.iter().map(|_| Vec::new()).collect();
    for _ in 0..ROUNDS {
        for ((_, program), runs) in programs.iter().zip(&mut runs) {
            runs.push(measure(program)?);
        }
    }
    show(lines, &programs, &runs);
    let checkpoints = taken.get();
    println!("({checkpoints} checkpoints, {CHECKPOINT_INTERVAL:?} apart)");
    Ok(())
}

/// Prints the medians of the runs of each program, and their ratios to those of the first one.
fn show(lines: u32, programs: &[(String, Work<'_>)], runs: &[Vec<Run>]) {
    println!("{lines} lines                 per s  ratio  per busy s  ratio    rows");
    let lines = f64::from(lines);
    let rates = runs.iter().map(|runs| {
        let per_second = lines / median(runs, |run| run.seconds);
        let per_busy = lines / median(runs, |run| run.busy);
        (per_second, per_busy)
    });
    let rates: Vec<(f64, f64)> = rates.collect();
    for (((name, _), runs), rate) in programs.iter().zip(runs).zip(&rates) {
        let ratios = (rate.0 / rates[0].0, rate.1 / rates[0].1);
        let rows = runs.last().map_or(0, |run| run.rows);
        println!(
            "{name:22} {:>9.0} {:6.2} {:>11.0} {:6.2} {rows:>7}",
            rate.0, ratios.0, rate.1, ratios.1
        );
    }
}

fn measure(work: &Work<'_>) -> Result<Run> {
    let clock = Clock::start();
    let busy = busy_seconds();
    let rows = work()?;
    let seconds = clock
        .now()
        .since(message_model::Moment::START)
        .as_secs_f64();
    let busy = busy_seconds() - busy;
    Ok(Run {
        seconds,
        busy: if busy > 0.0 { busy } else { seconds },
        rows,
    })
}

fn median(runs: &[Run], of: impl Fn(&Run) -> f64) -> f64 {
    let mut values: Vec<f64> = runs.iter().map(of).collect();
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}

/// How long this process and its children have been on a processor; 0 where Linux is not.
fn busy_seconds() -> f64 {
    let text = fs::read_to_string("/proc/self/stat").unwrap_or_default();
    let fields = text.rsplit(')').next().unwrap_or_default();
    let ticks = fields.split_whitespace().skip(11).take(4);
    ticks
        .filter_map(|ticks| ticks.parse::<f64>().ok())
        .sum::<f64>()
        / 100.0
}

/// The date of a day, counted from 1970 on: year, month, day.
fn date(count: i64) -> (i64, usize, i64) {
    let mut year = 1970 + count / 366;
    while days(year + 1, 1, 1) <= count {
        year += 1;
    }
    let mut month = 12;
    while days(year, month, 1) > count {
        month -= 1;
    }
    let day = count - days(year, month, 1) + 1;
    (year, usize::try_from(month).unwrap_or(1), day)
}

/// Writes the sample many times, each time later. Returns the number of lines.
fn repeat(sample: &Path, log: &Path, repetitions: i64) -> Result<u32> {
    let text = fs::read(sample).with_context(|| sample.display().to_string())?;
    let mut out = BufWriter::new(File::create(log)?);
    let times = || text.split(|byte| *byte == b'\n').filter_map(parse);
    let days = || times().map(|hit| hit.time.0.div_euclid(DAY_MS));
    // The repetitions follow each other in time.
    let long = days().max().unwrap_or(0) - days().min().unwrap_or(0) + 1;
    let mut lines = 0;
    for repetition in 0..repetitions {
        for line in text.split_inclusive(|byte| *byte == b'\n') {
            let (Some(hit), Some(open)) = (parse(line), line.iter().position(|b| *b == b'['))
            else {
                continue;
            };
            let day = hit.time.0.div_euclid(DAY_MS) + repetition * long;
            let (year, month, day) = date(day);
            let name = std::str::from_utf8(&MONTHS[month * 3 - 3..month * 3])?;
            out.write_all(&line[..=open])?;
            write!(out, "{day:02}/{name}/{year}")?;
            out.write_all(&line[open + 12..])?;
            lines += 1;
        }
    }
    out.flush()?;
    Ok(lines)
}

/// Counts the lines that are written to it.
#[derive(Debug, Default)]
struct CountLines(u64);

impl Write for CountLines {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0 += bytes.iter().filter(|byte| **byte == b'\n').count() as u64;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

fn loop_by_hand(log: &Path) -> Result<u64> {
    let mut rows = CountLines::default();
    per_address::loop_by_hand(log, &mut rows)?;
    Ok(rows.0)
}

fn engine(
    log: &Path,
    (threads, parallelism): (usize, usize),
    store: Option<&CheckpointDir>,
) -> Result<u64> {
    let (counter, rows) = std::sync::mpsc::channel();
    let settings = Settings {
        parallelism,
        interval: store.map(|_| CHECKPOINT_INTERVAL),
        store: store.cloned(),
        ..Settings::new(Clock::start())
    };
    let out = Counter(CountLines::default(), counter);
    per_address::engine(log, out, threads, settings)?;
    Ok(rows.recv()?)
}

/// With a folder of its own, or it would go on where the last run has ended.
fn with_checkpoints(log: &Path, taken: &Cell<u64>) -> Result<u64> {
    let folder = tempfile::tempdir()?;
    let dir = CheckpointDir::open(folder.path())?;
    let rows = engine(log, (2, 2), Some(&dir))?;
    taken.set(dir.newest()?.map_or(0, |newest| newest.id));
    Ok(rows)
}

/// Says at its end how many lines it has counted.
struct Counter(CountLines, std::sync::mpsc::Sender<u64>);

impl Write for Counter {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Drop for Counter {
    fn drop(&mut self) {
        let _ = self.1.send(self.0.0);
    }
}

fn mawk(log: &Path) -> Result<u64> {
    const PROGRAM: &str = r#"{ split(substr($4, 2), t, /[\/:]/)
        at = (t[4] * 3600 + t[5] * 60 + t[6]); at -= at % 5
        n[t[3] t[2] t[1] " " at " " $1]++ }
        END { for (key in n) print key, n[key] }"#;
    let mut child = Command::new("mawk")
        .arg(PROGRAM)
        .arg(log)
        .stdout(Stdio::piped())
        .spawn()
        .context("mawk")?;
    let out = child.stdout.take().context("a pipe")?;
    let rows = BufReader::new(out).split(b'\n').count();
    child.wait()?;
    Ok(rows as u64)
}
