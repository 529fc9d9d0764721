//! Requests per IP in 5-second windows over one file: a loop written by hand, the engine, and
//! mawk if there is one. What counts is the ratio of numbers from one run.
//!
//! ```text
//! cargo run --release -p stream-engine --example p1-throughput -- [REPETITIONS] [ACCESS_LOG]
//! ```

use std::collections::{BTreeMap, HashMap};
use std::fmt;
use std::fs::{self, File};
use std::io::{self, BufRead, BufReader, BufWriter, Write};
use std::net::IpAddr;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use anyhow::{Context, Result};
use async_model::Clock;
use message_model::Timestamp;
use stream_engine::{
    CheckpointDir, Content, Count, FileSource, Handle, Job, OutOfOrder, Row, Settings, TextSink,
    Windows,
};

const SAMPLE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../sample/access.log");
const WINDOW_MS: i64 = 5_000;
const BOUND_MS: i64 = 60_000;
const DAY_MS: i64 = 86_400_000;
const CHECKPOINT_INTERVAL: Duration = Duration::from_millis(100);
const MONTHS: &[u8] = b"JanFebMarAprMayJunJulAugSepOctNovDec";

fn main() -> Result<()> {
    let mut arguments = std::env::args().skip(1);
    let repetitions = arguments.next().map_or(Ok(400), |count| count.parse())?;
    let sample = arguments.next().unwrap_or_else(|| SAMPLE.to_owned());
    let folder = tempfile::tempdir()?;
    let log = folder.path().join("access.log");
    let lines = repeat(Path::new(&sample), &log, repetitions)?;
    println!("{lines} lines                 per s  per busy s  ratio      rows");
    let by_hand = Some(measure(lines, "loop by hand", None, || loop_by_hand(&log))?);
    for (threads, parallelism) in [(1, 1), (2, 1), (2, 2)] {
        let name = format!("engine, {threads} threads, ×{parallelism}");
        let shape = (threads, parallelism);
        measure(lines, &name, by_hand, || engine(&log, shape, None))?;
    }
    let dir = CheckpointDir::open(folder.path().join("checkpoints"))?;
    let name = "  and checkpoints, ×2";
    measure(lines, name, by_hand, || engine(&log, (2, 2), Some(&dir)))?;
    let taken = dir.newest()?.map_or(0, |newest| newest.id);
    println!("  ({taken} of them, {CHECKPOINT_INTERVAL:?} apart)");
    measure(lines, "loop by hand", by_hand, || loop_by_hand(&log))?;
    if Command::new("mawk").arg("BEGIN {}").status().is_err() {
        println!("mawk is not installed");
        return Ok(());
    }
    measure(lines, "mawk", by_hand, || mawk(&log))?;
    Ok(())
}

/// Runs `work`, prints a line, and returns how many lines it did in a second of a processor.
fn measure(
    lines: u32,
    name: &str,
    by_hand: Option<f64>,
    work: impl FnOnce() -> Result<u64>,
) -> Result<f64> {
    let clock = Clock::start();
    let busy = busy_seconds();
    let rows = work()?;
    let seconds = clock
        .now()
        .since(message_model::Moment::START)
        .as_secs_f64();
    let busy = busy_seconds() - busy;
    let lines = f64::from(lines);
    // Per second of a processor, so that other programs on the machine matter less.
    let rate = lines / if busy > 0.0 { busy } else { seconds };
    let ratio = by_hand.map_or(1.0, |by_hand| rate / by_hand);
    let wall = lines / seconds;
    println!("{name:22} {wall:>9.0} {rate:>10.0} {ratio:6.2} {rows:>9}");
    Ok(rate)
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

struct Hit {
    ip: IpAddr,
    time: Timestamp,
}

/// Address and time of a line. `None` if it is no line of an access log.
fn parse(line: &[u8]) -> Option<Hit> {
    let space = line.iter().position(|byte| *byte == b' ')?;
    let ip = std::str::from_utf8(&line[..space]).ok()?.parse().ok()?;
    let open = space + line[space..].iter().position(|byte| *byte == b'[')?;
    let time = line.get(open + 1..open + 27)?;
    let number = |from: usize, to: usize| {
        time[from..to].iter().try_fold(0i64, |number, byte| {
            let digit = byte.is_ascii_digit().then(|| i64::from(byte - b'0'));
            Some(number * 10 + digit?)
        })
    };
    let month = MONTHS.chunks(3).position(|name| name == &time[3..6])?;
    let days = days(
        number(7, 11)?,
        i64::try_from(month).ok()? + 1,
        number(0, 2)?,
    );
    let seconds = number(12, 14)? * 3600 + number(15, 17)? * 60 + number(18, 20)?;
    let zone = number(22, 24)? * 3600 + number(24, 26)? * 60;
    let zone = if time[21] == b'-' { -zone } else { zone };
    let time = Timestamp(days * DAY_MS + (seconds - zone) * 1000);
    Some(Hit { ip, time })
}

/// Days from 1970 on, in the calendar that is used today.
fn days(year: i64, month: i64, day: i64) -> i64 {
    let year = year - i64::from(month <= 2);
    let since_march = (month + 9) % 12;
    let day_of_year = (153 * since_march + 2) / 5 + day - 1;
    let leap_days = year / 4 - year / 100 + year / 400;
    year * 365 + leap_days + day_of_year - 719_468
}

/// The same the other way round: year, month, day.
fn date(days: i64) -> (i64, usize, i64) {
    let mut year = 1970 + days / 366;
    while self::days(year + 1, 1, 1) <= days {
        year += 1;
    }
    let mut month = 12;
    while self::days(year, month, 1) > days {
        month -= 1;
    }
    let day = days - self::days(year, month, 1) + 1;
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

struct Shown {
    start: i64,
    ip: IpAddr,
    count: u64,
}

impl fmt::Display for Shown {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {} {}", self.start, self.ip, self.count)
    }
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
    let mut input = BufReader::with_capacity(256 * 1024, File::open(log)?);
    let mut out = BufWriter::new(CountLines::default());
    let mut windows: BTreeMap<i64, HashMap<IpAddr, u64>> = BTreeMap::new();
    let (mut line, mut latest) = (Vec::new(), i64::MIN);
    let show = |out: &mut BufWriter<CountLines>, start, counts: HashMap<IpAddr, u64>| {
        let mut rows = counts.into_iter();
        rows.try_for_each(|(ip, count)| writeln!(out, "{}", Shown { start, ip, count }))
    };
    while input.read_until(b'\n', &mut line)? > 0 {
        let hit = parse(&line);
        let in_time = |hit: &Hit| {
            let end = hit.time.0 - hit.time.0.rem_euclid(WINDOW_MS) + WINDOW_MS;
            end > latest.saturating_sub(BOUND_MS)
        };
        if let Some(hit) = hit.filter(in_time) {
            let start = hit.time.0 - hit.time.0.rem_euclid(WINDOW_MS);
            *windows.entry(start).or_default().entry(hit.ip).or_default() += 1;
            if hit.time.0 > latest {
                latest = hit.time.0;
                while let Some(first) = windows.first_entry() {
                    if first.key() + WINDOW_MS > latest - BOUND_MS {
                        break;
                    }
                    let (start, counts) = first.remove_entry();
                    show(&mut out, start, counts)?;
                }
            }
        }
        line.clear();
    }
    for (start, counts) in windows {
        show(&mut out, start, counts)?;
    }
    Ok(out.into_inner()?.0)
}

fn engine(
    log: &Path,
    (threads, parallelism): (usize, usize),
    store: Option<&CheckpointDir>,
) -> Result<u64> {
    let job = Job::new("throughput");
    let (counter, out) = std::sync::mpsc::channel();
    define(
        &job,
        log.to_owned(),
        Counter(CountLines::default(), counter),
    );
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(threads)
        .enable_time()
        .build()?;
    runtime.block_on(async {
        let settings = Settings {
            parallelism,
            interval: store.map(|_| CHECKPOINT_INTERVAL),
            store: store.cloned(),
            ..Settings::new(Clock::start())
        };
        let (_handle, requests) = Handle::new();
        job.run(settings, requests).await
    })?;
    drop(job);
    Ok(out.recv()?)
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

fn define(job: &Job, log: PathBuf, out: Counter) {
    let order = OutOfOrder {
        bound: Duration::from_millis(BOUND_MS.unsigned_abs()),
        idle_after: None,
        step: None,
    };
    let (hits, bad) = job
        .source("log", FileSource::new(vec![log], |line| parse(line.text)))
        .split("parsed", |hit: Option<Hit>| hit.ok_or(()));
    let (rows, late) = hits
        .event_time("time", order, |hit| hit.time)
        .key_by(|hit| hit.ip)
        .window(Windows::tumbling(Duration::from_millis(
            WINDOW_MS.unsigned_abs(),
        )))
        .aggregate("count", Count);
    let show = |row: Row<IpAddr, u64>| Shown {
        start: row.window.start.0,
        ip: row.key,
        count: match row.content {
            Content::Value(count) => count,
            Content::Withdrawn => 0,
        },
    };
    rows.map("shown", show).sink("out", TextSink::new(out));
    bad.discard("bad");
    late.discard("late");
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
