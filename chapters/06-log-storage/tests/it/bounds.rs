//! What must stay small, and what must not be done at all.

use std::io::ErrorKind;
use std::path::Path;
use std::sync::Arc;

use log_storage::{Log, LogConfig, LogView, SegmentCache};
use message_model::{LeaderEpoch, Offset, Timestamp};
use networking::FileRange;
use record_batch::{BatchBuilder, BatchHeader, RecordToSend, assign_offsets};
use sim_disk::SimDisk;

use crate::batches::{self, append_batch, append_until_rolled, batch, run, scan, small, start};

const DIR: &str = "/topic-0";

fn open(disk: &SimDisk, config: LogConfig, segments_max: usize) -> Log {
    let cache = SegmentCache::new(segments_max, 100);
    let opened = Log::open(Arc::new(disk.clone()), Path::new(DIR), config, cache);
    opened.unwrap().log
}

#[test]
fn the_cache_holds_as_many_segments_as_it_may_and_drops_the_oldest() {
    let disk = SimDisk::new(1);
    let mut log = open(&disk, small(), 2);
    let firsts: Vec<Offset> = (0..4).map(|_| append_until_rolled(&mut log).1).collect();
    let log = open(&disk, small(), 2);
    let view = log.view();
    let is_loaded = |first: Offset| scan(&view.cached(), first).is_ok();
    for first in &firsts[..3] {
        assert!(!is_loaded(*first));
        scan(&view, *first).unwrap();
        assert!(is_loaded(*first));
    }
    assert!(!is_loaded(firsts[0]), "the third took its place");
    assert!(is_loaded(firsts[1]), "and this is used again");
    scan(&view, firsts[0]).unwrap();
    assert!(is_loaded(firsts[1]) && !is_loaded(firsts[2]));
}

#[test]
fn a_removed_segment_is_not_held_open() {
    let disk = SimDisk::new(1);
    let mut log = open(&disk, small(), 2);
    let rolled_at = append_until_rolled(&mut log).1;
    let view = log.view();
    scan(&view, Offset(0)).unwrap();
    log.set_log_start(rolled_at).remove().unwrap();
    assert!(scan(&view.cached(), Offset(0)).unwrap_err().would_wait());
}

/// What a scan of the segment at `first` would send.
fn range_of(view: &LogView, first: Offset) -> FileRange {
    let mut found = scan(view, first).unwrap();
    let (position, header) = found.next().unwrap().unwrap();
    found.file_range(position, header.size().try_into().unwrap())
}

/// The first offset in a range, or why it cannot be sent.
fn sent(range: &FileRange) -> Result<Offset, ErrorKind> {
    let mut bytes = vec![0; range.length as usize];
    let read = range.file.read_at(&mut bytes, range.position);
    let read = read.map_err(|error| error.kind())?;
    assert_eq!(read, bytes.len());
    Ok(BatchHeader::read(&bytes).unwrap().base_offset)
}

/// Twelve sealed segments, and a range of each while a cache of two is used.
fn ranges_of_many() -> (SimDisk, Log, Vec<Offset>, Vec<FileRange>) {
    let disk = SimDisk::new(1);
    let mut log = open(&disk, small(), 2);
    let mut firsts = vec![Offset(0)];
    firsts.extend((0..12).map(|_| append_until_rolled(&mut log).1));
    firsts.pop();
    let log = open(&disk, small(), 2);
    let view = log.view();
    let ranges = firsts.iter().map(|first| range_of(&view, *first)).collect();
    (disk, log, firsts, ranges)
}

#[test]
fn ranges_that_nobody_sends_hold_few_files_and_can_be_sent_all_the_same() {
    let (disk, _log, firsts, ranges) = ranges_of_many();
    // The active segment, four that ranges hold, and the two in the cache.
    assert_eq!(disk.open_files(Path::new(DIR)), 1 + 4 + 2);
    let all: Vec<_> = ranges.iter().map(sent).collect();
    let expected: Vec<_> = firsts.iter().copied().map(Ok).collect();
    assert_eq!(all, expected);
    assert_eq!(disk.open_files(Path::new(DIR)), 1 + 4 + 2);
    drop(ranges);
    assert_eq!(disk.open_files(Path::new(DIR)), 1 + 2);
}

#[test]
fn a_range_that_is_given_back_makes_room_for_another_one() {
    let (_disk, mut log, firsts, mut ranges) = ranges_of_many();
    ranges.truncate(3);
    let again = range_of(&log.view(), firsts[5]);
    log.set_log_start(firsts[8]).remove().unwrap();
    assert_eq!(sent(&again), Ok(firsts[5]));
}

#[test]
fn a_range_without_an_open_file_ends_with_its_segment_and_the_others_do_not() {
    let (_disk, mut log, firsts, ranges) = ranges_of_many();
    log.set_log_start(firsts[8]).remove().unwrap();
    let all: Vec<_> = ranges.iter().map(sent).collect();
    for (number, (first, sent)) in firsts.iter().zip(all).enumerate() {
        match number {
            4..8 => assert_eq!(sent, Err(ErrorKind::NotFound), "{number}"),
            _ => assert_eq!(sent, Ok(*first), "{number}"),
        }
    }
}

#[test]
fn a_batch_of_large_records_is_looked_into_in_steps() {
    let disk = SimDisk::new(1);
    let mut log = open(&disk, small(), 2);
    let mut builder = BatchBuilder::new();
    let value = vec![b'x'; 15_000];
    for index in 0..400 {
        builder.push(&RecordToSend {
            timestamp: Timestamp(index),
            key: None,
            value: Some(&value),
            headers: vec![],
        });
    }
    let mut large = builder.build();
    assign_offsets(&mut large, Offset(0), LeaderEpoch::FIRST);
    append_batch(&mut log, Timestamp(0), &large).unwrap();
    let mut job = log.view().find_timestamp(Timestamp(399), None);
    let found = run(|| {
        let before = disk.counts();
        let found = job.step()?;
        let read = disk.counts().bytes_read - before.bytes_read;
        assert!(read <= 1024 * 1024 + 64 * 1024, "{read} bytes in a step");
        Ok(found)
    });
    assert_eq!(found.unwrap(), Some((Timestamp(399), Offset(399))));
}

#[test]
fn without_an_age_limit_no_age_is_looked_for() {
    let disk = SimDisk::new(1);
    let mut config = small();
    config.retention.bytes = Some(100_000);
    let mut log = open(&disk, config, 2);
    append_until_rolled(&mut log);
    let log = open(&disk, config, 2);
    let before = disk.counts();
    let found = start(&log.view(), Timestamp(i64::MAX), log.log_end()).unwrap();
    assert_eq!((found, disk.counts()), (Offset(0), before));
}

#[test]
fn an_entry_is_due_when_more_than_the_interval_was_appended() {
    let size = u32::try_from(batch(0, &[1]).len()).unwrap();
    for (interval, entries) in [(2 * size - 1, 2), (2 * size, 1), (size - 1, 4)] {
        let disk = SimDisk::new(1);
        let config = LogConfig {
            index_interval_bytes: interval,
            segment_bytes: 5 * size,
            ..small()
        };
        let mut log = open(&disk, config, 2);
        // The sixth closes the segment, and its indexes are written then.
        for offset in 0..6 {
            append_batch(&mut log, Timestamp(0), &batch(offset, &[1])).unwrap();
        }
        let path = Path::new(DIR).join(format!("{:020}.index", 0));
        let written = |disk: &SimDisk| {
            let mut files = disk.files().into_iter();
            files.find(|(found, _)| *found == path).unwrap().1.len() / 8
        };
        assert_eq!(written(&disk), entries, "interval {interval}");
        let _ = batches::open(disk.clone(), DIR, config).unwrap();
        assert_eq!(written(&disk), entries, "made again, interval {interval}");
    }
}
