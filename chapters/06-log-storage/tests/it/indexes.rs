//! Indexes may be lost, cut, zeroed or filled with rubbish without changing an answer.

use std::path::{Path, PathBuf};

use disk::Disk;
use log_storage::Log;
use message_model::{Offset, Timestamp};
use proptest::prelude::*;
use record_batch::{BatchHeader, Batches, decode_records};
use sim_disk::SimDisk;

use crate::batches::{self, append_batch, append_until_rolled, batch, find, read, scan, small};

const DIR: &str = "/topic-0";

fn open(disk: &SimDisk) -> Log {
    batches::open(disk.clone(), DIR, small()).unwrap().log
}

/// Something that happens to a log.
#[derive(Debug, Clone)]
enum Event {
    /// A batch, so many offsets behind the log end, with these timestamps.
    Append(i64, Vec<i64>),
    /// What becomes of the index that this number chooses.
    Spoil(usize, Spoiled),
    Reopen,
}

#[derive(Debug, Clone)]
enum Spoiled {
    Removed,
    Cut(u64),
    Zeros(usize),
    Rubbish(Vec<u8>),
    /// The content of another index.
    Swapped(usize),
}

/// Whether a `.timeindex` with this content is believed although it is wrong: an entry
/// names a batch of the segment with its newest timestamp, and a batch before has a newer
/// one. Only a walk over the segment would notice; `time_index.rs` says why there is none.
fn is_credible_lie(path: &Path, content: &[u8], batches: &[Vec<u8>]) -> bool {
    if path.extension() != Some("timeindex".as_ref()) {
        return false;
    }
    let base: i64 = path.file_stem().unwrap().to_str().unwrap().parse().unwrap();
    content.as_chunks::<12>().0.iter().any(|entry| {
        let timestamp = i64::from_be_bytes(entry[..8].try_into().unwrap());
        let end = base + i64::from(i32::from_be_bytes(entry[8..].try_into().unwrap())) + 1;
        let mut headers = batches.iter().map(|batch| header(batch));
        let is_there =
            |of: &BatchHeader| of.range().end.0 == end && of.max_timestamp.0 == timestamp;
        let is_before = |of: &BatchHeader| of.base_offset.0 >= base && of.range().end.0 < end;
        headers.clone().any(|of| is_there(&of))
            && headers.any(|of| is_before(&of) && of.max_timestamp.0 > timestamp)
    })
}

fn header(batch: &[u8]) -> BatchHeader {
    Batches::new(batch).next().unwrap().unwrap().0
}

fn event() -> impl Strategy<Value = Event> {
    let timestamps = prop::collection::vec(0..60_i64, 1..8);
    prop_oneof![
        6 => (prop_oneof![4 => Just(0), 1 => 1..30_i64], timestamps)
            .prop_map(|(gap, timestamps)| Event::Append(gap, timestamps)),
        2 => (any::<usize>(), spoiled()).prop_map(|(which, how)| Event::Spoil(which, how)),
        1 => Just(Event::Reopen),
    ]
}

fn spoiled() -> impl Strategy<Value = Spoiled> {
    prop_oneof![
        Just(Spoiled::Removed),
        (0..40_u64).prop_map(Spoiled::Cut),
        (0..40_usize).prop_map(Spoiled::Zeros),
        prop::collection::vec(any::<u8>(), 0..40).prop_map(Spoiled::Rubbish),
        any::<usize>().prop_map(Spoiled::Swapped),
    ]
}

fn indexes(disk: &SimDisk) -> Vec<(PathBuf, Vec<u8>)> {
    let mut files = disk.files();
    files.retain(|(path, _)| path.to_string_lossy().ends_with("index"));
    files
}

/// Returns the index that has another content now, with that content.
fn spoil(disk: &SimDisk, which: usize, how: &Spoiled) -> Option<(PathBuf, Vec<u8>)> {
    let indexes = indexes(disk);
    let (path, _) = indexes.get(which % indexes.len().max(1))?;
    let content = match how {
        Spoiled::Removed => {
            disk.remove(path).unwrap();
            return None;
        }
        Spoiled::Cut(length) => {
            disk.open(path).unwrap().set_len(*length).unwrap();
            return None;
        }
        Spoiled::Zeros(length) => &vec![0; *length],
        Spoiled::Rubbish(bytes) => bytes,
        Spoiled::Swapped(other) => &indexes[other % indexes.len()].1,
    };
    disk.create(path).unwrap().write_all_at(content, 0).unwrap();
    Some((path.clone(), content.clone()))
}

/// All records in a list: timestamp and offset.
fn records(batches: &[Vec<u8>]) -> Vec<(Timestamp, Offset)> {
    let mut all = Vec::new();
    for batch in batches {
        for (header, batch) in Batches::new(batch).map(Result::unwrap) {
            for record in decode_records(batch).unwrap() {
                let timestamp = Timestamp(header.base_timestamp.0 + record.timestamp_delta);
                all.push((
                    timestamp,
                    header.base_offset.plus(record.offset_delta.into()),
                ));
            }
        }
    }
    all
}

/// Asks the log everything there is to ask, and compares with a walk over all batches.
fn compare(log: &Log, batches: &[Vec<u8>]) {
    let bases: Vec<_> = batches.iter().map(|batch| header(batch).range()).collect();
    for offset in 0..log.log_end().0 {
        let first = bases
            .iter()
            .position(|range| range.end > Offset(offset))
            .unwrap();
        let mut scan = scan(&log.view(), Offset(offset)).unwrap();
        let (_, header) = scan.next().unwrap().unwrap();
        assert_eq!(header.range(), bases[first], "scan({offset})");
    }
    let found: Vec<_> = read(log, Offset(0))
        .into_iter()
        .map(|(_, batch)| batch)
        .collect();
    assert!(found == batches);
    let records = records(batches);
    for target in -1..61 {
        let expected = records
            .iter()
            .find(|(timestamp, _)| timestamp.0 >= target)
            .copied();
        let found = find(&log.view(), target).unwrap();
        assert_eq!(found, expected, "find_timestamp({target})");
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 96, ..ProptestConfig::default() })]

    #[test]
    fn spoiled_indexes_change_no_answer(events in prop::collection::vec(event(), 1..40)) {
        let disk = SimDisk::new(0);
        let mut log = open(&disk);
        let mut batches = Vec::new();
        let mut written = Vec::new();
        for event in &events {
            match event {
                Event::Append(gap, timestamps) => {
                    let batch = batch(log.log_end().plus(*gap).0, timestamps);
                    append_batch(&mut log, Timestamp(0), &batch).unwrap();
                    batches.push(batch);
                }
                Event::Spoil(which, how) => written.extend(spoil(&disk, *which, how)),
                Event::Reopen => log = open(&disk),
            }
        }
        for (path, content) in &written {
            prop_assume!(!is_credible_lie(path, content, &batches));
        }
        compare(&log, &batches);
        let log = open(&disk);
        for round in 0..4 {
            let _ = spoil(&disk, round, &Spoiled::Removed);
        }
        compare(&log, &batches);
    }
}

#[test]
fn an_entry_that_names_the_middle_of_a_batch_is_not_believed() {
    let disk = SimDisk::new(0);
    let mut log = open(&disk);
    append_batch(&mut log, Timestamp(0), &batch(0, &[55])).unwrap();
    append_batch(&mut log, Timestamp(0), &batch(1, &[54, 0, 0, 0])).unwrap();
    // The last ones push the first segment out of the cache.
    for _ in 0..4 {
        append_until_rolled(&mut log);
    }
    let wrong = [&54_i64.to_be_bytes()[..], &3_i32.to_be_bytes()[..]].concat();
    let path = PathBuf::from(format!("{DIR}/00000000000000000000.timeindex"));
    let file = disk.create(&path).unwrap();
    file.write_all_at(&wrong, 0).unwrap();
    let found = find(&log.view(), 55).unwrap();
    assert_eq!(found, Some((Timestamp(55), Offset(0))));
}

#[test]
fn the_files_are_in_kafkas_formats() {
    let disk = SimDisk::new(0);
    let mut log = open(&disk);
    let mut positions = vec![0];
    for (offset, timestamp) in [(0, 50), (1, 40), (2, 70), (3, 60)] {
        let batch = batch(offset, &[timestamp]);
        append_batch(&mut log, Timestamp(0), &batch).unwrap();
        positions.push(positions[positions.len() - 1] + i32::try_from(batch.len()).unwrap());
    }
    // It does not fit: the segment is closed, and its indexes are written.
    append_batch(&mut log, Timestamp(0), &batch(4, &[1; 1_000])).unwrap();
    // An entry is due every 200 bytes, and batches have somewhat below 100.
    assert!(positions[2] < 200 && positions[3] >= 200);
    let content = |suffix| {
        let path = PathBuf::from(format!("{DIR}/00000000000000000000.{suffix}"));
        let mut files = disk.files().into_iter();
        files.find(|(found, _)| *found == path).unwrap().1
    };
    let entry = [3_i32.to_be_bytes(), positions[3].to_be_bytes()].concat();
    assert_eq!(content("index"), entry, "relative offset, position");
    let entry = [&70_i64.to_be_bytes()[..], &2_i32.to_be_bytes()[..]].concat();
    assert_eq!(
        content("timeindex"),
        entry,
        "timestamp, relative offset of its batch"
    );
}

#[test]
fn of_a_compressed_batch_the_first_offset_is_answered() {
    let disk = SimDisk::new(0);
    let mut log = open(&disk);
    let mut compressed = batch(0, &[10, 20, 30]);
    // Claims gzip, which this chapter cannot open; the CRC is fixed up.
    compressed[record_batch::layout::ATTRIBUTES + 1] = 1;
    let crc = crc32c::crc32c(&compressed[record_batch::layout::ATTRIBUTES..]);
    compressed[record_batch::layout::CRC..record_batch::layout::ATTRIBUTES]
        .copy_from_slice(&crc.to_be_bytes());
    append_batch(&mut log, Timestamp(0), &compressed).unwrap();
    let found = find(&log.view(), 20).unwrap();
    assert_eq!(found, Some((Timestamp(30), Offset(0))));
    assert_eq!(find(&log.view(), 31).unwrap(), None);
}

/// The digits in the name of the last segment.
fn active(disk: &SimDisk) -> String {
    let names = disk.list(Path::new(DIR)).unwrap();
    let last = names.iter().rfind(|name| name.ends_with(".log")).unwrap();
    last.trim_end_matches(".log").to_owned()
}

/// A log of several segments, its sealed segments' indexes, and where it was opened anew.
fn with_sealed_segments(disk: &SimDisk) -> Vec<(PathBuf, Vec<u8>)> {
    let mut log = open(disk);
    for number in 0..40 {
        let batch = batch(log.log_end().0, &[10 * number, 5, 6]);
        append_batch(&mut log, Timestamp(0), &batch).unwrap();
    }
    let active = active(disk);
    let mut indexes = indexes(disk);
    indexes.retain(|(path, _)| !path.to_string_lossy().contains(&active));
    assert!(indexes.len() >= 4 && indexes.iter().all(|(_, content)| !content.is_empty()));
    indexes
}

#[test]
fn a_lost_or_spoiled_index_of_a_sealed_segment_is_made_again() {
    // The same entries, the last one first.
    fn backwards(path: &Path, content: &[u8]) -> Option<Vec<u8>> {
        let entry = if path.extension() == Some("index".as_ref()) {
            8
        } else {
            12
        };
        Some(content.rchunks(entry).flatten().copied().collect())
    }
    fn lost(_: &Path, _: &[u8]) -> Option<Vec<u8>> {
        None
    }
    fn shorter(_: &Path, content: &[u8]) -> Option<Vec<u8>> {
        Some(content[..content.len() / 24 * 12].to_vec())
    }
    for spoil in [backwards, lost, shorter] {
        let disk = SimDisk::new(0);
        let written = with_sealed_segments(&disk);
        for (path, content) in &written {
            match spoil(path, content) {
                None => disk.remove(path).unwrap(),
                Some(spoiled) => disk
                    .create(path)
                    .unwrap()
                    .write_all_at(&spoiled, 0)
                    .unwrap(),
            }
        }
        let log = open(&disk);
        for offset in 0..log.log_end().0 {
            let _ = scan(&log.view(), Offset(offset)).unwrap();
        }
        let _ = find(&log.view(), i64::MAX).unwrap();
        for (path, content) in written {
            assert!(
                indexes(&disk).contains(&(path.clone(), content)),
                "{path:?}"
            );
        }
    }
}

#[test]
fn the_indexes_of_sealed_segments_survive_a_power_failure() {
    let disk = SimDisk::new(0);
    let mut log = open(&disk);
    for _ in 0..3 {
        append_until_rolled(&mut log);
    }
    log.view().sync(Offset(0)).unwrap();
    let active = active(&disk);
    let sealed = |disk: &SimDisk| {
        let mut indexes = indexes(disk);
        indexes.retain(|(path, _)| !path.to_string_lossy().contains(&active));
        indexes
    };
    for _ in 0..50 {
        assert!(sealed(&disk.crash()) == sealed(&disk));
    }
}

#[test]
fn what_a_producer_says_of_its_records_leads_nowhere_else() {
    let disk = SimDisk::new(0);
    let mut log = open(&disk);
    append_batch(&mut log, Timestamp(0), &batch(0, &[1, 2])).unwrap();
    // Both batches have a right CRC. In one the records' offsets go astray, in
    // the other they cannot be read.
    let (mut astray, mut unreadable) = (batch(2, &[10]), batch(3, &[20]));
    let offset_delta = record_batch::layout::RECORDS + 3;
    astray[offset_delta] = 9; // -5 as a varint
    unreadable[record_batch::layout::RECORDS] ^= 2;
    for bytes in [&mut astray, &mut unreadable] {
        let crc = crc32c::crc32c(&bytes[record_batch::layout::ATTRIBUTES..]);
        bytes[record_batch::layout::CRC..record_batch::layout::ATTRIBUTES]
            .copy_from_slice(&crc.to_be_bytes());
        append_batch(&mut log, Timestamp(0), bytes).unwrap();
    }
    let find = |target| find(&log.view(), target).unwrap();
    assert_eq!(find(10), Some((Timestamp(10), Offset(2))));
    assert_eq!(find(20), Some((Timestamp(20), Offset(3))));
}
