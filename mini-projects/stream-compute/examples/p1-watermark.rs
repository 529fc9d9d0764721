//! Nine lines out of order, counted with a watermark that waits 0, 5, 10, 15 or 20
//! seconds, as the trace of a figure: `book/src/traces/p1-watermark.json`.

use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv4Addr};
use std::num::NonZeroU32;
use std::time::Duration;

use message_model::Timestamp;
use serde_json::{Value, json};
use stream_compute::{Hit, Place, Row, Tumbling, Watermark, WindowCounts};

/// The times in the lines, in seconds behind 10:00, in the order of their arrival.
const LINES: [i64; 9] = [3, 8, 12, 14, 2, 15, 1, 20, 18];
/// What the reader chooses from: how far behind the latest a line may come, in seconds.
const BOUNDS: [u64; 5] = [0, 5, 10, 15, 20];
const WINDOW_SECONDS: NonZeroU32 = NonZeroU32::new(5).expect("five is not zero");

fn shown(rows: &[Row]) -> Vec<Value> {
    let row = |row: &Row| json!({ "from": row.window.start.0 / 1000, "to": row.window.end.0 / 1000, "count": row.count });
    rows.iter().map(row).collect()
}

/// The states after each line, with this bound.
fn states(bound: u64) -> Vec<Value> {
    let windows = Tumbling::of_seconds(WINDOW_SECONDS);
    let mut counts = WindowCounts::new(windows, Watermark::behind_by(Duration::from_secs(bound)));
    let mut watermark = Watermark::behind_by(Duration::from_secs(bound));
    let ip = IpAddr::V4(Ipv4Addr::LOCALHOST);
    let mut fates = ["waits"; LINES.len()];
    let (mut rows, mut late) = (Vec::new(), 0);
    let mut states = Vec::new();
    for arrived in 0..=LINES.len() {
        if let Some(index) = arrived.checked_sub(1) {
            let time = Timestamp(LINES[index] * 1000);
            let is_late = counts.add(Place::default(), Hit { ip, time }).is_err();
            late += usize::from(is_late);
            fates[index] = if is_late { "late" } else { "counted" };
            rows.extend(counts.close_complete());
            if !is_late {
                watermark.observe(time);
            }
        }
        let lines = LINES.iter().zip(fates);
        let lines = lines.map(|(time, is)| json!({ "time": time, "is": is }));
        states.push(json!({
            "lines": lines.collect::<Vec<_>>(),
            "bound": bound,
            "watermark": watermark.current().map_or(json!("–"), |at| json!(at.0 / 1000)),
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
