//! Which batches are left of a log when the power fails, for every set of sectors that
//! may have reached the disk, as the trace of a figure:
//! `book/src/traces/06-surviving-sectors.json`.
//!
//! Five batches are written; the first two are synced. The simulated disk loses power
//! until it has left each set of the sectors behind once, and each survivor is opened.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use disk::Disk;
use log_storage::{Log, LogConfig, SegmentCache};
use message_model::{LeaderEpoch, Offset, Timestamp};
use record_batch::{BatchBuilder, BatchHeader, RecordToSend, assign_offsets, validate};
use serde_json::{Value, json};
use sim_disk::{SECTOR_SIZE, SimDisk};

const DIR: &str = "/visits-0";
const SEGMENT: &str = "/visits-0/00000000000000000000.log";
/// Name, records and size of the value of each record, in bytes.
const BATCHES: [(&str, i64, usize); 5] = [
    ("A", 2, 290),
    ("B", 1, 450),
    ("C", 2, 210),
    ("D", 4, 200),
    ("E", 1, 330),
];
const SYNCED: usize = 2;

/// A batch and where it is in the file.
struct Written {
    name: &'static str,
    start: usize,
    bytes: Vec<u8>,
    header: BatchHeader,
}

impl Written {
    fn end(&self) -> usize {
        self.start + self.bytes.len()
    }
}

/// A log on a new disk, and what was appended.
fn write() -> (SimDisk, Vec<Written>) {
    let disk = SimDisk::new(6);
    disk.create_dir_all(Path::new(DIR)).expect("it is well");
    let mut log = open(&disk);
    let mut written: Vec<Written> = Vec::new();
    for (index, (name, records, size)) in BATCHES.into_iter().enumerate() {
        let mut builder = BatchBuilder::new();
        for _ in 0..records {
            builder.push(&RecordToSend {
                timestamp: Timestamp(0),
                key: None,
                value: Some(&vec![b'x'; size]),
                headers: vec![],
            });
        }
        let mut bytes = builder.build();
        assign_offsets(&mut bytes, log.log_end(), LeaderEpoch::FIRST);
        let header = BatchHeader::read(&bytes).expect("a batch of ours");
        log.append(Timestamp(0), &bytes, &header)
            .expect("it is well");
        let start = written.last().map_or(0, Written::end);
        written.push(Written {
            name,
            start,
            bytes,
            header,
        });
        if index + 1 == SYNCED {
            log.view().sync(Offset(0)).expect("it is well");
            disk.sync_dir(Path::new("/")).expect("it is well");
        }
    }
    (disk, written)
}

fn open(disk: &SimDisk) -> Log {
    let cache = SegmentCache::new(1, 100);
    let opened = Log::open(
        Arc::new(disk.clone()),
        Path::new(DIR),
        LogConfig::default(),
        cache,
    );
    opened.expect("it is well").log
}

fn segment(disk: &SimDisk) -> Vec<u8> {
    let mut files = disk.files().into_iter();
    let found = files.find(|(path, _)| path == Path::new(SEGMENT));
    found.expect("the segment's name was synced").1
}

/// Whether each sector behind the synced batches has reached the disk; `None` for a
/// survivor that the figure does not show: one with another length, or with a sector as
/// it was in between.
fn survived(left: &[u8], written: &[u8], synced: usize) -> Option<Vec<bool>> {
    if left.len() != written.len() {
        return None;
    }
    let first = synced / SECTOR_SIZE;
    let mut old = written[..synced].to_vec();
    old.resize(written.len(), 0);
    let sectors = |bytes: &[u8]| -> Vec<Vec<u8>> {
        let sectors = bytes.chunks(SECTOR_SIZE).skip(first);
        sectors.map(<[u8]>::to_vec).collect()
    };
    let all = sectors(left)
        .into_iter()
        .zip(sectors(written))
        .zip(sectors(&old));
    all.map(|((left, new), old)| match left {
        left if left == new => Some(true),
        left if left == old => Some(false),
        _ => None,
    })
    .collect()
}

/// The walk of one start: the names of its states, and what they are.
fn walk(name: &str, left: &[u8], written: &[Written], end: Offset) -> BTreeMap<String, Value> {
    let whole: Vec<_> = written
        .iter()
        .map(|batch| validate(&left[batch.start..], left.len()).is_ok())
        .collect();
    let kept = whole.iter().take_while(|is_whole| **is_whole).count();
    let ends = |count: usize| {
        written[..count]
            .last()
            .map_or(Offset(0), |batch| batch.header.range().end)
    };
    assert_eq!(ends(kept), end, "the log that was opened ends there");
    let mut states = BTreeMap::new();
    let last = if kept == written.len() {
        kept
    } else {
        kept + 1
    };
    for step in 0..=last {
        let passed = step.min(kept);
        let is_over = step == last;
        let batches: Vec<_> = written
            .iter()
            .enumerate()
            .map(|(index, batch)| {
                let is = match index {
                    index if index < passed => "kept",
                    index if index == passed && !is_over => "next",
                    _ if !is_over => "not seen",
                    index if index == passed => "torn",
                    index if whole[index] => "dropped whole",
                    _ => "dropped",
                };
                json!({ "name": batch.name, "start": batch.start, "size": batch.bytes.len(), "is": is })
            })
            .collect();
        let is = json!({
            "batches": batches,
            "position": written[..passed].last().map_or(0, Written::end),
            "next": ends(passed).0,
            "verdict": match is_over {
                false => "walks",
                true if kept == written.len() => "all",
                true => "cut",
            },
        });
        let moves = if is_over {
            json!({})
        } else {
            json!({ "next": format!("{name}.{}", step + 1) })
        };
        states.insert(
            format!("{name}.{step}"),
            json!({ "is": is, "moves": moves }),
        );
    }
    states
}

pub(crate) fn trace() -> Value {
    let (disk, written) = write();
    let (all, synced) = (segment(&disk), written[SYNCED - 1].end());
    let count = all.len().div_ceil(SECTOR_SIZE) - synced / SECTOR_SIZE;
    let (mut starts, mut states) = (BTreeMap::new(), BTreeMap::new());
    while starts.len() < 1 << count {
        let left = disk.crash();
        let bytes = segment(&left);
        let Some(survived) = survived(&bytes, &all, synced) else {
            continue;
        };
        let bits: Vec<_> = survived
            .iter()
            .map(|is| if *is { "1" } else { "0" })
            .collect();
        let name = bits.concat();
        if starts.insert(bits.join(" "), format!("{name}.0")).is_none() {
            let end = open(&left).log_end();
            states.extend(walk(&name, &bytes, &written, end));
        }
    }
    json!({ "starts": starts, "states": states })
}

fn main() {
    println!("{}", trace());
}
