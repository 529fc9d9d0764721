//! Writes the trace of the page's moving figure: a transaction is decided, gets its markers and
//! is complete, and the broker crashes where the reader wants.

#[path = "machine/mod.rs"]
mod machine;

use exactly_once::{Outcome, State};
use machine::{Done, Entry, Machine};
use serde_json::{Map, Value, json};

/// One run: its states so far.
struct Run {
    name: String,
    machine: Machine,
    /// Whether the producer has heard that its transaction is committed.
    is_told: bool,
    steps: usize,
}

/// Returns the trace: the run without a crash, and one run behind each crash.
pub(crate) fn trace() -> Value {
    let mut states = Map::new();
    let mut run = Run {
        name: "run".to_owned(),
        machine: open(),
        is_told: false,
        steps: 0,
    };
    run.note(&mut states, "open");
    run.machine.commit();
    run.next(&mut states, "asks");
    crash(&mut states, &run);
    while let Some(done) = run.machine.work() {
        let step = run.step(done);
        run.next(&mut states, step);
        crash(&mut states, &run);
    }
    json!({"starts": {"": "run.0"}, "states": states})
}

/// A transaction that has written to both partitions.
fn open() -> Machine {
    let mut machine = Machine::new();
    machine.init();
    machine.settle();
    machine.add_both();
    machine.settle();
    machine.write(0, 'a');
    machine.write(1, 'b');
    machine
}

/// In the state in which `before` is, the broker may crash. Then it does what it finds to do,
/// and the producer asks again if it was not answered.
fn crash(states: &mut Map<String, Value>, before: &Run) {
    let mut run = Run {
        name: format!("crash{}", before.steps),
        machine: before.machine.clone(),
        is_told: before.is_told,
        steps: 0,
    };
    run.machine.crash();
    run.note(states, "crash");
    states[&before.at()]["moves"]["crash"] = json!(run.at());
    loop {
        while let Some(done) = run.machine.work() {
            let step = run.step(done);
            run.next(states, step);
        }
        if run.is_told {
            return;
        }
        run.machine.commit();
        run.next(states, "asks again");
    }
}

impl Run {
    fn at(&self) -> String {
        format!("{}.{}", self.name, self.steps)
    }

    /// Returns the name of the step that ended with `done`.
    fn step(&self, done: Done) -> &'static str {
        let stored = self.machine.disk.as_ref().map(|disk| disk.state);
        match (done, stored) {
            (Done::Marked(0), _) => "marker in 0",
            (Done::Marked(_), _) => "marker in 1",
            (Done::Begun, _) => "told",
            (Done::Stored, Some(State::PrepareCommit)) => "decided",
            (Done::Stored, _) => "complete",
        }
    }

    /// The next state, behind `step`.
    fn next(&mut self, states: &mut Map<String, Value>, step: &str) {
        self.is_told |= self.machine.is_told();
        let before = self.at();
        self.steps += 1;
        states[&before]["moves"]["next"] = json!(self.at());
        self.note(states, step);
    }

    fn note(&self, states: &mut Map<String, Value>, step: &str) {
        let disk = self.machine.disk.as_ref().map(|disk| disk.state.name());
        let logs: Vec<String> = self.machine.logs.iter().map(|log| in_words(log)).collect();
        let committed = [0, 1].map(|index| self.machine.committed(index));
        let is = json!({
            "step": step, "disk": disk, "memory": self.machine.id.metadata().state.name(),
            "log0": logs[0], "log1": logs[1],
            "reads0": or_nothing(&committed[0]), "reads1": or_nothing(&committed[1]),
            "producer": if self.is_told { "knows" } else { "does not know" },
        });
        states.insert(self.at(), json!({"is": is, "moves": {}}));
    }
}

/// The records and markers of a log, such as `a C`.
fn in_words(log: &[Entry]) -> String {
    let words = log.iter().map(|entry| match entry {
        Entry::Record(record) => record.to_string(),
        Entry::Marker(Outcome::Commit) => "C".to_owned(),
        Entry::Marker(Outcome::Abort) => "A".to_owned(),
    });
    words.collect::<Vec<_>>().join(" ")
}

fn or_nothing(text: &str) -> &str {
    if text.is_empty() { "nothing" } else { text }
}

#[expect(clippy::print_stdout, reason = "an example prints")]
fn main() {
    println!("{}", trace());
}
