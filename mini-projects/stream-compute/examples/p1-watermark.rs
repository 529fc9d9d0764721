//! Nine lines out of order, counted with a watermark that waits 0, 5, 10, 15 or 20
//! seconds, as the trace of a figure: `book/src/traces/p1-watermark.json`.

use std::collections::BTreeMap;
use std::time::Duration;

use message_model::{Moment, Timestamp};
use serde_json::{Value, json};
use stream_engine::{
    Content, Count, Keyed, KeyedWindows, PartitionWatermarks, Row, UNTIMED, WindowRule, Windows,
};

/// The times in the lines, in seconds behind 10:00, in the order of their arrival.
const LINES: [i64; 9] = [3, 8, 12, 14, 2, 15, 1, 20, 18];
/// What the reader chooses from: how far behind the latest a line may come, in seconds.
const BOUNDS: [u64; 5] = [0, 5, 10, 15, 20];
const WINDOW: Duration = Duration::from_secs(5);

fn shown(rows: &[Row<(), u64>]) -> Vec<Value> {
    let row = |row: &Row<(), u64>| {
        let Content::Value(count) = row.content else {
            return Value::Null;
        };
        json!({ "from": row.window.start.0 / 1000, "to": row.window.end.0 / 1000, "count": count })
    };
    rows.iter().map(row).collect()
}

/// The states after each line, with this bound.
fn states(bound: u64) -> Vec<Value> {
    let rule = WindowRule {
        windows: Windows::tumbling(WINDOW),
        lateness: Duration::ZERO,
        aggregate: Count,
    };
    let mut open = KeyedWindows::default();
    let mut watermarks = PartitionWatermarks::new(Duration::from_secs(bound), None);
    watermarks.open(Moment::START, 0, None);
    let mut watermark = None;
    let mut fates = ["waits"; LINES.len()];
    let (mut rows, mut late) = (Vec::new(), 0);
    let mut states = Vec::new();
    for arrived in 0..=LINES.len() {
        if let Some(index) = arrived.checked_sub(1) {
            let time = Timestamp(LINES[index] * 1000);
            let (key, value) = ((), ());
            let before = watermark.unwrap_or(UNTIMED);
            let record = Keyed { time, key, value };
            let added = open.add(&rule, before, &record, |row| rows.push(row));
            let is_late = added.counted == 0;
            late += usize::from(is_late);
            fates[index] = if is_late { "late" } else { "counted" };
            watermarks.observe(Moment::START, 0, time);
            watermark = watermarks.progress(Moment::START).watermark;
            let now = watermark.unwrap_or(UNTIMED);
            open.advance::<(), Count>(&rule, now, |row| rows.push(row));
        }
        let lines = LINES.iter().zip(fates);
        let lines = lines.map(|(time, is)| json!({ "time": time, "is": is }));
        states.push(json!({
            "lines": lines.collect::<Vec<_>>(),
            "bound": bound,
            "watermark": watermark.map_or(json!("–"), |at| json!(at.0 / 1000)),
            "rows": shown(&rows),
            "late": late,
        }));
    }
    states
}

pub(crate) fn trace() -> Value {
    let (mut starts, mut all) = (BTreeMap::new(), BTreeMap::new());
    for bound in BOUNDS {
        starts.insert(bound.to_string(), format!("{bound}.0"));
        for (number, is) in states(bound).into_iter().enumerate() {
            let is_last = number == LINES.len();
            let moves = match is_last {
                true => json!({}),
                false => json!({ "next": format!("{bound}.{}", number + 1) }),
            };
            all.insert(
                format!("{bound}.{number}"),
                json!({ "is": is, "moves": moves }),
            );
        }
    }
    json!({ "starts": starts, "states": all })
}

fn main() {
    println!("{}", trace());
}
