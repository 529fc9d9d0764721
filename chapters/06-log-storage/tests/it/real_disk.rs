//! On the real disk, in a temporary directory.

use std::time::Duration;

use disk::Disk;
use log_storage::{Error, LogConfig, Opened, RealDisk};
use message_model::{Offset, Timestamp};

use crate::batches::{
    self, append, append_batch, append_until_rolled, batch, delete_old, find, header, read, scan,
    small,
};

fn open(dir: &std::path::Path, config: LogConfig) -> Opened {
    batches::open(RealDisk, dir.to_str().unwrap(), config).unwrap()
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
            find(&log.view(), 32).unwrap(),
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
    let first_scan = scan(&log.view(), Offset(0)).unwrap();
    let range = first_scan.file_range(0, u32::try_from(first.len()).unwrap());
    let (_, rolled_at) = append_until_rolled(&mut log);
    assert_eq!(delete_old(&mut log, Timestamp(0), rolled_at).unwrap(), 1);
    assert_eq!(log.log_start(), rolled_at);
    assert!(matches!(
        scan(&log.view(), Offset(0)),
        Err(Error::OutOfRange { .. })
    ));
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
    let (_, rolled_at) = append_until_rolled(&mut log);
    let late = Timestamp(1_000_000);
    assert_eq!(
        delete_old(&mut log, late, Offset(rolled_at.0 - 1)).unwrap(),
        0
    );
    let newest = Timestamp((rolled_at.0 - 3) * 10 + 2);
    assert_eq!(
        delete_old(&mut log, Timestamp(newest.0 + 5), rolled_at).unwrap(),
        0,
        "not older yet"
    );
    // It must also know how old the segment is after a restart.
    let mut log = open(temp.path(), config).log;
    assert_eq!(
        delete_old(&mut log, Timestamp(newest.0 + 5), rolled_at).unwrap(),
        0
    );
    assert_eq!(
        delete_old(&mut log, Timestamp(newest.0 + 6), rolled_at).unwrap(),
        1
    );
}

#[test]
fn a_segment_is_rolled_by_size_and_by_age() {
    let temp = tempfile::tempdir().unwrap();
    let mut log = open(temp.path(), small()).log;
    let sized = |size: i32| {
        let mut header = header(&batch(0, &[0]));
        header.batch_length = size - 12;
        header
    };
    assert!(
        !log.rolls_for(Timestamp(0), &sized(5000)),
        "an empty segment never rolls"
    );
    append_batch(&mut log, Timestamp(0), &batch(0, &[0])).unwrap();
    let size = i32::try_from(batch(0, &[0]).len()).unwrap();
    assert!(!log.rolls_for(Timestamp(0), &sized(1000 - size)));
    assert!(log.rolls_for(Timestamp(0), &sized(1000 - size + 1)));
    let hour = 3_600_000;
    assert!(!log.rolls_for(Timestamp(hour), &sized(100)));
    assert!(log.rolls_for(Timestamp(hour + 1), &sized(100)));
    let mut far = sized(100);
    far.last_offset_delta = i32::MAX;
    assert!(
        log.rolls_for(Timestamp(0), &far),
        "an index entry has 31 bits for an offset"
    );
    append_batch(&mut log, Timestamp(hour + 1), &batch(1, &[0])).unwrap();
    let names = RealDisk.list(temp.path()).unwrap();
    assert!(
        names.contains(&"00000000000000000001.log".to_owned()),
        "{names:?}"
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
        append_batch(&mut log, Timestamp(0), &batch).unwrap();
        expected.push((Offset(offset), batch));
    }
    // Index entries have 31 bits for an offset, and a segment begins where the one before ends.
    assert!(temp.path().join(format!("{:020}.log", 52)).exists());
    for log in [log, open(temp.path(), small()).log] {
        let view = log.view();
        assert_eq!(read(&log, Offset(0)), expected);
        assert_eq!(read(&log, Offset(4)), expected[2..], "a gap in a segment");
        assert_eq!(
            read(&log, Offset(1000)),
            expected[3..],
            "a gap at its start"
        );
        assert_eq!(read(&log, Offset(far + 2)), expected[4..]);
        assert_eq!(log.log_end(), Offset(far + 102));
        assert!(scan(&view, log.log_end()).unwrap().next().is_none());
        let behind = scan(&view, log.log_end().plus(1));
        assert!(matches!(behind, Err(Error::OutOfRange { .. })));
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
    let (mut expected, rolled_at) = append_until_rolled(&mut log);
    drop(log);
    std::fs::remove_file(temp.path().join("00000000000000000000.log")).unwrap();
    let log = open(temp.path(), small()).log;
    assert_eq!(log.log_start(), rolled_at);
    expected.retain(|(offset, _)| *offset >= rolled_at);
    assert_eq!(read(&log, rolled_at), expected);
}

#[test]
#[should_panic(expected = "offsets ascend")]
fn a_batch_below_the_log_end_is_a_mistake_of_the_caller() {
    let temp = tempfile::tempdir().unwrap();
    let mut log = open(temp.path(), small()).log;
    append(&mut log, 2);
    let _ = append_batch(&mut log, Timestamp(0), &batch(1, &[1]));
}

#[test]
fn records_without_a_timestamp_have_no_age() {
    let temp = tempfile::tempdir().unwrap();
    let mut config = small();
    config.retention.age = Some(Duration::from_millis(1));
    let mut log = open(temp.path(), config).log;
    for _ in 0..20 {
        let batch = batch(log.log_end().0, &[-1, -1]);
        append_batch(&mut log, Timestamp(0), &batch).unwrap();
    }
    let (late, end) = (Timestamp(i64::MAX), log.log_end());
    assert_eq!(delete_old(&mut log, late, end).unwrap(), 0);
}
