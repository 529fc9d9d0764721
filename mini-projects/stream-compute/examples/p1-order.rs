//! The sample log, with its lines out of order by up to 20 seconds, counted in
//! several ways. How many rows are wrong?

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::path::Path;
use std::time::Duration;

use message_model::{Moment, Timestamp};
use stream_compute::{Cut, Hit, LineSplitter, Recount, Row, parse};
use stream_engine::{
    Content, Count, Keyed, KeyedWindows, PartitionWatermarks, UNTIMED, Window, WindowRule,
};

/// How far a line is behind its time at most, in milliseconds.
const DELAY_MAX_MS: i64 = 20_000;
/// Lines in a batch.
const BATCH: usize = 100;

type Rows = BTreeMap<String, u64>;

fn main() -> anyhow::Result<()> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("sample/access.log");
    let windows = Cut::Tumbling(Duration::from_secs(5));
    let recount = Recount::of(&[(path.clone(), u64::MAX)], windows)?;
    let lines = out_of_order(&std::fs::read(&path)?);
    println!(
        "{} lines, out of order by up to {} s; the batch recount has {} rows.\n",
        lines.len(),
        DELAY_MAX_MS / 1000,
        recount.rows.len()
    );
    println!(
        "{:<44}{:>6}{:>9}{:>12}",
        "", "late", "skipped", "wrong rows"
    );

    show(
        "by the time of arrival",
        &by_arrival(&lines, windows),
        None,
        &recount,
    );
    for seconds in [0, 5, 10, 20] {
        let (rows, tally) = by_event_time(&numbered(&lines), windows, seconds);
        let name = format!("by the time in the line, waiting {seconds} s");
        show(&name, &rows, Some(tally), &recount);
    }
    println!("\nEvery fifth batch is sent twice, because its acknowledgement was lost:");
    let sent = with_resends(&numbered(&lines));
    let anonymous: Vec<_> = (1..)
        .zip(sent.iter().map(|(_, text)| text.clone()))
        .collect();
    for (name, sent) in [
        ("  lines without numbers", anonymous),
        ("  lines with numbers", sent),
    ] {
        let (rows, tally) = by_event_time(&sent, windows, 20);
        show(name, &rows, Some(tally), &recount);
    }
    Ok(())
}

/// The lines that parse, in the order in which they arrive, with their time of arrival.
fn out_of_order(log: &[u8]) -> Vec<(Timestamp, Hit, Vec<u8>)> {
    let mut lines = Vec::new();
    for (line, number) in LineSplitter::default().push(log).into_iter().zip(1..) {
        let text = line.text.unwrap_or_default();
        if let Ok(hit) = parse(&text) {
            let delay = number * 7919 % (DELAY_MAX_MS + 1);
            lines.push((Timestamp(hit.time.0 + delay), hit, text));
        }
    }
    lines.sort_by_key(|(arrival, ..)| *arrival);
    lines
}

fn numbered(lines: &[(Timestamp, Hit, Vec<u8>)]) -> Vec<(u64, Vec<u8>)> {
    (1..)
        .zip(lines.iter().map(|(_, _, text)| text.clone()))
        .collect()
}

fn with_resends(lines: &[(u64, Vec<u8>)]) -> Vec<(u64, Vec<u8>)> {
    let send = |(index, batch): (usize, &[(u64, Vec<u8>)])| {
        let times = if index % 5 == 0 { 2 } else { 1 };
        std::iter::repeat_n(batch.to_vec(), times).flatten()
    };
    lines.chunks(BATCH).enumerate().flat_map(send).collect()
}

fn by_arrival(lines: &[(Timestamp, Hit, Vec<u8>)], windows: Cut) -> Rows {
    let mut rows = Rows::new();
    for (arrival, hit, _) in lines {
        for window in windows.windows_of(*arrival) {
            *rows.entry(key(window, hit.ip)).or_default() += 1;
        }
    }
    rows
}

/// How many lines became what.
#[derive(Debug, Clone, Copy, Default)]
struct Tally {
    late: u64,
    repeated: u64,
}

/// What the engine does with the lines of a partition, in a loop.
fn by_event_time(lines: &[(u64, Vec<u8>)], windows: Cut, wait: u64) -> (Rows, Tally) {
    let rule = WindowRule {
        windows: windows.windows(),
        lateness: Duration::ZERO,
        aggregate: Count,
    };
    let mut open = KeyedWindows::default();
    let mut watermarks = PartitionWatermarks::new(Duration::from_secs(wait), None);
    watermarks.open(Moment::START, 0, None);
    let (mut rows, mut tally) = (Rows::new(), Tally::default());
    let mut emit = |row: stream_engine::Row<_, u64>| {
        if let Content::Value(count) = row.content {
            rows.insert(key(row.window, row.key), count);
        }
    };
    let (mut last, mut watermark) = (0, UNTIMED);
    for (number, text) in lines {
        if *number <= last {
            tally.repeated += 1;
            continue;
        }
        last = *number;
        let Ok(Hit { ip, time }) = parse(text) else {
            continue;
        };
        let record = Keyed {
            time,
            key: ip,
            value: (),
        };
        let added = open.add(&rule, watermark, &record, &mut emit);
        tally.late += u64::from(added.counted == 0);
        watermarks.observe(Moment::START, 0, time);
        watermark = watermarks
            .progress(Moment::START)
            .watermark
            .unwrap_or(UNTIMED);
        open.advance::<(), Count>(&rule, watermark, &mut emit);
    }
    open.advance::<(), Count>(&rule, Timestamp(i64::MAX), &mut emit);
    (rows, tally)
}

fn key(window: Window, ip: IpAddr) -> String {
    let (count, revision) = (0, 0);
    let row = Row {
        window,
        ip,
        count,
        revision,
    };
    row.key()
}

fn show(name: &str, rows: &Rows, tally: Option<Tally>, recount: &Recount) {
    let keys: std::collections::BTreeSet<_> = rows.keys().chain(recount.rows.keys()).collect();
    let wrong = keys
        .iter()
        .filter(|key| rows.get(**key) != recount.rows.get(**key))
        .count();
    let (late, skipped) = tally.map_or((0, 0), |tally| (tally.late, tally.repeated));
    println!("{name:<44}{late:>6}{skipped:>9}{wrong:>12}");
}
