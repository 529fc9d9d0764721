//! Indexes that are well-formed, and do not fit the batches that they point at.

use std::path::Path;
use std::time::Duration;

use disk::Disk;
use log_storage::{Log, LogConfig};
use message_model::{Offset, Timestamp};
use sim_disk::SimDisk;

use crate::batches::{self, append_batch, batch, find, read, scan, small, start};

const DIR: &str = "/topic-0";

/// Segments are rolled after a second.
fn config() -> LogConfig {
    LogConfig {
        segment_bytes: 100_000,
        segment_age: Duration::from_secs(1),
        ..small()
    }
}

/// A log of two segments and what is in the first one, synced and opened anew with
/// `offsets` (last offset and number of a batch) and `times` (timestamp and last
/// offset) as the indexes of the first one.
fn with_indexes(
    timestamps: impl Fn(i64) -> [i64; 3],
    offsets: &[(i32, usize)],
    times: &[(i64, i32)],
) -> (SimDisk, Log, Vec<(Offset, Vec<u8>)>) {
    let disk = SimDisk::new(1);
    let mut log = batches::open(disk.clone(), DIR, config()).unwrap().log;
    for number in 0..6 {
        let next = batch(3 * number, &timestamps(number));
        append_batch(&mut log, Timestamp(0), &next).unwrap();
    }
    // The seventh batch begins a segment of its own.
    append_batch(&mut log, Timestamp(5000), &batch(18, &[0])).unwrap();
    let view = log.view();
    view.save_recovery_point(view.sync(Offset(0)).unwrap())
        .unwrap();
    let all = read(&log, Offset(0));
    let mut starts = vec![0_i32];
    for (_, bytes) in &all {
        starts.push(starts[starts.len() - 1] + i32::try_from(bytes.len()).unwrap());
    }
    let offsets = offsets.iter().flat_map(|(offset, number)| {
        [offset.to_be_bytes(), starts[*number].to_be_bytes()].concat()
    });
    let times = times.iter().flat_map(|(timestamp, offset)| {
        [&timestamp.to_be_bytes()[..], &offset.to_be_bytes()[..]].concat()
    });
    let files = [
        ("index", offsets.collect::<Vec<u8>>()),
        ("timeindex", times.collect()),
    ];
    for (suffix, bytes) in files {
        let path = Path::new(DIR).join(format!("{:020}.{suffix}", 0));
        disk.create(&path).unwrap().write_all_at(&bytes, 0).unwrap();
    }
    let log = batches::open(disk.clone(), DIR, config()).unwrap().log;
    (disk, log, all)
}

#[test]
fn an_entry_that_points_behind_the_offset_is_not_believed() {
    // Offset 2 is said to be in the batch of 12..15; the last entry is right.
    let ascending = |number| [30 * number, 30 * number + 10, 30 * number + 20];
    let (_, log, all) = with_indexes(ascending, &[(2, 4), (17, 5)], &[(170, 17)]);
    for offset in [3, 7, 11] {
        let (_, header) = scan(&log.view(), Offset(offset))
            .unwrap()
            .next()
            .unwrap()
            .unwrap();
        assert!(header.range().contains(Offset(offset)), "{offset}");
    }
    assert_eq!(read(&log, Offset(0)), all);
}

#[test]
fn a_timestamp_that_its_batch_does_not_have_is_not_believed() {
    // Up to the batch of 12..15 nothing is said to be newer than 50; the last entry is right.
    let ascending = |number| [30 * number, 30 * number + 10, 30 * number + 20];
    let times = [(50, 14), (170, 17)];
    let (_, log, _) = with_indexes(ascending, &[(8, 2), (17, 5)], &times);
    let found = find(&log.view(), 60).unwrap();
    assert_eq!(found, Some((Timestamp(60), Offset(6))));
}

#[test]
fn a_newest_timestamp_that_its_batch_does_not_have_is_not_believed() {
    // The newest record is the first one; the index says that it is in the last batch, and old.
    let descending = |number| [10_000_000 - number, 5, 6];
    let (_, log, _) = with_indexes(descending, &[(8, 2), (17, 5)], &[(7, 17)]);
    let view = log.view();
    let found = find(&view, 9_999_999).unwrap();
    assert_eq!(found, Some((Timestamp(10_000_000), Offset(0))));
    let mut config = config();
    config.retention.age = Some(Duration::from_millis(10));
    let (disk, ..) = with_indexes(descending, &[(8, 2), (17, 5)], &[(7, 17)]);
    let log = batches::open(disk, DIR, config).unwrap().log;
    let now = Timestamp(10_000_005);
    assert_eq!(start(&log.view(), now, log.log_end()).unwrap(), Offset(0));
}
