//! A disk that is full, at every byte.

use std::io::ErrorKind;

use log_storage::{Error, Log};
use message_model::{Offset, Timestamp};
use sim_disk::SimDisk;

use crate::batches::{
    self, append, append_batch, append_until_rolled, batch, find, make_room, read, small,
};

const DIR: &str = "/topic-0";

fn open(disk: &SimDisk) -> Log {
    batches::open(disk.clone(), DIR, small()).unwrap().log
}

#[test]
fn a_failed_append_leaves_the_log_as_it_was_and_it_goes_on_when_there_is_space() {
    let size = batch(0, &[1, 2, 3]).len();
    // Room for several batches, a roll among them.
    for space in 0..5 * size {
        let disk = SimDisk::new(space as u64);
        let mut log = open(&disk);
        disk.set_space(Some(space as u64));
        let mut expected = Vec::new();
        let error = loop {
            let end = log.log_end();
            let batch = batch(end.0, &[1, 2, 3]);
            match append_batch(&mut log, Timestamp(0), &batch) {
                Ok(_) => expected.push((end, batch)),
                Err(error) => break error,
            }
        };
        let Error::Io { path, source } = &error else {
            panic!("{space}: {error}");
        };
        assert_eq!(source.kind(), ErrorKind::StorageFull, "{space}");
        assert_eq!(
            path.extension(),
            Some("log".as_ref()),
            "the message names the file: {error}"
        );
        assert_eq!(read(&log, Offset(0)), expected, "{space}");
        assert_eq!(find(&log.view(), i64::MAX).unwrap(), None, "{space}");
        disk.set_space(None);
        expected.push((log.log_end(), append(&mut log, 2)));
        assert_eq!(read(&log, Offset(0)), expected, "{space}");
        log.view().sync(Offset(0)).unwrap();
        assert_eq!(read(&open(&disk.crash()), Offset(0)), expected, "{space}");
    }
}

/// Every roll syncs first, and finds at some byte that its new segment, or its old one's
/// index, has no room.
#[test]
fn a_full_disk_and_no_room_for_an_open_segment() {
    let size = batch(0, &[1, 2, 3]).len();
    for space in 0..15 * size {
        let disk = SimDisk::new(space as u64);
        let mut log = batches::open_with(disk.clone(), DIR, small(), 0)
            .unwrap()
            .log;
        disk.set_space(Some(space as u64));
        let (mut expected, mut durable) = (Vec::new(), Offset(0));
        for _ in 0..20 {
            let end = log.log_end();
            let batch = batch(end.0, &[1, 2, 3]);
            make_room(&mut log, Timestamp(0), &batch, &mut durable).unwrap();
            if append_batch(&mut log, Timestamp(0), &batch).is_ok() {
                expected.push((end, batch));
            }
            assert_eq!(log.view().unsynced_segments(), 0, "{space}");
        }
        assert_eq!(read(&log, Offset(0)), expected, "{space}");
        log.view().save_recovery_point(durable).unwrap_or_default();
        let crashed = read(&open(&disk.crash()), Offset(0));
        let on_disk = expected.iter().filter(|(offset, _)| *offset < durable);
        assert!(
            crashed.starts_with(&Vec::from_iter(on_disk.cloned())),
            "{space}"
        );
        assert!(expected.starts_with(&crashed), "{space}");
    }
}

#[test]
fn a_log_that_cannot_undo_a_failed_write_goes_offline_and_can_still_be_read() {
    let disk = SimDisk::new(1);
    let mut log = open(&disk);
    let expected = vec![(Offset(0), append(&mut log, 3))];
    // The write fails, and so does everything behind it.
    disk.power_off_at(disk.operations());
    let next = batch(3, &[1]);
    assert!(matches!(
        append_batch(&mut log, Timestamp(0), &next),
        Err(Error::Io { .. })
    ));
    disk.power_off_at(u64::MAX);
    assert!(matches!(
        append_batch(&mut log, Timestamp(0), &next),
        Err(Error::Offline)
    ));
    assert_eq!(read(&log, Offset(0)), expected);
}

#[test]
fn a_roll_that_fails_leaves_the_log_as_it_was() {
    let disk = SimDisk::new(1);
    let mut log = open(&disk);
    let mut expected = Vec::new();
    let next = loop {
        let end = log.log_end();
        let next = batch(end.0, &[1, 2, 3]);
        if log.rolls_for(Timestamp(0), &batches::header(&next)) {
            break next;
        }
        append_batch(&mut log, Timestamp(0), &next).unwrap();
        expected.push((end, next));
    };
    disk.fail_at(disk.operations());
    let failed = append_batch(&mut log, Timestamp(0), &next);
    assert!(matches!(failed, Err(Error::Io { .. })));
    assert_eq!(read(&log, Offset(0)), expected);
    append_batch(&mut log, Timestamp(0), &next).unwrap();
    expected.push((Offset(log.log_end().0 - 3), next));
    assert_eq!(read(&log, Offset(0)), expected);
}

#[test]
fn a_log_opens_on_a_full_disk() {
    let disk = SimDisk::new(1);
    let mut log = open(&disk);
    for _ in 0..3 {
        append_until_rolled(&mut log);
    }
    let expected = read(&log, Offset(0));
    // The first segment was deleted, and the process killed before its files were.
    let start = expected[9].0;
    log.view().save_log_start(start).unwrap();
    let _ = log.set_log_start(start);
    disk.set_space(Some(0));
    let log = open(&disk);
    assert_eq!(log.log_start(), start);
    assert_eq!(read(&log, start), expected[9..]);
}
