//! A disk that is full, at every byte.

use std::io::ErrorKind;
use std::path::Path;
use std::sync::Arc;

use disk::Disk;
use log_storage::{Error, Log};
use message_model::{Offset, Timestamp};
use sim_disk::SimDisk;

use crate::batches::{append, batch, read, small};

const DIR: &str = "/topic-0";

fn open(disk: &SimDisk) -> Log {
    let disk: Arc<dyn Disk> = Arc::new(disk.clone());
    Log::open(disk, Path::new(DIR), small()).unwrap().log
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
            match log.append(Timestamp(0), &batch) {
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
        assert_eq!(log.find_timestamp(Timestamp(4)).unwrap(), None, "{space}");
        disk.set_space(None);
        expected.push((log.log_end(), append(&mut log, 2)));
        assert_eq!(read(&log, Offset(0)), expected, "{space}");
        let (file, _) = log.to_sync();
        file.sync_data().unwrap();
        assert_eq!(read(&open(&disk.crash()), Offset(0)), expected, "{space}");
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
        log.append(Timestamp(0), &next),
        Err(Error::Io { .. })
    ));
    disk.power_off_at(u64::MAX);
    assert!(matches!(
        log.append(Timestamp(0), &next),
        Err(Error::Offline)
    ));
    assert!(matches!(log.truncate_to(Offset(0)), Err(Error::Offline)));
    assert!(matches!(
        log.apply_retention(Timestamp(0), Offset(3)),
        Err(Error::Offline)
    ));
    assert!(matches!(log.save_recovery_point(), Err(Error::Offline)));
    assert_eq!(read(&log, Offset(0)), expected);
}

#[test]
fn a_failed_sync_in_a_roll_takes_the_log_offline() {
    let disk = SimDisk::new(1);
    let mut log = open(&disk);
    while !log.rolls_for(Timestamp(0), 300) {
        append(&mut log, 3);
    }
    disk.fail_at(disk.operations());
    let end = log.log_end();
    let next = batch(end.0, &[1; 20]);
    assert!(matches!(
        log.append(Timestamp(0), &next),
        Err(Error::Io { .. })
    ));
    assert!(matches!(
        log.append(Timestamp(0), &next),
        Err(Error::Offline)
    ));
    assert_eq!(log.log_end(), end);
}
