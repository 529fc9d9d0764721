//! The power fails, or a call does, before every operation of some passes.

use log_storage::{Error, Log};
use message_model::{Offset, Timestamp};
use record_batch::{Batches, Codec};
use sim_disk::SimDisk;

use crate::batches;
use crate::keyed::{History, Keyed, append_keyed, compact, compacted, dirty, keyed_batch, records};

const DIR: &str = "/topic-0";

/// Passes that drop records, merge segments, and set a delete horizon and use it.
const ROUNDS: &[(i64, &[Keyed], Codec)] = &[
    (
        1_000,
        &[("a", Some(1)), ("b", Some(1)), ("a", Some(2))],
        Codec::None,
    ),
    (2_000, &[("c", Some(1)), ("b", None)], Codec::Lz4),
    (4_000, &[("c", Some(2)), ("d", Some(1))], Codec::None),
    (6_000, &[("a", None), ("d", Some(2))], Codec::Gzip),
    (7_500, &[("e", Some(1)), ("e", None)], Codec::None),
    (9_000, &[("b", Some(3)), ("c", Some(3))], Codec::Zstd),
];

fn open(disk: &SimDisk) -> Result<Log, Error> {
    Ok(batches::open(disk.clone(), DIR, compacted())?.log)
}

/// Appends and compacts, with room for so many keys, until something fails.
fn work(disk: &SimDisk, history: &mut History, keys: usize) -> Result<(), Error> {
    let mut log = open(disk)?;
    for (now, batch, codec) in ROUNDS {
        let now = Timestamp(*now);
        // Each a segment or two, the last one active.
        for batch in [batch, FILLER, FILLER, FILLER] {
            let expected = keyed_batch(log.log_end(), now, batch, *codec);
            history.all.extend(crate::keyed::records_of(&expected));
            append_keyed(&mut log, now, batch, *codec)?;
        }
        history.now = now.0;
        compact(&mut log, now, keys)?;
        history.check(&log.view(), now, "alive");
    }
    Ok(())
}

const FILLER: &[Keyed] = &[("filler", Some(0)); 7];

/// The segments follow each other, each file from its name to the next one's.
fn check_files(disk: &SimDisk, what: &str) {
    let files = disk.files().into_iter();
    let logs = files.filter(|(path, _)| path.extension() == Some("log".as_ref()));
    let mut end: Option<Offset> = None;
    for (path, bytes) in logs {
        let base: i64 = path.file_stem().unwrap().to_str().unwrap().parse().unwrap();
        let mut next = Offset(base);
        assert!(
            end.is_none_or(|end| end == next),
            "{what}: {path:?} follows {end:?}"
        );
        for batch in Batches::new(&bytes) {
            let (header, _) = batch.unwrap();
            assert!(header.base_offset >= next, "{what}: {path:?}");
            next = header.range().end;
        }
        end = Some(next);
    }
}

/// What a new start finds is right, and stays right through another pass.
fn check(disk: &SimDisk, history: &History, synced: Offset, what: &str) {
    let mut history = history.clone();
    let mut log = open(disk).unwrap_or_else(|error| panic!("{what}: {error}"));
    assert!(
        log.log_end() >= synced,
        "{what}: {} of {synced}",
        log.log_end()
    );
    let now = Timestamp(history.now);
    history.check(&log.view(), now, what);
    check_files(disk, what);
    let names = disk.files().into_iter().map(|(path, _)| path);
    let left = names.filter(|path| {
        let extension = path.extension().unwrap_or_default();
        extension == "cleaned" || extension == "swap"
    });
    assert_eq!(left.count(), 0, "{what}: a start leaves nothing half done");
    append_keyed(&mut log, now, FILLER, Codec::None)
        .map(|seen| history.all.extend(seen))
        .unwrap();
    append_keyed(&mut log, now, FILLER, Codec::None)
        .map(|seen| history.all.extend(seen))
        .unwrap();
    compact(&mut log, now, 100).unwrap_or_else(|error| panic!("{what}: {error}"));
    history.check(&log.view(), now, what);
    let reopened = open(&disk.crash()).unwrap_or_else(|error| panic!("{what}, again: {error}"));
    let synced: Vec<_> = records(&reopened);
    let all = records(&log);
    assert_eq!(
        all[..synced.len()],
        synced,
        "{what}: what was compacted is on disk"
    );
}

fn whole() -> (u64, usize) {
    let disk = SimDisk::new(0);
    let mut history = History::default();
    work(&disk, &mut history, 100).unwrap();
    history.check(&open(&disk).unwrap().view(), Timestamp(9_000), "all of it");
    (disk.operations(), history.all.len())
}

#[test]
fn the_rounds_compact_and_merge() {
    let (_, all) = whole();
    let disk = SimDisk::new(0);
    work(&disk, &mut History::default(), 100).unwrap();
    let left = records(&open(&disk).unwrap()).len();
    assert!(left < all / 2, "{left} of {all} records are left");
    let operations = (0..disk.operations()).map(|number| disk.operation(number));
    let removals: Vec<String> = operations
        .filter(|operation| operation.starts_with("Remove") && operation.ends_with(".log"))
        .collect();
    assert!(removals.len() > 3, "segments are merged: {removals:?}");
}

#[test]
fn a_power_failure_leaves_the_old_log_or_the_new_one() {
    for operation in 0..=whole().0 {
        let disk = SimDisk::new(operation);
        disk.power_off_at(operation);
        let mut history = History::default();
        let _ = work(&disk, &mut history, 100);
        for survivor in 0..4 {
            let what = format!("power off at {operation}, survivor {survivor}");
            check(&disk.crash(), &history, Offset(0), &what);
        }
        disk.power_off_at(u64::MAX);
        check(
            &disk,
            &history,
            Offset(0),
            &format!("killed at {operation}"),
        );
    }
}

#[test]
fn a_second_power_failure_may_come_while_the_first_is_made_good() {
    for operation in 0..=whole().0 {
        let disk = SimDisk::new(operation);
        disk.power_off_at(operation);
        let mut history = History::default();
        let _ = work(&disk, &mut history, 100);
        // All ten of each, over three operations one behind the other.
        for second in (operation % 3..10).step_by(3) {
            let left = disk.crash();
            left.power_off_at(second);
            let _ = open(&left);
            let what = format!("power off at {operation}, then at {second} of opening");
            check(&left.crash(), &history, Offset(0), &what);
        }
    }
}

fn has_swap(disk: &SimDisk) -> bool {
    let mut names = disk.files().into_iter().map(|(path, _)| path);
    names.any(|path| path.extension() == Some("swap".as_ref()))
}

#[test]
fn when_an_operation_fails_the_log_goes_on_with_what_it_has() {
    let mut halfway = 0;
    for operation in 0..whole().0 {
        let disk = SimDisk::new(operation);
        let mut history = History::default();
        let Ok(mut log) = open(&disk) else {
            continue;
        };
        disk.fail_at(operation);
        for (now, batch, codec) in ROUNDS {
            let now = Timestamp(*now);
            for batch in [batch, FILLER, FILLER, FILLER] {
                if let Ok(seen) = append_keyed(&mut log, now, batch, *codec) {
                    history.all.extend(seen);
                }
            }
            let result = compact(&mut log, now, 100);
            let what = format!("operation {operation} failed, {result:?}");
            history.now = now.0;
            history.check(&log.view(), now, &what);
            if has_swap(&disk) {
                // What is on disk is uncertain, so nothing more may depend on it.
                assert_eq!(dirty(&log, now).unwrap(), None, "{what}");
                halfway += 1;
            }
        }
        for survivor in 0..3 {
            let what = format!("operation {operation} failed, survivor {survivor}");
            check(&disk.crash(), &history, Offset(0), &what);
        }
    }
    assert!(halfway > 0, "a replacement has failed halfway");
}

#[test]
fn a_full_disk_leaves_the_old_segments() {
    for space in (0..1_500).step_by(13) {
        let disk = SimDisk::new(space);
        let mut log = open(&disk).unwrap();
        let mut history = History::default();
        let now = Timestamp(1_000);
        for (_, batch, codec) in ROUNDS {
            for batch in [batch, FILLER] {
                history
                    .all
                    .extend(append_keyed(&mut log, now, batch, *codec).unwrap());
            }
        }
        disk.set_space(Some(space));
        let result = compact(&mut log, now, 100);
        let what = format!("{space} bytes are left: {result:?}");
        history.check(&log.view(), now, &what);
        disk.set_space(None);
        check(&disk.crash(), &history, Offset(0), &what);
        compact(&mut log, now, 100).unwrap();
        history.check(&log.view(), now, &what);
    }
}

#[test]
fn a_lost_checkpoint_or_recovery_point_changes_no_answer() {
    for lost in ["compacted-to", "recovery-point"] {
        let disk = SimDisk::new(1);
        let mut history = History::default();
        work(&disk, &mut history, 100).unwrap();
        disk::Disk::remove(&disk, &std::path::Path::new(DIR).join(lost)).unwrap();
        check(
            &disk,
            &history,
            history.all.last().unwrap().offset.plus(1),
            lost,
        );
    }
}
