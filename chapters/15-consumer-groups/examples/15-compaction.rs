//! What survives of a compacted topic, pass by pass: an experiment for page 15.
//!
//! Each record is a batch of its own. A record without a value is printed as `key∅`.

use consumer_groups::{Candidate, DirtySection, delete_horizon, survives};
use message_model::{Offset, OffsetRange, Timestamp};

/// `delete.retention.ms`.
const RETENTION: i64 = 10_000;

/// A record: its key, and its value if it has one.
type Written = (&'static str, Option<u32>);

/// A record that was written; `None` once it is gone, else with its delete horizon.
struct Slot {
    written: Written,
    left: Option<Option<Timestamp>>,
}

fn main() {
    println!("Room for all keys, delete.retention.ms={RETENTION}");
    let rounds: &[(i64, &[Written])] = &[
        (
            1_000,
            &[
                ("a", Some(1)),
                ("b", Some(1)),
                ("a", Some(2)),
                ("c", Some(1)),
            ],
        ),
        (2_000, &[("b", None), ("a", Some(3))]),
        (11_000, &[("c", Some(2))]),
        (13_000, &[("d", Some(1))]),
    ];
    let mut log = Vec::new();
    print_head(rounds);
    let mut from = Offset(0);
    for (now, written) in rounds {
        append(&mut log, written);
        from = pass(&mut log, from, Timestamp(*now), 100);
    }

    println!("\nRoom for two keys: a pass goes as far as they reach");
    let all: &[Written] = &[
        ("a", Some(1)),
        ("b", Some(1)),
        ("a", Some(2)),
        ("c", None),
        ("b", Some(2)),
        ("d", Some(1)),
        ("a", Some(3)),
    ];
    print_head(&[(0, all)]);
    let mut log = Vec::new();
    append(&mut log, all);
    let mut from = Offset(0);
    while from < end(&log) {
        from = pass(&mut log, from, Timestamp(1_000), 2);
    }
}

fn append(log: &mut Vec<Slot>, written: &[Written]) {
    log.extend(written.iter().map(|written| Slot {
        written: *written,
        left: Some(None),
    }));
}

fn end(log: &[Slot]) -> Offset {
    Offset(i64::try_from(log.len()).unwrap_or(i64::MAX))
}

/// A pass over what is dirty; prints what is left, and returns where the next one begins.
fn pass(log: &mut [Slot], from: Offset, now: Timestamp, keys_max: usize) -> Offset {
    let mut section = DirtySection::new(from, keys_max);
    for (offset, slot) in (0..).map(Offset).zip(&*log) {
        let is_dirty = offset >= from && slot.left.is_some();
        if is_dirty && !section.note(offset, Some(slot.written.0.as_bytes())) {
            break;
        }
    }
    let range = section.range();
    for (offset, slot) in (0..).map(Offset).zip(&mut *log) {
        let Some(given) = slot.left else {
            continue;
        };
        let (key, value) = slot.written;
        let batch = OffsetRange {
            start: offset,
            end: offset.plus(1),
        };
        let next = Timestamp(now.0 + RETENTION);
        let horizon = delete_horizon(range, batch, given, next);
        let record = Candidate {
            offset,
            key: Some(key.as_bytes()),
            has_value: value.is_some(),
        };
        let lives = survives(&record, section.newest(key.as_bytes()), horizon, now);
        slot.left = lives.then_some(horizon);
    }
    let cells = log.iter().map(|slot| match slot.left {
        None => "·".to_owned(),
        Some(_) => show(&slot.written),
    });
    print_row(&now.0.to_string(), &format!("{range}"), cells);
    range.end
}

fn show((key, value): &Written) -> String {
    match value {
        Some(value) => format!("{key}={value}"),
        None => format!("{key}∅"),
    }
}

fn print_head(rounds: &[(i64, &[Written])]) {
    let written = || rounds.iter().flat_map(|(_, written)| written.iter());
    let offsets = written().enumerate().map(|(offset, _)| offset.to_string());
    print_row("", "offset", offsets);
    print_row("now", "section", written().map(show));
}

fn print_row(now: &str, section: &str, cells: impl Iterator<Item = String>) {
    let cells: String = cells.map(|cell| format!("{cell:>5}")).collect();
    println!("{now:>6}  {section:<10}{cells}");
}
