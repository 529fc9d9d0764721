//! Three timers, and what becomes of them while time passes, as the trace of a figure:
//! `book/src/traces/02-timer-wheel.json`.
//!
//! The keys are in the real [`Timers`], whose slots are private. Where a key is follows
//! from the rule that the type documents, and each call checks the rule against all
//! that can be seen: what `expire` and `cancel` return, the next deadline, and how
//! many times a key was put into a slot.

use std::collections::BTreeMap;
use std::time::Duration;

use async_model::{TimerId, Timers};
use message_model::Moment;
use serde_json::{Value, json};

/// The keys and their deadlines in microseconds, in the order in which they come.
const KEYS: [(char, u64); 3] = [('a', 70_000), ('b', 75_500), ('c', 190_000)];
/// The moments of the calls of `expire`, in microseconds.
const TIMES: [u64; 4] = [69_000, 75_200, 130_000, 200_000];
/// Slots of a level.
const SLOTS: u64 = 64;
/// Slots in a row of the figure.
const COLUMNS: u64 = 16;

/// A key, and where it is: `None` after it was returned.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Key {
    name: char,
    deadline: u64,
    slot: Option<(u32, u64)>,
}

/// The calls that were made, and what they have led to.
#[derive(Clone, Default)]
struct Run {
    calls: Vec<Call>,
    keys: Vec<Key>,
    now: u64,
    /// What the last call returned.
    returned: String,
    /// What the last call has put into another slot.
    sank: String,
    next_deadline: Option<Moment>,
    puts: u64,
}

#[derive(Debug, Clone, Copy)]
enum Call {
    Schedule,
    Cancel(char),
    Expire(u64),
}

fn at(micros: u64) -> Moment {
    Moment::after_start(Duration::from_micros(micros))
}

/// Level and index of the slot for a deadline, on a wheel that has turned to `now`: in
/// milliseconds with 64 as their base, the highest digit in which the two differ.
fn place(now: u64, deadline: u64) -> (u32, u64) {
    let (turned_to, tick) = (now / 1_000, (deadline / 1_000).max(now / 1_000));
    let digit = |of: u64, level: u32| of / SLOTS.pow(level) % SLOTS;
    let differs = |level: &u32| digit(turned_to, *level) != digit(tick, *level);
    let level = (0..=2).rev().find(differs).unwrap_or(0);
    (level, digit(tick, level))
}

impl Run {
    /// After one more call; the real timers do all calls again.
    fn with(&self, call: Call) -> Run {
        let mut run = self.clone();
        run.calls.push(call);
        run.returned.clear();
        run.sank.clear();
        match call {
            Call::Schedule => {
                let (name, deadline) = KEYS[run.keys.len()];
                let slot = Some(place(run.now, deadline));
                run.keys.push(Key {
                    name,
                    deadline,
                    slot,
                });
                run.puts += 1;
            }
            Call::Cancel(name) => {
                let waits = |key: &&mut Key| key.name == name && key.slot.is_some();
                if let Some(key) = run.keys.iter_mut().find(waits) {
                    key.slot = None;
                    run.returned.push(name);
                }
            }
            Call::Expire(now) => run.expire(now),
        }
        run.check();
        run
    }

    /// What the rule says: a slot that has begun is emptied, and what is not due in it
    /// is put where it belongs now.
    fn expire(&mut self, now: u64) {
        let has_begun = |(level, index): (u32, u64)| {
            let width = SLOTS.pow(level);
            let before = self.now / 1_000 / (width * SLOTS) * SLOTS;
            (before + index) * width <= now / 1_000
        };
        for key in &mut self.keys {
            match key.slot {
                Some(slot) if has_begun(slot) && key.deadline <= now => {
                    key.slot = None;
                    self.returned.push(key.name);
                }
                Some(slot) if has_begun(slot) => {
                    key.slot = Some(place(now, key.deadline));
                    self.puts += 1;
                    if key.slot != Some(slot) {
                        self.sank.push(key.name);
                    }
                }
                _ => {}
            }
        }
        self.now = now;
    }

    /// Makes the calls on the real timers, and compares all that can be seen.
    fn check(&mut self) {
        let mut timers = Timers::new();
        let mut ids: BTreeMap<char, TimerId> = BTreeMap::new();
        let mut returned = String::new();
        for call in &self.calls {
            returned = match *call {
                Call::Schedule => {
                    let (name, deadline) = KEYS[ids.len()];
                    ids.insert(name, timers.schedule(at(deadline), name));
                    String::new()
                }
                Call::Cancel(name) => timers.cancel(ids[&name]).into_iter().collect(),
                Call::Expire(now) => timers.expire(at(now)).into_iter().collect(),
            };
        }
        assert_eq!(returned, self.returned, "{:?}", self.calls);
        assert_eq!(timers.moves(), self.puts, "{:?}", self.calls);
        let mut waiting: Vec<_> = self.keys.iter().filter(|key| key.slot.is_some()).collect();
        assert_eq!(timers.len(), waiting.len(), "{:?}", self.calls);
        for key in &waiting {
            assert_eq!(key.slot, Some(place(self.now, key.deadline)), "{key:?}");
        }
        self.next_deadline = timers.next_deadline();
        // The keys of the first slot have the earliest deadlines. One that was cancelled
        // may be named still, if another key is in its slot.
        waiting.sort_by_key(|key| (key.slot, key.deadline));
        let first = waiting.first().map(|key| at(key.deadline));
        let slot = waiting.first().and_then(|key| key.slot);
        let cancelled = self.keys.iter().filter(|key| key.slot.is_none());
        let mut named = cancelled.filter(|key| Some(place(self.now, key.deadline)) == slot);
        assert!(
            self.next_deadline == first
                || named.any(|key| Some(at(key.deadline)) == self.next_deadline),
            "{:?}",
            self.calls
        );
    }

    fn moves(&self) -> BTreeMap<String, Run> {
        let mut moves = BTreeMap::new();
        if let Some((name, deadline)) = KEYS.get(self.keys.len()) {
            let schedule = format!("schedule({}, {name})", millis(*deadline));
            moves.insert(schedule, self.with(Call::Schedule));
            return moves;
        }
        for now in TIMES.into_iter().filter(|now| *now > self.now) {
            moves.insert(
                format!("expire({})", millis(now)),
                self.with(Call::Expire(now)),
            );
        }
        for key in self.keys.iter().filter(|key| key.slot.is_some()) {
            let cancel = format!("cancel({})", key.name);
            moves.insert(cancel, self.with(Call::Cancel(key.name)));
        }
        moves
    }

    /// The slots of a level that have keys, and the place of each in the figure.
    fn slots(&self, level: u32) -> Vec<Value> {
        let mut slots: BTreeMap<u64, String> = BTreeMap::new();
        for key in &self.keys {
            if let Some((of, index)) = key.slot
                && of == level
            {
                slots.entry(index).or_default().push(key.name);
            }
        }
        let place = |(index, keys): (u64, String)| json!({ "keys": keys, "col": index % COLUMNS + 1, "row": index / COLUMNS + 1 });
        slots.into_iter().map(place).collect()
    }

    fn is(&self) -> Value {
        let turned_to = self.now / 1_000;
        let (fine, coarse) = (turned_to % SLOTS, turned_to / SLOTS % SLOTS);
        json!({
            "now": millis(self.now),
            "level0": self.slots(0),
            "level1": self.slots(1),
            "col0": fine % COLUMNS + 1,
            "row0": fine / COLUMNS + 1,
            "col1": coarse % COLUMNS + 1,
            "returned": self.returned,
            "sank": self.sank,
            "next": self.next_deadline.map_or_else(String::new, |next| millis(micros(next))),
            "puts": self.puts,
        })
    }
}

fn micros(moment: Moment) -> u64 {
    u64::try_from(moment.since(Moment::START).as_micros()).expect("these are small")
}

/// `75.2` for 75200.
fn millis(micros: u64) -> String {
    (micros as f64 / 1_000.0).to_string()
}

pub(crate) fn trace() -> Value {
    let mut names = BTreeMap::new();
    let mut states = BTreeMap::new();
    let mut runs = vec![Run::default()];
    names.insert(runs[0].is().to_string(), "0".to_owned());
    while let Some(run) = runs.pop() {
        let mut next_of = BTreeMap::new();
        for (call, next) in run.moves() {
            let number = names.len().to_string();
            let entry = names.entry(next.is().to_string());
            let name = entry.or_insert_with(|| {
                runs.push(next);
                number
            });
            next_of.insert(call, name.clone());
        }
        let name = names[&run.is().to_string()].clone();
        states.insert(name, json!({ "is": run.is(), "moves": next_of }));
    }
    json!({ "starts": { "": "0" }, "states": states })
}

fn main() {
    println!("{}", trace());
}
