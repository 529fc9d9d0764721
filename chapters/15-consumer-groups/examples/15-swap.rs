//! What a power failure leaves of a log whose segments are being replaced, and what a
//! start makes of it, as the trace of a figure: `book/src/traces/15-swap.json`.
//!
//! Chapter 06 replaces two segments on a simulated disk. Before each operation of the disk the
//! power fails many times, and each survivor is opened; there it may fail again.

#[allow(
    clippy::duplicate_mod,
    reason = "two examples share it, and a test has both"
)]
mod compacted;

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use log_storage::Error;
use message_model::{Offset, Timestamp};
use serde_json::{Map, Value, json};
use sim_disk::SimDisk;

/// Survivors that are looked at, of each operation.
const SURVIVORS: usize = 60;

/// Three segments, each rolled because the one before had become old; the last is active.
fn written() -> SimDisk {
    let disk = compacted::new_disk();
    let mut log = compacted::open(&disk, 1000).expect("it is well");
    let records = [("a", 1), ("b", 1), ("a", 2), ("c", 1), ("d", 1)];
    for ((key, value), minute) in records.into_iter().zip([0, 0, 2, 2, 4]) {
        let now = Timestamp(minute * 60_000);
        compacted::append(&mut log, now, (key, Some(value))).expect("it is well");
    }
    log.view().sync(Offset(0)).expect("it is well");
    // What was not synced of the directory is not what the figure is about.
    disk::Disk::sync_dir(&disk, Path::new(compacted::DIR)).expect("it is well");
    disk
}

fn pass(disk: &SimDisk) -> Result<(), Error> {
    let mut log = compacted::open(disk, 1000)?;
    let with = compacted::compactor(compacted::section, 100);
    compacted::compact(&mut log, Timestamp(300_000), with).map(|_| ())
}

fn start(disk: &SimDisk) -> Result<(), Error> {
    compacted::open(disk, 1000).map(|_| ())
}

/// The segments' files and those of the pass, with short names; and what is in each.
fn files(disk: &SimDisk) -> Vec<(String, String)> {
    let shown = disk.files().into_iter().filter_map(|(path, bytes)| {
        let name = short(path.file_name()?.to_str()?);
        let (_, kind) = name.split_once('.')?;
        let inside = match kind {
            "log" | "swap" => inside(&bytes),
            // It may be half of it, and nothing reads it.
            "cleaned" => "…".to_owned(),
            _ => return None,
        };
        Some((name, inside))
    });
    let (mut segments, others): (Vec<_>, _) = shown.partition(|(name, _)| name.ends_with("log"));
    segments.extend::<Vec<_>>(others);
    segments
}

/// A name in which offsets have as many digits as they need.
fn short(name: &str) -> String {
    let (stem, kind) = name.split_once('.').unwrap_or((name, ""));
    let numbers = stem.split('-').map(|part| match part.parse::<i64>() {
        Ok(number) => number.to_string(),
        Err(_) => part.to_owned(),
    });
    format!("{}.{kind}", numbers.collect::<Vec<_>>().join("-"))
}

fn inside(bytes: &[u8]) -> String {
    let records = compacted::records(bytes);
    let texts: Vec<_> = records.iter().map(|record| record.1.as_str()).collect();
    texts.join(" ")
}

/// The records of the log that a start makes of a survivor.
fn log_of(survivor: &SimDisk) -> String {
    // A survivor has lost what was not on disk, so this one is the same.
    let disk = survivor.crash();
    start(&disk).expect("a survivor can be opened");
    let inside: Vec<_> = files(&disk).into_iter().map(|(_, inside)| inside).collect();
    inside.join(" ")
}

/// The states of the figure, by name; and the survivors that are still to be opened.
struct Walks {
    old: String,
    new: String,
    states: BTreeMap<String, Value>,
    found: BTreeMap<String, SimDisk>,
    open: Vec<String>,
}

impl Walks {
    /// Lets the power fail before each operation of `work` on copies of `disk`.
    fn walk(&mut self, way: &str, disk: &SimDisk, work: fn(&SimDisk) -> Result<(), Error>) {
        let whole = disk.crash();
        work(&whole).expect("it is well");
        let mut seen: Vec<(Value, BTreeSet<String>)> = Vec::new();
        for operation in 0..=whole.operations() {
            let copy = disk.crash();
            copy.power_off_at(operation);
            let _ = work(&copy);
            let step = match operation {
                0 => "begin".to_owned(),
                done => short_operation(&whole.operation(done - 1)),
            };
            let (mut is, moves) = self.look(&copy);
            let last = seen.last();
            let is_new = last.is_none_or(|(last, before)| {
                *before != moves || ["files", "outcome"].iter().any(|key| last[key] != is[key])
            });
            if is_new {
                let before = last.map(|(last, _)| last["step"].as_str().unwrap_or_default());
                is["step"] = match (before, step.as_str()) {
                    (Some(before), "SyncDir") => json!(format!("{before}, SyncDir")),
                    _ => json!(step),
                };
                is["way"] = json!(if way == "pass" { "pass" } else { "start" });
                seen.push((is, moves));
            }
        }
        let last = seen.len() - 1;
        for (number, (mut is, mut survivors)) in seen.into_iter().enumerate() {
            is["over"] = json!(number == last);
            if number == last && way != "pass" {
                // All is on disk, so another failure changes nothing.
                is["survivors"] = json!([]);
                survivors.clear();
            }
            let own = |found: &String| (found.clone(), json!(format!("{found}.0")));
            let mut moves: Map<String, Value> = survivors.iter().map(own).collect();
            if number < last {
                moves.insert("next".to_owned(), json!(format!("{way}.{}", number + 1)));
            }
            let state = json!({ "is": is, "moves": moves });
            self.states.insert(format!("{way}.{number}"), state);
        }
    }

    /// What is in the folder, and what may be left of it.
    fn look(&mut self, disk: &SimDisk) -> (Value, BTreeSet<String>) {
        let (mut survivors, mut logs) = (BTreeMap::new(), BTreeSet::new());
        for _ in 0..SURVIVORS {
            let survivor = disk.crash();
            let names: Vec<_> = files(&survivor).into_iter().map(|(name, _)| name).collect();
            let found = match log_of(&survivor) {
                log if log == self.old => "old",
                log if log == self.new => "new",
                log => panic!("{names:?} has become {log}"),
            };
            logs.insert(found);
            let name = format!("{found}: {}", names.join(" "));
            if self.found.insert(name.clone(), survivor).is_none() {
                self.open.push(name.clone());
            }
            survivors.insert(name, names);
        }
        let files: Vec<_> = files(disk)
            .into_iter()
            .map(|(name, inside)| json!({ "name": name, "inside": inside }))
            .collect();
        let moves = survivors.keys().cloned().collect();
        let survivors: Vec<_> = survivors
            .into_iter()
            .map(|(name, files)| json!({ "press": name, "left": files }))
            .collect();
        let outcome = match logs.len() {
            1 => logs.first(),
            _ => Some(&"either"),
        };
        let is = json!({ "files": files, "survivors": survivors, "outcome": outcome });
        (is, moves)
    }
}

/// An operation of the disk, such as `Remove 2.log`, or `SyncDir`.
fn short_operation(operation: &str) -> String {
    let (call, path) = operation.split_once(" of ").unwrap_or((operation, ""));
    match path.strip_prefix(compacted::DIR) {
        Some(name) if name.len() > 1 => format!("{call} {}", short(&name[1..])),
        _ => call.to_owned(),
    }
}

pub(crate) fn trace() -> Value {
    let disk = written().crash();
    let compacted = disk.crash();
    pass(&compacted).expect("it is well");
    let mut walks = Walks {
        old: log_of(&disk),
        new: log_of(&compacted),
        states: BTreeMap::new(),
        found: BTreeMap::new(),
        open: Vec::new(),
    };
    walks.walk("pass", &disk, pass);
    while let Some(found) = walks.open.pop() {
        let survivor = walks.found[&found].clone();
        walks.walk(&found, &survivor, start);
    }
    json!({ "starts": { "": "pass.0" }, "states": walks.states })
}

fn main() {
    println!("{}", trace());
}
