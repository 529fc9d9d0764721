//! The sample log, with its lines out of order by up to 20 seconds, counted in
//! several ways. How many rows are wrong?

use std::collections::BTreeMap;
use std::num::NonZeroU32;
use std::path::Path;
use std::time::Duration;

use anyhow::Context;
use message_model::Timestamp;
use stream_compute::{
    Hit, LineSplitter, Pipeline, Recount, ResumePoint, Row, Tally, Tumbling, parse,
};

/// How far a line is behind its time at most, in milliseconds.
const DELAY_MAX_MS: i64 = 20_000;
/// Lines in a batch.
const BATCH: usize = 100;

type Rows = BTreeMap<String, u64>;

fn main() -> anyhow::Result<()> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("sample/access.log");
    let five = NonZeroU32::new(5).context("five is not zero")?;
    let windows = Tumbling::of_seconds(five);
    let recount = Recount::of(&path, u64::MAX, windows)?;
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

fn by_arrival(lines: &[(Timestamp, Hit, Vec<u8>)], windows: Tumbling) -> Rows {
    let mut rows = Rows::new();
    for (arrival, hit, _) in lines {
        let window = windows.window_of(*arrival);
        let row = Row {
            window,
            ip: hit.ip,
            count: 1,
        };
        *rows.entry(row.key()).or_default() += 1;
    }
    rows
}

fn by_event_time(lines: &[(u64, Vec<u8>)], windows: Tumbling, wait: u64) -> (Rows, Tally) {
    let wait = Duration::from_secs(wait);
    let mut pipeline = Pipeline::resume(&ResumePoint::default(), windows, wait);
    let mut rows = Vec::new();
    for batch in lines.chunks(BATCH) {
        for (number, text) in batch {
            let offset = pipeline.resume_point().taken;
            pipeline.take(offset, *number, text);
        }
        rows.extend(pipeline.close_complete());
    }
    rows.extend(pipeline.close_all());
    let rows = rows.iter().map(|row| (row.key(), row.count)).collect();
    (rows, pipeline.tally())
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
