//! Requests per address in windows of 5 seconds: a loop written by hand, and a job of the engine.
//! Both read lines with the same function. A row is the window's start in milliseconds, the
//! address, and the count. `interop/beside-flink` measures both, too.

use std::collections::{BTreeMap, HashMap};
use std::fmt;
use std::fs::File;
use std::io::{BufRead, BufReader, BufWriter, Write};
use std::net::IpAddr;
use std::path::Path;
use std::time::Duration;

use anyhow::{Context, Result};
use message_model::Timestamp;
use stream_engine::{
    Content, Count, FileSource, Handle, Job, OutOfOrder, Row, Settings, TextSink, Windows,
};

const WINDOW: Duration = Duration::from_secs(5);
const WINDOW_MS: i64 = 5_000;
const BOUND: Duration = Duration::from_secs(60);
const BOUND_MS: i64 = 60_000;
pub(crate) const DAY_MS: i64 = 86_400_000;
pub(crate) const MONTHS: &[u8] = b"JanFebMarAprMayJunJulAugSepOctNovDec";

pub(crate) struct Hit {
    address: IpAddr,
    pub(crate) time: Timestamp,
}

/// Address and time of a line. `None` if it is no line of an access log.
pub(crate) fn parse(line: &[u8]) -> Option<Hit> {
    let space = line.iter().position(|byte| *byte == b' ')?;
    let address = std::str::from_utf8(&line[..space]).ok()?.parse().ok()?;
    let open = space + line[space..].iter().position(|byte| *byte == b'[')?;
    // 22/Nov/2026:18:54:31 +0000
    let time = line.get(open + 1..open + 27)?;
    let number = |from: usize, to: usize| {
        time[from..to].iter().try_fold(0, |number, byte| {
            let digit = byte.is_ascii_digit().then(|| i64::from(byte - b'0'));
            Some(number * 10 + digit?)
        })
    };
    let month = MONTHS.chunks(3).position(|name| name == &time[3..6])?;
    let month = i64::try_from(month).ok()? + 1;
    let days = days(number(7, 11)?, month, number(0, 2)?);
    let seconds = number(12, 14)? * 3600 + number(15, 17)? * 60 + number(18, 20)?;
    let ahead = number(22, 24)? * 3600 + number(24, 26)? * 60;
    let ahead = if time[21] == b'-' { -ahead } else { ahead };
    let time = Timestamp(days * DAY_MS + (seconds - ahead) * 1000);
    Some(Hit { address, time })
}

/// Days from 1970 on. A year begins in March, so that the leap day is its last.
pub(crate) fn days(year: i64, month: i64, day: i64) -> i64 {
    let year = year - i64::from(month <= 2);
    let day_of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    year * 365 + year / 4 - year / 100 + year / 400 + day_of_year - 719_468
}

struct Shown {
    start: i64,
    address: IpAddr,
    count: u64,
}

impl fmt::Display for Shown {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {} {}", self.start, self.address, self.count)
    }
}

type Counts = HashMap<IpAddr, u64>;

/// Writes the rows of a log to `out`.
pub(crate) fn loop_by_hand(log: &Path, out: impl Write) -> Result<()> {
    let mut input = BufReader::with_capacity(256 * 1024, open(log)?);
    let mut out = BufWriter::new(out);
    let mut windows: BTreeMap<i64, Counts> = BTreeMap::new();
    let (mut line, mut latest) = (Vec::new(), i64::MIN);
    let mut show = |start: i64, counts: Counts| {
        counts.into_iter().try_for_each(|(address, count)| {
            let row = Shown {
                start,
                address,
                count,
            };
            writeln!(out, "{row}")
        })
    };
    while input.read_until(b'\n', &mut line)? > 0 {
        if let Some(Hit { address, time }) = parse(&line) {
            let start = time.0 - time.0.rem_euclid(WINDOW_MS);
            if start + WINDOW_MS > latest.saturating_sub(BOUND_MS) {
                *windows
                    .entry(start)
                    .or_default()
                    .entry(address)
                    .or_default() += 1;
            }
            if time.0 > latest {
                latest = time.0;
                while let Some(first) = windows.first_entry()
                    && first.key() + WINDOW_MS <= latest - BOUND_MS
                {
                    let (start, counts) = first.remove_entry();
                    show(start, counts)?;
                }
            }
        }
        line.clear();
    }
    for (start, counts) in windows {
        show(start, counts)?;
    }
    out.flush()?;
    Ok(())
}

/// Runs the job over a log on so many threads. Its rows are written to `out`.
pub(crate) fn engine(
    log: &Path,
    out: impl Write + Send + 'static,
    threads: usize,
    settings: Settings,
) -> Result<()> {
    open(log)?;
    let job = Job::new("per address");
    define(&job, log, out);
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(threads)
        .enable_time()
        .build()?;
    runtime.block_on(async {
        let (_handle, requests) = Handle::new();
        job.run(settings, requests).await
    })?;
    Ok(())
}

fn define(job: &Job, log: &Path, out: impl Write + Send + 'static) {
    let order = OutOfOrder {
        bound: BOUND,
        idle_after: None,
        step: None,
    };
    let (hits, bad) = job
        .source(
            "log",
            FileSource::new(vec![log.to_owned()], |line| parse(line.text)),
        )
        .split("parsed", |hit: Option<Hit>| hit.ok_or(()));
    let (rows, late) = hits
        .event_time("time", order, |hit| hit.time)
        .map("address", |hit| hit.address)
        .key_by(|address| *address)
        .window(Windows::tumbling(WINDOW))
        .aggregate("count", Count);
    let show = |row: Row<IpAddr, u64>| Shown {
        start: row.window.start.0,
        address: row.key,
        count: match row.content {
            Content::Value(count) => count,
            Content::Withdrawn => 0,
        },
    };
    rows.map("shown", show).sink("rows", TextSink::new(out));
    bad.discard("bad");
    late.discard("late");
}

fn open(log: &Path) -> Result<File> {
    File::open(log).with_context(|| format!("cannot open {}", log.display()))
}
