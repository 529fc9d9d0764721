//! Writes the trace of the page's moving figure of barriers: the reader chooses from which of
//! two channels a task takes the next element, and lets it crash.
//!
//! The task asks the part's [`Alignment`], or takes its snapshot when the last barrier has come,
//! whatever it has taken since the first.

use figure_trace::{States, Story};
use serde_json::{Value, json};
use stream_engine::{Alignment, Met};

/// What comes in a channel.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Element {
    Record(&'static str),
    Barrier,
}

use Element::{Barrier, Record};

/// Of both channels, the first one first.
const CHANNELS: [&[Element]; 2] = [
    &[Record("a1"), Barrier, Record("a2"), Record("a3")],
    &[Record("b1"), Record("b2"), Barrier, Record("b3")],
];
/// The move that takes the next element of each.
const TAKE: [&str; 2] = ["a", "b"];
/// The checkpoint to which both barriers belong.
const ID: u64 = 1;

/// One order in which the elements are taken, and what has come of it.
struct History {
    /// `None`: the task does not align.
    alignment: Option<Alignment>,
    /// How many elements are taken of each channel.
    taken: [usize; 2],
    /// The records that the task has counted, in the order of their names.
    counted: Vec<&'static str>,
    snapshot: Option<Vec<&'static str>>,
    has_crashed: bool,
    last: &'static str,
}

impl History {
    fn new(aligns: bool) -> History {
        History {
            alignment: aligns.then(|| Alignment::new(CHANNELS.len())),
            taken: [0; 2],
            counted: Vec::new(),
            snapshot: None,
            has_crashed: false,
            last: "begins",
        }
    }

    fn is_blocked(&self, channel: usize) -> bool {
        let alignment = self.alignment.as_ref();
        alignment.is_some_and(|alignment| alignment.is_blocked(channel))
    }

    fn take(&mut self, channel: usize) {
        let element = CHANNELS[channel][self.taken[channel]];
        self.taken[channel] += 1;
        match element {
            Record(name) => {
                let is_second = self.counted.contains(&name);
                let place = self.counted.partition_point(|other| *other <= name);
                self.counted.insert(place, name);
                self.last = if is_second { "twice" } else { "record" };
            }
            Barrier => self.barrier(channel),
        }
    }

    fn barrier(&mut self, channel: usize) {
        let all_have_come = (0..CHANNELS.len()).all(|channel| self.is_behind(channel));
        let met = match &mut self.alignment {
            Some(alignment) => alignment.barrier(channel, ID),
            None if all_have_come => Met::Complete,
            None => Met::Wait,
        };
        match met {
            Met::Wait if self.is_blocked(channel) => self.last = "wait",
            Met::Wait => self.last = "goes on",
            Met::Complete => {
                self.snapshot = Some(self.counted.clone());
                let is_exact = self.counted == before_the_barriers();
                self.last = if is_exact { "complete" } else { "spoiled" };
            }
            Met::Stale => unreachable!("there is one checkpoint"),
        }
    }

    /// Whether the barrier of this channel is taken.
    fn is_behind(&self, channel: usize) -> bool {
        CHANNELS[channel][..self.taken[channel]].contains(&Barrier)
    }

    /// When everything is taken: whether each record is counted once.
    fn end(&self) -> &'static str {
        let left = (0..CHANNELS.len()).any(|channel| self.taken[channel] < CHANNELS[channel].len());
        let mut once = self.counted.clone();
        once.dedup();
        match (left, once.len() == self.counted.len()) {
            (true, _) => "",
            (false, true) => "once",
            (false, false) => "more",
        }
    }

    /// The task is started again from its snapshot, and the sources from where their barriers
    /// were.
    fn crash(&mut self) {
        self.counted = self.snapshot.clone().unwrap_or_default();
        self.taken = CHANNELS.map(|channel| {
            let barrier = channel.iter().position(|element| *element == Barrier);
            barrier.map_or(0, |place| place + 1)
        });
        self.has_crashed = true;
        self.last = "crash";
    }
}

/// The records that belong to the checkpoint, in the order of their names.
fn before_the_barriers() -> Vec<&'static str> {
    let before = CHANNELS.iter().flat_map(|channel| {
        channel.iter().map_while(|element| match element {
            Record(name) => Some(*name),
            Barrier => None,
        })
    });
    before.collect()
}

impl Story for History {
    type Step = &'static str;

    fn moves(&self) -> Vec<&'static str> {
        let is_there = |channel: &usize| {
            self.taken[*channel] < CHANNELS[*channel].len() && !self.is_blocked(*channel)
        };
        let channels = (0..CHANNELS.len()).filter(is_there);
        let mut moves: Vec<_> = channels.map(|channel| TAKE[channel]).collect();
        if self.snapshot.is_some() && !self.has_crashed {
            moves.push("crash");
        }
        moves
    }

    fn make(&mut self, step: &str) {
        match TAKE.iter().position(|take| *take == step) {
            Some(channel) => self.take(channel),
            None => self.crash(),
        }
    }

    fn is(&self) -> Value {
        let [a, b] = self.taken;
        let [blocked_a, blocked_b] = [0, 1].map(|channel| self.is_blocked(channel));
        json!({
            "a": a, "b": b, "blocked-a": blocked_a, "blocked-b": blocked_b,
            "counted": self.counted, "count": self.counted.len(),
            "snapshot": self.snapshot.as_ref().map_or(json!("–"), |records| json!(records)),
            "last": self.last, "end": self.end(),
        })
    }
}

/// Returns the trace: all orders in which the elements can be taken, with and without
/// alignment.
pub(crate) fn trace() -> Value {
    let mut states = States::default();
    let with = states.of(|| History::new(true));
    let without = states.of(|| History::new(false));
    json!({"starts": {"with": with, "without": without}, "states": states.by_name()})
}

#[expect(clippy::print_stdout, reason = "an example prints")]
fn main() {
    println!("{}", trace());
}
