//! On the real disk, in a temporary directory.

use std::sync::Arc;
use std::time::Duration;

use disk::Disk;
use log_storage::{Error, Log, LogConfig, Opened, RealDisk};
use message_model::{Offset, Timestamp};

use crate::batches::{append, batch, read, small};

fn open(dir: &std::path::Path, config: LogConfig) -> Opened {
    Log::open(Arc::new(RealDisk), dir, config).unwrap()
}

#[test]
fn what_was_appended_is_read_back_after_reopening() {
    let temp = tempfile::tempdir().unwrap();
    let dir = temp.path().join("topic-0");
    let mut expected = Vec::new();
    for _ in 0..3 {
        let opened = open(&dir, small());
        assert_eq!(opened.truncated, None);
        let mut log = opened.log;
        assert_eq!(read(&log, Offset(0)), expected);
        for count in 1..6 {
            let offset = log.log_end();
            let batch = append(&mut log, count);
            expected.push((offset, batch));
        }
        assert_eq!(read(&log, Offset(0)), expected);
        assert_eq!(
            log.find_timestamp(Timestamp(32)).unwrap(),
            Some((Timestamp(32), Offset(5)))
        );
    }
    let names = RealDisk.list(&dir).unwrap();
    let segments = names.iter().filter(|name| name.ends_with(".log"));
    assert!(segments.count() > 1, "several segments: {names:?}");
}

#[test]
fn a_reader_of_a_deleted_segment_can_finish() {
    let temp = tempfile::tempdir().unwrap();
    let mut config = small();
    config.retention.bytes = Some(0);
    let mut log = open(temp.path(), config).log;
    let first = append(&mut log, 3);
    let scan = log.scan(Offset(0)).unwrap();
    let range = scan.file_range(0, u32::try_from(first.len()).unwrap());
    while log.recovery_point() == Offset(0) {
        append(&mut log, 3);
    }
    let rolled_at = log.recovery_point();
    assert_eq!(log.apply_retention(Timestamp(0), rolled_at).unwrap(), 1);
    assert_eq!(log.log_start(), rolled_at);
    assert!(matches!(log.scan(Offset(0)), Err(Error::OutOfRange { .. })));
    let mut bytes = vec![0; first.len()];
    assert_eq!(range.file.read_at(&mut bytes, 0).unwrap(), bytes.len());
    assert_eq!(bytes, first);
    let names = RealDisk.list(temp.path()).unwrap();
    assert!(
        !names
            .iter()
            .any(|name| name.starts_with("00000000000000000000")),
        "{names:?}"
    );
}

#[test]
fn retention_keeps_what_somebody_needs() {
    let temp = tempfile::tempdir().unwrap();
    let mut config = small();
    config.retention.age = Some(Duration::from_millis(5));
    let mut log = open(temp.path(), config).log;
    while log.recovery_point() == Offset(0) {
        append(&mut log, 3);
    }
    let rolled_at = log.recovery_point();
    let late = Timestamp(1_000_000);
    assert_eq!(
        log.apply_retention(late, Offset(rolled_at.0 - 1)).unwrap(),
        0
    );
    let newest = Timestamp((rolled_at.0 - 3) * 10 + 2);
    assert_eq!(
        log.apply_retention(Timestamp(newest.0 + 5), rolled_at)
            .unwrap(),
        0,
        "not older yet"
    );
    // It must also know how old the segment is after a restart.
    let mut log = open(temp.path(), config).log;
    assert_eq!(
        log.apply_retention(Timestamp(newest.0 + 5), rolled_at)
            .unwrap(),
        0
    );
    assert_eq!(
        log.apply_retention(Timestamp(newest.0 + 6), rolled_at)
            .unwrap(),
        1
    );
}

#[test]
fn a_segment_is_rolled_by_size_and_by_age() {
    let temp = tempfile::tempdir().unwrap();
    let mut log = open(temp.path(), small()).log;
    let size = batch(0, &[0]).len();
    assert!(
        !log.rolls_for(Timestamp(0), 5000),
        "an empty segment never rolls"
    );
    log.append(Timestamp(0), &batch(0, &[0])).unwrap();
    assert!(!log.rolls_for(Timestamp(0), 1000 - size));
    assert!(log.rolls_for(Timestamp(0), 1000 - size + 1));
    let hour = 3_600_000;
    assert!(!log.rolls_for(Timestamp(hour), 1));
    assert!(log.rolls_for(Timestamp(hour + 1), 1));
    log.append(Timestamp(hour + 1), &batch(1, &[0])).unwrap();
    let names = RealDisk.list(temp.path()).unwrap();
    assert!(
        names.contains(&"00000000000000000001.log".to_owned()),
        "{names:?}"
    );
    assert_eq!(
        log.recovery_point(),
        Offset(1),
        "a roll syncs what is before it"
    );
}

#[test]
fn offsets_may_have_gaps_and_a_reader_skips_them() {
    let temp = tempfile::tempdir().unwrap();
    let mut log = open(temp.path(), small()).log;
    let far = 10_000_000_000;
    let mut expected = Vec::new();
    for offset in [0, 2, 50, far, far + 100] {
        let batch = batch(offset, &[1, 2]);
        log.append(Timestamp(0), &batch).unwrap();
        expected.push((Offset(offset), batch));
    }
    // Index entries have 31 bits for an offset: this gap takes a segment of its own.
    assert!(temp.path().join(format!("{far:020}.log")).exists());
    for log in [log, open(temp.path(), small()).log] {
        assert_eq!(read(&log, Offset(0)), expected);
        assert_eq!(read(&log, Offset(4)), expected[2..], "a gap in a segment");
        assert_eq!(
            read(&log, Offset(1000)),
            expected[3..],
            "a gap between segments"
        );
        assert_eq!(read(&log, Offset(far + 2)), expected[4..]);
        assert_eq!(log.log_end(), Offset(far + 102));
        assert!(log.scan(log.log_end()).unwrap().next().is_none());
        assert!(matches!(
            log.scan(log.log_end().plus(1)),
            Err(Error::OutOfRange { .. })
        ));
    }
}

#[test]
fn files_that_are_no_segments_are_left_alone() {
    let temp = tempfile::tempdir().unwrap();
    let names = [
        "notes.txt",
        "123.log",
        "0000000000000000000x.log",
        "00000000000000000000.log.bak",
        "99999999999999999999.log",
    ];
    for name in names {
        std::fs::write(temp.path().join(name), "mine").unwrap();
    }
    // The index of a segment that is gone.
    std::fs::write(temp.path().join("00000000000000000077.index"), "12345678").unwrap();
    let mut log = open(temp.path(), small()).log;
    append(&mut log, 1);
    for name in names {
        assert_eq!(
            std::fs::read(temp.path().join(name)).unwrap(),
            b"mine",
            "{name}"
        );
    }
    assert!(!temp.path().join("00000000000000000077.index").exists());
}

#[test]
fn a_log_may_begin_anywhere() {
    let temp = tempfile::tempdir().unwrap();
    let mut log = open(temp.path(), small()).log;
    let mut expected = Vec::new();
    while log.recovery_point() == Offset(0) {
        expected.push((log.log_end(), append(&mut log, 3)));
    }
    let rolled_at = log.recovery_point();
    drop(log);
    std::fs::remove_file(temp.path().join("00000000000000000000.log")).unwrap();
    let log = open(temp.path(), small()).log;
    assert_eq!(log.log_start(), rolled_at);
    expected.retain(|(offset, _)| *offset >= rolled_at);
    assert_eq!(read(&log, rolled_at), expected);
}

#[test]
fn a_truncated_log_ends_where_it_was_cut_and_goes_on_there() {
    let temp = tempfile::tempdir().unwrap();
    let mut log = open(temp.path(), small()).log;
    let batches: Vec<_> = (0..20)
        .map(|_| (log.log_end(), append(&mut log, 3)))
        .collect();
    log.save_recovery_point().unwrap();
    for left in [20, 19, 12, 5, 1, 0] {
        let end = Offset(3 * left as i64);
        log.truncate_to(end).unwrap();
        assert_eq!(log.log_end(), end);
        assert!(log.recovery_point() <= end);
        assert_eq!(read(&log, Offset(0)), batches[..left]);
        log = open(temp.path(), small()).log;
        assert_eq!(read(&log, Offset(0)), batches[..left]);
    }
    append(&mut log, 2);
    assert!(matches!(
        log.truncate_to(Offset(3)),
        Err(Error::OutOfRange { .. })
    ));
}

#[test]
fn a_sync_that_a_truncation_has_overtaken_says_nothing() {
    let temp = tempfile::tempdir().unwrap();
    let mut log = open(temp.path(), small()).log;
    append(&mut log, 2);
    append(&mut log, 2);
    let (_, end) = log.to_sync();
    log.truncate_to(Offset(2)).unwrap();
    append(&mut log, 2);
    log.synced(end);
    assert_eq!(
        log.recovery_point(),
        Offset(2),
        "the new batch at 2 is not known to be on disk"
    );
    append(&mut log, 1);
    let (_, end) = log.to_sync();
    log.synced(end);
    assert_eq!(log.recovery_point(), end);
}

#[test]
#[should_panic(expected = "offsets ascend")]
fn a_batch_below_the_log_end_is_a_mistake_of_the_caller() {
    let temp = tempfile::tempdir().unwrap();
    let mut log = open(temp.path(), small()).log;
    append(&mut log, 2);
    let _ = log.append(Timestamp(0), &batch(1, &[1]));
}

#[test]
fn records_without_a_timestamp_have_no_age() {
    let temp = tempfile::tempdir().unwrap();
    let mut config = small();
    config.retention.age = Some(Duration::from_millis(1));
    let mut log = open(temp.path(), config).log;
    while log.recovery_point() == Offset(0) {
        log.append(Timestamp(0), &batch(log.log_end().0, &[-1, -1]))
            .unwrap();
    }
    let late = Timestamp(i64::MAX);
    assert_eq!(log.apply_retention(late, log.log_end()).unwrap(), 0);
}
