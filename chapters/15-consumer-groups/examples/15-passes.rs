//! A compacted log, pass by pass, as the trace of a figure: `book/src/traces/15-passes.json`.
//!
//! The log is on a simulated disk and is rewritten by chapter 06; the rule is the part's,
//! and each call of it becomes a step. There is room for two keys, or for all.

#[allow(
    clippy::duplicate_mod,
    reason = "two examples share it, and a test has both"
)]
mod compacted;

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use disk::Disk;
use log_storage::{Candidate, DirtySection, Log};
use message_model::{Offset, OffsetRange, Timestamp};
use serde_json::{Map, Value, json};
use sim_disk::SimDisk;

use compacted::{Kept, Written};

/// Two of the records of a batch each are in a segment.
const SEGMENT_BYTES: u32 = 150;
const FIRST: [Written; 7] = [
    ("b", Some(1)),
    ("a", Some(1)),
    ("a", Some(2)),
    ("c", Some(1)),
    ("b", None),
    ("a", Some(3)),
    ("d", Some(1)),
];
const LATER: [Written; 2] = [("c", Some(2)), ("d", Some(2))];
/// When the cleaner comes, before and after the later records; in seconds.
const PASSES: [&[i64]; 2] = [&[1, 2], &[11, 13]];

/// A call of the rule, and what it has returned.
#[derive(Debug)]
enum Call {
    Note {
        offset: i64,
        key: String,
        has_room: bool,
    },
    Survives {
        offset: i64,
        lives: bool,
    },
}

thread_local! {
    static CALLS: RefCell<Vec<Call>> = const { RefCell::new(Vec::new()) };
}

fn note_call(call: Call) {
    CALLS.with_borrow_mut(|calls| calls.push(call));
}

/// A section that says how it was called.
#[derive(Debug)]
struct Heard(Box<dyn DirtySection>);

impl DirtySection for Heard {
    fn note(&mut self, offset: Offset, key: Option<&[u8]>) -> bool {
        let has_room = self.0.note(offset, key);
        note_call(Call::Note {
            offset: offset.0,
            key: String::from_utf8_lossy(key.unwrap_or_default()).into_owned(),
            has_room,
        });
        has_room
    }

    fn pass(&mut self, end: Offset) {
        self.0.pass(end);
    }

    fn end(&self) -> Offset {
        self.0.end()
    }

    fn survives(&self, record: &Candidate<'_>, horizon: Option<Timestamp>, now: Timestamp) -> bool {
        let lives = self.0.survives(record, horizon, now);
        note_call(Call::Survives {
            offset: record.offset.0,
            lives,
        });
        lives
    }

    fn horizon(
        &self,
        batch: OffsetRange,
        given: Option<Timestamp>,
        next: Timestamp,
    ) -> Option<Timestamp> {
        self.0.horizon(batch, given, next)
    }
}

fn heard(start: Offset, keys: usize) -> Box<dyn DirtySection> {
    Box::new(Heard(compacted::section(start, keys)))
}

/// What the figure shows of a pass.
#[derive(Debug, Clone, Default)]
struct Pass {
    now: i64,
    step: &'static str,
    /// The record that was noted last.
    at: i64,
    key: String,
    map: BTreeMap<String, i64>,
    /// From where to where it has noted.
    start: i64,
    end: i64,
    goes: BTreeSet<i64>,
}

struct Run {
    disk: SimDisk,
    log: Log,
    keys: usize,
    /// Everything below it was in a section.
    clean: i64,
    states: Vec<Value>,
}

impl Run {
    fn new(keys: usize) -> Run {
        let disk = compacted::new_disk();
        let log = compacted::open(&disk, SEGMENT_BYTES).expect("it is well");
        Run {
            disk,
            log,
            keys,
            clean: 0,
            states: Vec::new(),
        }
    }

    fn append(&mut self, now: i64, records: &[Written]) {
        for record in records {
            let now = Timestamp(now * 1000);
            compacted::append(&mut self.log, now, *record).expect("it is well");
        }
        self.log.view().sync(Offset(0)).expect("it is well");
        let pass = Pass {
            now,
            step: if now == 0 { "begin" } else { "appended" },
            ..Pass::default()
        };
        self.show(&pass, &self.files());
    }

    /// The segments: where each begins, and its bytes.
    fn files(&self) -> Vec<(i64, Vec<u8>)> {
        let mut names = self
            .disk
            .list(Path::new(compacted::DIR))
            .expect("it is well");
        names.retain(|name| name.ends_with(".log"));
        let files: BTreeMap<_, _> = self.disk.files().into_iter().collect();
        let of = |name: &String| {
            let base = name.trim_end_matches(".log").parse();
            let bytes = files[&Path::new(compacted::DIR).join(name)].clone();
            (base.expect("a segment is named after an offset"), bytes)
        };
        names.iter().map(of).collect()
    }

    fn pass(&mut self, now: i64) {
        let before = self.files();
        CALLS.take();
        let with = compacted::compactor(heard, self.keys);
        let is_pass = compacted::compact(&mut self.log, Timestamp(now * 1000), with);
        if !is_pass.expect("it is well") {
            return;
        }
        let mut pass = Pass {
            now,
            start: self.clean,
            end: self.clean,
            ..Pass::default()
        };
        for call in CALLS.take() {
            match call {
                Call::Note {
                    offset,
                    key,
                    has_room,
                } => {
                    pass.step = match (has_room, pass.map.contains_key(&key)) {
                        (false, _) => "refused",
                        (true, false) => "new",
                        (true, true) => "known",
                    };
                    (pass.at, pass.key) = (offset, key.clone());
                    if has_room {
                        pass.map.insert(key, offset);
                        pass.end = offset + 1;
                    }
                    self.show(&pass, &before);
                }
                Call::Survives { lives: true, .. } => {}
                Call::Survives { offset, .. } => {
                    pass.goes.insert(offset);
                }
            }
        }
        pass.step = "rewritten";
        self.clean = pass.end;
        self.show(&pass, &before);
    }

    /// One more state. The records are those of before the pass; what goes is marked.
    fn show(&mut self, pass: &Pass, before: &[(i64, Vec<u8>)]) {
        let end = self.log.log_end().0;
        let kept: Vec<_> = before
            .iter()
            .flat_map(|(_, bytes)| compacted::records(bytes))
            .collect();
        let active = before.last().expect("one is active").0;
        let records: Vec<_> = (0..end)
            .map(|offset| {
                let record = kept.iter().find(|record| record.0 == offset);
                let is = match record {
                    None => "gone",
                    Some(_) if pass.goes.contains(&offset) => "goes",
                    Some(_) if offset >= active => "active",
                    Some(_) if pass.start <= offset && offset < pass.end => "section",
                    Some(_) if offset >= self.clean => "dirty",
                    Some(_) => "clean",
                };
                let text = record.map_or("·", |record| &record.1);
                json!({ "at": offset + 1, "text": text, "is": is })
            })
            .collect();
        let ends = before.iter().skip(1).map(|(base, _)| *base).chain([end]);
        let segments: Vec<_> = before
            .iter()
            .zip(ends)
            .map(|((base, _), to)| json!({ "base": base, "at": base + 1, "to": to + 1 }))
            .collect();
        let section = match pass.map.len() {
            0 => "none".to_owned(),
            _ => format!("{}..{}", pass.start, pass.end),
        };
        let map: Vec<_> = pass
            .map
            .iter()
            .map(|(key, offset)| json!({ "key": key, "newest": offset }))
            .collect();
        let left = kept.iter().filter(|one| !pass.goes.contains(&one.0));
        let left: Vec<_> = left.map(|record| record.1.as_str()).collect();
        let goes = kept.iter().filter(|one| pass.goes.contains(&one.0));
        let goes: Vec<_> = goes.map(|record| record.1.as_str()).collect();
        let (tombstone, horizon) = self.tombstone(pass, &kept);
        self.states.push(json!({
            "now": pass.now, "step": pass.step, "at": pass.at, "key": pass.key,
            "section": section,
            "records": records, "segments": segments, "map": map,
            "left": left.join(" "), "goes": goes, "went": goes.len(),
            "tombstone": tombstone, "horizon": horizon,
        }));
    }

    /// What becomes of the record without a value, and its horizon in seconds.
    fn tombstone(&self, pass: &Pass, before: &[Kept]) -> (&'static str, Value) {
        let is_it = |record: &&Kept| record.1 == "b∅";
        let horizon = |record: &Kept| record.2.map(|at| at.0 / 1000);
        let Some(was) = before.iter().find(is_it) else {
            return ("gone", json!("none"));
        };
        let now: Vec<_> = self
            .files()
            .iter()
            .flat_map(|(_, bytes)| compacted::records(bytes))
            .collect();
        let is = now.iter().find(is_it);
        if pass.step != "rewritten" {
            let horizon = horizon(was).map_or(json!("none"), |at| json!(at));
            return ("is there", horizon);
        }
        match (horizon(was), is.map(horizon)) {
            (_, None) => ("goes", json!("none")),
            (_, Some(None)) => ("has none", json!("none")),
            (None, Some(Some(at))) => ("begins", json!(at)),
            (Some(_), Some(Some(at))) => ("waits", json!(at)),
        }
    }
}

pub(crate) fn trace() -> Value {
    let (mut starts, mut states) = (Map::new(), Map::new());
    for (name, keys) in [("two", 2), ("all", 100)] {
        let mut run = Run::new(keys);
        run.append(0, &FIRST);
        PASSES[0].iter().for_each(|now| run.pass(*now));
        run.append(3, &LATER);
        PASSES[1].iter().for_each(|now| run.pass(*now));
        starts.insert(name.to_owned(), json!(format!("{name}.0")));
        let last = run.states.len() - 1;
        for (step, is) in run.states.into_iter().enumerate() {
            let next = format!("{name}.{}", step + 1);
            let moves = if step == last {
                json!({})
            } else {
                json!({ "next": next })
            };
            let state = json!({ "is": is, "moves": moves });
            states.insert(format!("{name}.{step}"), state);
        }
    }
    json!({ "starts": starts, "states": states })
}

fn main() {
    println!("{}", trace());
}
