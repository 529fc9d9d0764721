//! Writes the trace of the page's moving figure of a slow partition: the reader lets records of
//! two partitions come, of which A is punctual and B is not.
//!
//! The watermark is that of the part's [`PartitionWatermarks`], and the windows are its
//! [`KeyedWindows`].

use std::time::Duration;

use figure_trace::{States, Story};
use message_model::{Moment, Timestamp};
use serde_json::{Value, json};
use stream_engine::{
    Content, Count, Keyed, KeyedWindows, PartitionWatermarks, Progress, Row, Window, WindowRule,
    Windows,
};

const A: u32 = 0;
const B: u32 = 1;
/// The times of A's records, in seconds. Each comes when the clock is there.
const A_TIMES: [i64; 6] = [4, 8, 12, 16, 20, 24];
/// The times of B's records. Each comes when the reader wants, but not before its time.
const B_TIMES: [i64; 3] = [2, 9, 20];
const WINDOW_MS: i64 = 10_000;
/// After A's last record there may be so long none.
const SILENCE: Duration = Duration::from_secs(8);
/// What the reader chooses from: after how long a silent partition is idle.
const IDLE_AFTER: [(&str, Option<Duration>); 2] =
    [("8", Some(Duration::from_secs(8))), ("never", None)];

/// One order of records, and what has come of it.
struct History {
    watermarks: PartitionWatermarks,
    rule: WindowRule<Count>,
    windows: KeyedWindows<(), u64>,
    idle_after: Option<Duration>,
    now: Moment,
    /// When A and B were heard last.
    heard: [Moment; 2],
    /// How many records of A have come.
    of_a: usize,
    /// Whether the silence behind A's last record is over.
    is_quiet: bool,
    /// What became of the records of B that have come.
    of_b: Vec<&'static str>,
    progress: Progress,
    /// The rows of the windows that are closed, by their ends.
    rows: Vec<u64>,
    last: &'static str,
    /// How many windows the last step has closed.
    closed: usize,
}

impl History {
    fn new(idle_after: Option<Duration>) -> History {
        let mut watermarks = PartitionWatermarks::new(Duration::ZERO, idle_after);
        for partition in [A, B] {
            watermarks.open(Moment::START, partition, None);
        }
        History {
            watermarks,
            rule: WindowRule {
                windows: Windows::tumbling(Duration::from_millis(WINDOW_MS.unsigned_abs())),
                lateness: Duration::ZERO,
                aggregate: Count,
            },
            windows: KeyedWindows::default(),
            idle_after,
            now: Moment::START,
            heard: [Moment::START; 2],
            of_a: 0,
            is_quiet: false,
            of_b: Vec::new(),
            progress: Progress::default(),
            rows: Vec::new(),
            last: "begins",
            closed: 0,
        }
    }

    /// A record comes, as it comes to an operator with windows; returns whether it is counted.
    fn record(&mut self, partition: u32, seconds: i64) -> bool {
        let time = Timestamp(seconds * 1000);
        let record = Keyed {
            time,
            key: (),
            value: (),
        };
        let watermark = self.progress.watermark.unwrap_or(Timestamp(i64::MIN));
        let added = self.windows.add(&self.rule, watermark, &record, |_| ());
        self.watermarks.observe(self.now, partition, time);
        self.heard[partition as usize] = self.now;
        self.advance();
        added.counted > 0
    }

    /// The watermark goes on as far as it may, and closes windows.
    fn advance(&mut self) {
        self.progress = self.watermarks.progress(self.now);
        let before = self.rows.len();
        if let Some(watermark) = self.progress.watermark {
            let rows = &mut self.rows;
            let emit = |row: Row<(), u64>| match row.content {
                Content::Value(count) => rows.push(count),
                Content::Withdrawn => unreachable!("not a session"),
            };
            self.windows.advance::<(), _>(&self.rule, watermark, emit);
        }
        self.closed = self.rows.len() - before;
    }

    /// How long a partition has been silent, or that it is idle.
    fn silent(&self, partition: u32) -> Value {
        let silent = self.now.since(self.heard[partition as usize]);
        match self.idle_after {
            None => json!("counts"),
            Some(after) if silent >= after => json!("idle"),
            Some(_) => json!(silent.as_secs()),
        }
    }

    fn next_of_a(&mut self) {
        let time = A_TIMES[self.of_a];
        self.of_a += 1;
        let (was, was_silent) = (self.progress.watermark, self.silent(B));
        self.now = Moment::START.plus(Duration::from_secs(time.unsigned_abs()));
        let counted = self.record(A, time);
        assert!(counted, "A is ahead of the watermark");
        let is_idle = self.silent(B) == json!("idle");
        self.last = match (self.progress.watermark > was, is_idle) {
            (false, _) => "A, held",
            (true, true) if was_silent != json!("idle") => "A, B idle",
            (true, _) => "A, on",
        };
    }

    fn next_of_b(&mut self) {
        let was = self.progress.watermark;
        let counted = self.record(B, B_TIMES[self.of_b.len()]);
        self.of_b.push(if counted { "counted" } else { "late" });
        self.last = match (counted, self.progress.watermark > was) {
            (false, _) => "B, late",
            (true, true) => "B, on",
            (true, false) => "B, held",
        };
    }

    /// No record comes for a while.
    fn silence(&mut self) {
        self.now = self.now.plus(SILENCE);
        self.is_quiet = true;
        self.advance();
        self.last = if self.progress.idle {
            "all idle"
        } else {
            "silence"
        };
    }

    /// Whether a window is closed, and its row, or how many records it has so far.
    fn window(&self, index: usize) -> (&'static str, u64) {
        if let Some(row) = self.rows.get(index) {
            return ("closed", *row);
        }
        let mut panes = self.windows.panes();
        let is_it = |window: Window| window.end.0 / WINDOW_MS == index as i64 + 1;
        let pane = panes.find(|(_, pane)| is_it(pane.window));
        ("open", pane.map_or(0, |(_, pane)| pane.state))
    }
}

fn seconds(time: Option<Timestamp>) -> Value {
    time.map_or(json!("–"), |time| json!(time.0 / 1000))
}

impl Story for History {
    type Step = &'static str;

    fn moves(&self) -> Vec<&'static str> {
        let now = self.now.since(Moment::START).as_secs();
        let next_of_b = B_TIMES.get(self.of_b.len());
        let mut moves = Vec::new();
        if self.of_a < A_TIMES.len() {
            moves.push("A");
        } else if !self.is_quiet {
            moves.push("silence");
        }
        if next_of_b.is_some_and(|time| time.unsigned_abs() <= now) {
            moves.push("B");
        }
        moves
    }

    fn make(&mut self, step: &str) {
        match step {
            "A" => self.next_of_a(),
            "B" => self.next_of_b(),
            _ => self.silence(),
        }
    }

    fn is(&self) -> Value {
        let latest = self.watermarks.latest();
        let of = |partition| {
            let mut all = latest.iter().filter(|(number, _)| *number == partition);
            seconds(all.next().map(|(_, time)| *time))
        };
        let [b1, b2, b3] = [0, 1, 2].map(|index| self.of_b.get(index).unwrap_or(&""));
        let (w0, n0) = self.window(0);
        let (w1, n1) = self.window(1);
        let (_, n2) = self.window(2);
        json!({
            "a": of(A), "b": of(B), "b1": b1, "b2": b2, "b3": b3, "is-a": self.silent(A), "is-b": self.silent(B),
            "now": self.now.since(Moment::START).as_secs(),
            "mark": seconds(self.progress.watermark), "last": self.last, "shut": self.closed,
            "w0": w0, "n0": n0, "w1": w1, "n1": n1, "n2": n2,
        })
    }
}

/// Returns the trace: all orders in which the records can come, for each of the choices.
pub(crate) fn trace() -> Value {
    let mut states = States::default();
    let starts = IDLE_AFTER.map(|(name, after)| (name, states.of(|| History::new(after))));
    let starts: serde_json::Map<_, _> = starts
        .into_iter()
        .map(|(name, state)| (name.to_owned(), json!(state)))
        .collect();
    json!({"starts": starts, "states": states.by_name()})
}

#[expect(clippy::print_stdout, reason = "an example prints")]
fn main() {
    println!("{}", trace());
}
