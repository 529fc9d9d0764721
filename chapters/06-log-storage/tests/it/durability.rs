//! Syncs, saved offsets, and what is believed after a failure.

use std::path::Path;

use disk::Disk;
use log_storage::{Error, Log, LogConfig, RealDisk};
use message_model::{Offset, Timestamp};
use sim_disk::{Call, SimDisk};

use crate::batches::{
    self, append, append_batch, append_until_rolled, batch, delete_old, find, read, scan, small,
};

const DIR: &str = "/topic-0";

fn open(disk: &SimDisk) -> Log {
    batches::open(disk.clone(), DIR, small()).unwrap().log
}

#[test]
fn nothing_that_was_only_in_the_page_cache_is_believed_after_a_failed_sync() {
    for seed in 0..40 {
        let disk = SimDisk::new(seed);
        if seed % 2 == 1 {
            disk.spoil_at_failed_syncs();
        }
        let mut log = open(&disk);
        let mut expected = vec![(Offset(0), append(&mut log, 5))];
        let durable = log.view().sync(Offset(0)).unwrap();
        log.view().save_recovery_point(durable).unwrap();
        expected.push((log.log_end(), append(&mut log, 2)));
        let (more, _) = append_until_rolled(&mut log);
        expected.extend(more);
        // The disk fails once, the operator starts the broker again, and it acknowledges.
        disk.fail_at(disk.operations());
        assert!(log.view().sync(durable).is_err());
        let mut log = open(&disk);
        let durable = log.log_end();
        expected.push((durable, append(&mut log, 3)));
        assert_eq!(log.view().sync(durable).unwrap(), log.log_end());
        let log = open(&disk.crash());
        assert_eq!(read(&log, Offset(0)), expected, "seed {seed}");
    }
}

#[test]
fn a_sync_syncs_what_is_not_durable_and_nothing_else() {
    let disk = SimDisk::new(1);
    let mut log = open(&disk);
    append(&mut log, 1);
    let before = disk.counts();
    let durable = log.view().sync(Offset(0)).unwrap();
    let after = disk.counts();
    assert_eq!(after.syncs - before.syncs, 1);
    assert_eq!(after.directory_syncs, before.directory_syncs, "no new name");
    assert_eq!(log.view().sync(durable).unwrap(), durable);
    assert_eq!(disk.counts(), after, "nothing was left to sync");
    append_until_rolled(&mut log);
    append_until_rolled(&mut log);
    let rolled = disk.counts();
    assert_eq!(rolled.syncs, after.syncs, "a roll syncs nothing");
    assert_eq!(rolled.directory_syncs, after.directory_syncs);
    let durable = log.view().sync(durable).unwrap();
    let synced = disk.counts();
    assert_eq!(
        synced.syncs - rolled.syncs,
        3 + 2 * 2,
        "three segments, four indexes"
    );
    assert_eq!(synced.directory_syncs - rolled.directory_syncs, 1);
    append(&mut log, 1);
    log.view().sync(durable).unwrap();
    assert_eq!(
        disk.counts().syncs - synced.syncs,
        1,
        "the old ones are closed"
    );
    assert_eq!(
        disk.counts().directory_syncs,
        synced.directory_syncs,
        "the names are on disk"
    );
}

/// It was full, and synced, when the roll closed it: only its indexes are not on disk.
#[test]
fn a_segment_that_was_synced_before_it_was_closed_is_not_synced_again() {
    let disk = SimDisk::new(1);
    let mut log = open(&disk);
    let mut durable = Offset(0);
    let mut before = disk.counts();
    while log.view().unsynced_segments() == 0 {
        durable = log.view().sync(durable).unwrap();
        before = disk.counts();
        append(&mut log, 3);
    }
    log.view().sync(durable).unwrap();
    assert_eq!(
        disk.counts().syncs - before.syncs,
        1 + 2,
        "the new segment, two indexes of the old one"
    );
}

#[test]
fn a_parked_sync_holds_up_neither_appends_nor_reads() {
    let disk = SimDisk::new(1);
    let mut log = open(&disk);
    append(&mut log, 3);
    for call in [Call::Sync, Call::SyncDir, Call::Remove, Call::Rename] {
        append_until_rolled(&mut log);
        let view = log.view();
        let parking = disk.park_every(call, Path::new(DIR));
        std::thread::scope(|scope| {
            let background = scope.spawn(|| {
                let durable = view.sync(Offset(0)).unwrap();
                view.save_recovery_point(durable).unwrap();
                let _ = disk.remove(&Path::new(DIR).join("nothing"));
            });
            parking.wait();
            append_until_rolled(&mut log);
            let batches = read(&log, Offset(0));
            assert_eq!(batches[0].0, Offset(0));
            assert!(!background.is_finished(), "{call:?} is parked");
            drop(parking);
        });
    }
}

#[test]
fn the_log_start_is_kept_over_a_start_and_a_crash() {
    let disk = SimDisk::new(1);
    let mut log = open(&disk);
    let (first, rolled_at) = append_until_rolled(&mut log);
    append_until_rolled(&mut log);
    log.view().sync(Offset(0)).unwrap();
    // In the middle of the first segment.
    let inside = first[2].0;
    log.view().save_log_start(inside).unwrap();
    let removed = log.set_log_start(inside);
    assert_eq!(removed.count(), 0);
    removed.remove().unwrap();
    for log in [&log, &open(&disk), &open(&disk.crash())] {
        let view = log.view();
        assert_eq!(view.log_start(), inside);
        let below = scan(&view, Offset(inside.0 - 1));
        assert!(matches!(below, Err(Error::OutOfRange { .. })));
        assert!(scan(&view, inside).unwrap().next().is_some());
        let found = find(&view, 0).unwrap();
        assert_eq!(found, Some((Timestamp(inside.0 * 10), inside)));
    }
    // Saved, and the power fails before or while the files are removed.
    log.view().save_log_start(rolled_at).unwrap();
    let removed = log.set_log_start(rolled_at);
    assert_eq!(removed.count(), 1);
    for _ in 0..2 {
        for crashed in (0..20).map(|_| disk.crash()) {
            let log = open(&crashed);
            assert_eq!(log.log_start(), rolled_at);
            let names = crashed.list(Path::new(DIR)).unwrap();
            assert!(
                !names
                    .iter()
                    .any(|name| name.starts_with("00000000000000000000"))
            );
        }
        let _ = disk.remove(&Path::new(DIR).join("00000000000000000000.log"));
    }
    removed.remove().unwrap();
    assert_eq!(
        log.set_log_start(Offset(0)).count(),
        0,
        "it does not go back"
    );
    assert_eq!(log.log_start(), rolled_at);
}

#[test]
#[should_panic(expected = "a log starts at or below its end")]
fn a_log_start_above_the_end_is_a_mistake_of_the_caller() {
    let mut log = open(&SimDisk::new(1));
    let _ = log.set_log_start(Offset(1));
}

#[test]
fn retention_syncs_no_directory_per_segment() {
    let disk = SimDisk::new(1);
    let mut config = small();
    config.retention.bytes = Some(0);
    let mut log = batches::open(disk.clone(), DIR, config).unwrap().log;
    for _ in 0..20 {
        append_until_rolled(&mut log);
    }
    let before = disk.counts();
    let end = log.log_end();
    assert_eq!(delete_old(&mut log, Timestamp(0), end).unwrap(), 20);
    let after = disk.counts();
    assert_eq!(
        after.directory_syncs - before.directory_syncs,
        1,
        "the saved log start"
    );
    assert_eq!(after.syncs - before.syncs, 1);
}

#[test]
fn a_batch_of_more_than_100_mib_is_no_torn_tail() {
    let temp = tempfile::tempdir().unwrap();
    let config = LogConfig {
        segment_bytes: u32::MAX,
        batch_size_max: usize::MAX,
        ..small()
    };
    let dir = temp.path().to_str().unwrap();
    let mut log = batches::open(RealDisk, dir, config).unwrap().log;
    let mut builder = record_batch::BatchBuilder::new();
    builder.push(&record_batch::RecordToSend {
        timestamp: Timestamp(7),
        key: None,
        value: Some(&vec![b'x'; 101 * 1024 * 1024]),
        headers: vec![],
    });
    append_batch(&mut log, Timestamp(0), &builder.build()).unwrap();
    append(&mut log, 2);
    let opened = batches::open(RealDisk, dir, config).unwrap();
    assert_eq!(opened.truncated, None);
    assert_eq!(opened.log.log_end(), Offset(3));
}

#[test]
fn what_a_real_file_has_in_memory_is_read_without_waiting() {
    let temp = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).unwrap();
    let file = RealDisk.create(&temp.path().join("file")).unwrap();
    file.write_all_at(b"just written", 0).unwrap();
    let mut bytes = [0; 20];
    // `None` where the system or the file system cannot say.
    match file.read_cached_at(&mut bytes, 5).unwrap() {
        Some(count) => assert_eq!(&bytes[..count], b"written"),
        None => assert_eq!(file.read_at(&mut bytes, 5).unwrap(), 7),
    }
    let behind = file.read_cached_at(&mut bytes, 12).unwrap();
    assert!(matches!(behind, Some(0) | None));
}

#[test]
fn an_unacknowledged_end_below_the_log_start_is_not_used_again() {
    let disk = SimDisk::new(1);
    let mut log = open(&disk);
    append(&mut log, 3);
    let durable = log.view().sync(Offset(0)).unwrap();
    log.view().save_recovery_point(durable).unwrap();
    append_batch(&mut log, Timestamp(0), &batch(3, &[1, 2, 3])).unwrap();
    // All records are deleted, and the last batch is not on disk.
    log.view().save_log_start(Offset(6)).unwrap();
    log.set_log_start(Offset(6)).remove().unwrap();
    for _ in 0..30 {
        let log = open(&disk.crash());
        assert_eq!((log.log_start(), log.log_end()), (Offset(6), Offset(6)));
    }
}
