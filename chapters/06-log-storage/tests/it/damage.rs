//! Every prefix and every flipped bit of the last segment, above and below the recovery point.

use std::path::{Path, PathBuf};

use disk::Disk;
use log_storage::{Error, Log, LogConfig, Truncated};
use message_model::{Offset, Timestamp};
use record_batch::layout;
use sim_disk::SimDisk;

use crate::batches::{self, append, append_batch, batch, delete_old, find, read, scan, small};

const DIR: &str = "/topic-0";
const SEGMENT: &str = "/topic-0/00000000000000000000.log";

type Batches = Vec<(Offset, Vec<u8>)>;

/// One segment.
fn config() -> LogConfig {
    LogConfig {
        segment_bytes: 100_000,
        ..small()
    }
}

fn open(disk: &SimDisk) -> Result<(Log, Option<Truncated>), Error> {
    let opened = batches::open(disk.clone(), DIR, config())?;
    Ok((opened.log, opened.truncated))
}

/// A disk with five batches in one segment; the first `safe` of them lie below the recovery point.
fn with_batches(safe: usize) -> (SimDisk, Batches) {
    let disk = SimDisk::new(7);
    let (mut log, _) = open(&disk).unwrap();
    let mut batches = Vec::new();
    for count in 1..6 {
        batches.push((log.log_end(), append(&mut log, count)));
        if batches.len() == safe {
            let view = log.view();
            let durable = view.sync(Offset(0)).unwrap();
            view.save_recovery_point(durable).unwrap();
        }
    }
    log.view().sync(Offset(0)).unwrap();
    (disk, batches)
}

/// Where each batch starts, and where the last one ends, in bytes.
fn positions(batches: &Batches) -> Vec<usize> {
    let mut positions = vec![0];
    for (_, batch) in batches {
        positions.push(positions[positions.len() - 1] + batch.len());
    }
    positions
}

fn segment(disk: &SimDisk) -> Vec<u8> {
    let mut files = disk.files().into_iter();
    files
        .find(|(path, _)| path == Path::new(SEGMENT))
        .unwrap()
        .1
}

#[test]
fn of_every_prefix_the_whole_batches_are_left() {
    for safe in [0, 2] {
        let (original, batches) = with_batches(safe);
        let positions = positions(&batches);
        for length in 0..=positions[5] {
            let disk = original.crash();
            let file = disk.open(Path::new(SEGMENT)).unwrap();
            file.set_len(length as u64).unwrap();
            let whole = positions[1..].iter().filter(|end| **end <= length).count();
            let opened = open(&disk);
            if whole < safe {
                expect_damage(
                    opened,
                    positions[whole],
                    batches[whole].0,
                    &format!("{length}"),
                );
                assert_eq!(segment(&disk).len(), length, "nothing is cut");
                continue;
            }
            let (log, truncated) = opened.unwrap();
            assert_eq!(read(&log, Offset(0)), batches[..whole]);
            let cut = Truncated {
                path: PathBuf::from(SEGMENT),
                position: positions[whole] as u64,
                bytes: (length - positions[whole]) as u64,
                segments: 0,
                log_end: log.log_end(),
            };
            assert_eq!(truncated, (cut.bytes > 0).then_some(cut), "{length} bytes");
        }
    }
}

#[test]
fn every_flipped_bit_is_found_where_the_format_can_tell() {
    for safe in [0, 3, 5] {
        let (original, batches) = with_batches(safe);
        let positions = positions(&batches);
        for bit in 0..positions[5] * 8 {
            let hit = positions.iter().filter(|start| **start <= bit / 8).count() - 1;
            let field = bit / 8 - positions[hit];
            if (layout::PARTITION_LEADER_EPOCH..layout::MAGIC).contains(&field) {
                // The CRC does not cover it, and any epoch may stand there.
                continue;
            }
            let disk = original.crash();
            disk.flip(Path::new(SEGMENT), bit);
            let before = segment(&disk);
            let opened = open(&disk);
            if hit < safe {
                // A batch that claims a later offset is only found to be wrong by the next one.
                let found = if field < layout::BATCH_LENGTH {
                    None
                } else {
                    Some(positions[hit])
                };
                match (opened, found) {
                    (opened, Some(position)) => {
                        expect_damage(opened, position, batches[hit].0, &format!("bit {bit}"));
                    }
                    (opened, None) => {
                        assert!(matches!(opened, Err(Error::Damaged { .. })), "bit {bit}")
                    }
                }
                assert!(segment(&disk) == before, "nothing is changed");
                continue;
            }
            let (log, _) = opened.unwrap();
            let found = read(&log, Offset(0));
            assert_eq!(found[..hit], batches[..hit], "bit {bit}");
            if field >= layout::BATCH_LENGTH {
                assert_eq!(found.len(), hit, "bit {bit}");
            }
        }
    }
}

fn expect_damage(
    opened: Result<(Log, Option<Truncated>), Error>,
    at: usize,
    first: Offset,
    what: &str,
) {
    match opened {
        Err(Error::Damaged {
            path,
            position,
            offset,
        }) => {
            assert_eq!(path, Path::new(SEGMENT));
            assert_eq!((position, offset), (at as u64, first), "{what}");
        }
        other => panic!("{what}: damage is reported, not {other:?}"),
    }
}

#[test]
fn zeros_behind_the_last_batch_are_cut_off() {
    for zeros in [1, 60, 61, 62, 5000] {
        let (disk, batches) = with_batches(5);
        let length = positions(&batches)[5];
        let file = disk.open(Path::new(SEGMENT)).unwrap();
        file.set_len((length + zeros) as u64).unwrap();
        let (log, truncated) = open(&disk).unwrap();
        assert_eq!(truncated.unwrap().bytes, zeros as u64);
        assert_eq!(read(&log, Offset(0)), batches);
        assert_eq!(segment(&disk).len(), length);
    }
}

#[test]
fn a_batch_that_goes_back_ends_the_log() {
    let (disk, batches) = with_batches(5);
    let length = positions(&batches)[5];
    let file = disk.open(Path::new(SEGMENT)).unwrap();
    file.write_all_at(&batches[1].1, length as u64).unwrap();
    let (log, truncated) = open(&disk).unwrap();
    assert_eq!(truncated.unwrap().bytes, batches[1].1.len() as u64);
    assert_eq!(read(&log, Offset(0)), batches);
}

#[test]
fn a_recovery_point_that_cannot_be_read_only_costs_time() {
    for content in [
        "",
        "7",
        "nonsense",
        "15 00000000\n",
        "-1 12345678\n",
        &"9".repeat(5000),
    ] {
        let (disk, batches) = with_batches(5);
        let file = disk.create(&Path::new(DIR).join("recovery-point")).unwrap();
        file.write_all_at(content.as_bytes(), 0).unwrap();
        let (log, truncated) = open(&disk).unwrap();
        assert_eq!(
            (read(&log, Offset(0)), truncated),
            (batches, None),
            "{content:?}"
        );
    }
}

#[test]
fn a_log_that_has_lost_its_segments_is_damaged() {
    let (disk, _) = with_batches(5);
    disk.remove(Path::new(SEGMENT)).unwrap();
    expect_damage(open(&disk), 0, Offset(0), "no segment");
    assert!(disk.open(Path::new(SEGMENT)).is_err(), "and none is made");
}

fn open_small(disk: &SimDisk) -> Log {
    batches::open(disk.clone(), DIR, small()).unwrap().log
}

/// Twelve batches in small segments, closed.
fn with_sealed_segments() -> (SimDisk, Batches) {
    let disk = SimDisk::new(3);
    let mut log = open_small(&disk);
    let batches = (0..12)
        .map(|_| (log.log_end(), append(&mut log, 3)))
        .collect();
    let view = log.view();
    let durable = view.sync(Offset(0)).unwrap();
    view.save_recovery_point(durable).unwrap();
    (disk, batches)
}

#[test]
fn damage_in_a_sealed_segment_is_found_by_its_readers() {
    let (disk, batches) = with_sealed_segments();
    // The third batch's magic byte.
    let position = positions(&batches)[2];
    disk.flip(Path::new(SEGMENT), (position + layout::MAGIC) * 8);
    let log = open_small(&disk);
    let before: Vec<_> = scan(&log.view(), Offset(0))
        .unwrap()
        .take_while(Result::is_ok)
        .collect();
    assert_eq!(before.len(), 2, "what lies before it can be read");
    match scan(&log.view(), Offset(7)) {
        Err(Error::Damaged {
            position: found,
            offset,
            ..
        }) => {
            assert_eq!((found, offset), (position as u64, Offset(6)));
        }
        other => panic!("damage is reported, not {other:?}"),
    }
    let behind = read(&log, Offset(30));
    assert_eq!(behind, batches[10..], "and what lies in later segments");
    assert!(find(&log.view(), 75).is_err());
    let mut aged = small();
    aged.retention.age = Some(std::time::Duration::ZERO);
    let mut log = batches::open(disk.clone(), DIR, aged).unwrap().log;
    let (late, end) = (Timestamp(i64::MAX), log.log_end());
    let deleted = delete_old(&mut log, late, end).unwrap();
    assert_eq!(deleted, 0, "its age is unknown");
}

#[test]
fn offsets_that_go_back_in_a_sealed_segment_are_damage() {
    let (disk, batches) = with_sealed_segments();
    // The third batch begins with 6 = 0b110: without the 4 it begins with 2.
    let position = positions(&batches)[2];
    disk.flip(Path::new(SEGMENT), (position + 7) * 8 + 2);
    let damaged = scan(&open_small(&disk).view(), Offset(0))
        .unwrap()
        .find_map(Result::err);
    match damaged {
        Some(Error::Damaged {
            position: found, ..
        }) => assert_eq!(found, position as u64),
        other => panic!("damage is reported, not {other:?}"),
    }
}

#[test]
fn a_limit_that_was_lowered_does_not_cut_off_what_it_let_in_before() {
    let disk = SimDisk::new(3);
    let roomy = LogConfig {
        segment_bytes: 1_000_000,
        ..small()
    };
    let mut log = batches::open(disk.clone(), DIR, roomy).unwrap().log;
    let first = batch(0, &[5; 3000]);
    assert!(first.len() > 64 * 1024, "several windows");
    append_batch(&mut log, Timestamp(0), &first).unwrap();
    let second = append(&mut log, 2);
    let tiny = LogConfig {
        batch_size_max: 100,
        ..roomy
    };
    let opened = batches::open(disk.clone(), DIR, tiny).unwrap();
    assert_eq!(opened.truncated, None);
    assert_eq!(
        read(&opened.log, Offset(0)),
        [(Offset(0), first), (Offset(3000), second)]
    );
}

#[test]
fn opening_holds_a_window_in_memory_whatever_a_length_says() {
    let roomy = LogConfig {
        segment_bytes: 10_000_000,
        ..small()
    };
    let disk = SimDisk::new(3);
    let mut log = batches::open(disk.clone(), DIR, roomy).unwrap().log;
    let batches: Batches = (0..3000)
        .map(|_| (log.log_end(), append(&mut log, 2)))
        .collect();
    let length = positions(&batches)[3000];
    assert!(length > 300_000);
    // A header that claims 2 GiB, and much behind it.
    let mut torn = batch(6000, &[1]);
    torn[layout::BATCH_LENGTH..layout::PARTITION_LEADER_EPOCH]
        .copy_from_slice(&i32::MAX.to_be_bytes());
    torn.resize(1_000_000, 7);
    let file = disk.open(Path::new(SEGMENT)).unwrap();
    file.write_all_at(&torn, length as u64).unwrap();
    let opened = batches::open(disk.clone(), DIR, roomy).unwrap();
    assert_eq!(opened.truncated.unwrap().bytes, 1_000_000);
    assert_eq!(read(&opened.log, Offset(0)), batches);
    assert!(
        disk.counts().largest_read <= 64 * 1024,
        "{} bytes at once",
        disk.counts().largest_read
    );
}
