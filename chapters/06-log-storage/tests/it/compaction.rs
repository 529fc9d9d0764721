//! What a pass leaves of a log.

use std::time::Duration;

use log_storage::{Error, Log, LogConfig, Progress};
use message_model::{Offset, ProducerEpoch, ProducerId, Timestamp};
use record_batch::{BatchHeader, Codec, layout};
use sim_disk::SimDisk;

use crate::batches::{self, append_batch, find, read, run, start};
use crate::keyed::{
    History, Keyed, RETENTION, append_keyed, compact, compacted, compactor, dirty, keyed_batch,
    records,
};

const DIR: &str = "/topic-0";
const NOW: Timestamp = Timestamp(10_000);

fn open_with(disk: &SimDisk, config: LogConfig) -> Log {
    batches::open(disk.clone(), DIR, config).unwrap().log
}

fn open(disk: &SimDisk) -> Log {
    open_with(disk, compacted())
}

/// Rolls, by appending a record with a key of its own until a new segment begins.
fn roll(log: &mut Log, history: &mut History) {
    let base = |log: &Log| log.view().config().segment_bytes;
    assert_eq!(base(log), 1000);
    let filler: &[Keyed] = &[("filler", Some(0)); 8];
    for _ in 0..3 {
        history
            .all
            .extend(append_keyed(log, NOW, filler, Codec::None).unwrap());
    }
}

/// Offset, key and value of each record but the fillers.
fn brief(log: &Log) -> Vec<(i64, String, bool)> {
    let found = records(log).into_iter();
    let found = found.filter(|seen| seen.key != b"filler");
    found
        .map(|seen| {
            let key = String::from_utf8(seen.key).unwrap();
            (seen.offset.0, key, seen.value.is_some())
        })
        .collect()
}

fn owned(expected: &[(i64, &str, bool)]) -> Vec<(i64, String, bool)> {
    let owned =
        |(offset, key, has_value): &(i64, &str, bool)| (*offset, (*key).to_owned(), *has_value);
    expected.iter().map(owned).collect()
}

#[test]
fn the_newest_record_of_each_key_survives_in_batches_of_each_codec() {
    for codec in [
        Codec::None,
        Codec::Gzip,
        Codec::Snappy,
        Codec::Lz4,
        Codec::Zstd,
    ] {
        let disk = SimDisk::new(1);
        let mut log = open(&disk);
        let mut history = History::default();
        let batch: &[Keyed] = &[("a", Some(1)), ("b", Some(1)), ("c", Some(1)), ("d", None)];
        history
            .all
            .extend(append_keyed(&mut log, NOW, batch, codec).unwrap());
        let batch: &[Keyed] = &[("a", Some(2)), ("a", Some(3)), ("b", None)];
        history
            .all
            .extend(append_keyed(&mut log, NOW, batch, codec).unwrap());
        roll(&mut log, &mut history);
        let before = log.view().log_end();
        assert!(compact(&mut log, NOW, 100).unwrap().is_some());
        let expected = owned(&[
            (2, "c", true),
            (3, "d", false),
            (5, "a", true),
            (6, "b", false),
        ]);
        assert_eq!(brief(&log), expected, "{codec:?}");
        history.check(&log.view(), NOW, "compacted");
        assert_eq!(log.log_end(), before);
        let (_, first) = &read(&log, Offset(0))[0];
        assert_eq!(BatchHeader::read(first).unwrap().codec(), Ok(codec));
        let reopened = open(&disk.crash());
        assert_eq!(records(&reopened), records(&log), "it is on disk");
        assert_eq!(
            compact(&mut log, NOW, 100).unwrap(),
            None,
            "nothing is dirty"
        );
    }
}

#[test]
fn the_header_stays_but_for_what_its_records_say() {
    let disk = SimDisk::new(1);
    let mut log = open(&disk);
    let records: &[Keyed] = &[
        ("a", Some(1)),
        ("b", Some(1)),
        ("a", Some(2)),
        ("b", Some(2)),
    ];
    let mut batch = keyed_batch(Offset(0), NOW, records, Codec::None);
    for (position, bytes) in [
        (layout::PRODUCER_ID, &77_i64.to_be_bytes()[..]),
        (layout::PRODUCER_EPOCH, &3_i16.to_be_bytes()),
        (layout::BASE_SEQUENCE, &12_i32.to_be_bytes()),
    ] {
        batch[position..position + bytes.len()].copy_from_slice(bytes);
    }
    let crc = crc32c::crc32c(&batch[layout::ATTRIBUTES..]);
    batch[layout::CRC..layout::ATTRIBUTES].copy_from_slice(&crc.to_be_bytes());
    append_batch(&mut log, NOW, &batch).unwrap();
    let alive = append_keyed(&mut log, NOW, &[("a", Some(3)), ("c", Some(1))], Codec::Lz4).unwrap();
    let whole = read(&log, alive[0].offset)[0].clone();
    roll(&mut log, &mut History::default());
    compact(&mut log, NOW, 100).unwrap();
    let found = read(&log, Offset(0));
    let header = BatchHeader::read(&found[0].1).unwrap();
    assert_eq!(
        (header.base_offset, header.last_offset_delta),
        (Offset(0), 3)
    );
    assert_eq!((header.record_count, header.leader_epoch.0), (1, 7));
    assert_eq!(header.producer_id, ProducerId(77));
    assert_eq!(
        (header.producer_epoch, header.base_sequence),
        (ProducerEpoch(3), 12)
    );
    assert_eq!(header.base_timestamp, NOW);
    assert_eq!(
        found[1], whole,
        "a batch of which all survive keeps its bytes"
    );

    append_keyed(&mut log, NOW, &[("b", Some(9))], Codec::None).unwrap();
    roll(&mut log, &mut History::default());
    compact(&mut log, NOW, 100).unwrap();
    let header = BatchHeader::read(&read(&log, Offset(0))[0].1).unwrap();
    let last = (
        header.base_sequence,
        header.last_offset_delta,
        header.record_count,
    );
    assert_eq!(
        last,
        (12, 3, 0),
        "the producer's last sequence number stays known"
    );
    let later = NOW.0 + 24 * 3600 * 1000 + 10;
    append_keyed(&mut log, NOW, &[("b", Some(10))], Codec::None).unwrap();
    roll(&mut log, &mut History::default());
    compact(&mut log, Timestamp(later), 100).unwrap();
    let header = BatchHeader::read(&read(&log, Offset(0))[0].1).unwrap();
    assert_eq!(header.producer_id, ProducerId::NONE, "for a day");
}

#[test]
fn a_tombstone_goes_when_its_time_is_over_and_not_before() {
    let disk = SimDisk::new(1);
    let mut log = open(&disk);
    let mut history = History::default();
    history
        .all
        .extend(append_keyed(&mut log, NOW, &[("a", Some(1))], Codec::Zstd).unwrap());
    roll(&mut log, &mut history);
    compact(&mut log, NOW, 100).unwrap();
    history
        .all
        .extend(append_keyed(&mut log, NOW, &[("x", Some(1)), ("a", None)], Codec::Zstd).unwrap());
    roll(&mut log, &mut history);
    // Time alone does nothing: it begins when the older record is gone.
    for (now, is_there) in [(50_000, true), (50_999, true), (51_000, false)] {
        compact(&mut log, Timestamp(now), 100).unwrap();
        let found = brief(&log);
        assert_eq!(
            found.iter().any(|(_, key, _)| key == "a"),
            is_there,
            "{now}: {found:?}"
        );
        history.check(&log.view(), Timestamp(now), "a tombstone");
        let tombstone = records(&log).into_iter().find(|seen| seen.value.is_none());
        let expected = is_there.then_some(Timestamp(NOW.0 + 1));
        assert_eq!(
            tombstone.map(|seen| seen.timestamp),
            expected,
            "its timestamp stays"
        );
        roll(&mut log, &mut history);
    }
    assert_eq!(RETENTION, 1_000);
}

#[test]
fn a_horizon_that_a_producer_wrote_is_not_believed() {
    let disk = SimDisk::new(1);
    let mut log = open(&disk);
    append_keyed(&mut log, NOW, &[("a", Some(1))], Codec::None).unwrap();
    append_with_horizon(&mut log, &[("a", None)]);
    roll(&mut log, &mut History::default());
    compact(&mut log, Timestamp(1_000_000), 100).unwrap();
    assert_eq!(
        brief(&log),
        owned(&[(1, "a", false)]),
        "its time begins now"
    );
}

/// Appends a batch at offset 1 whose header says that its tombstones may go from `NOW` on.
fn append_with_horizon(log: &mut Log, records: &[Keyed]) {
    let mut batch = keyed_batch(Offset(1), NOW, records, Codec::None);
    batch[layout::ATTRIBUTES + 1] |= 1 << 6;
    let crc = crc32c::crc32c(&batch[layout::ATTRIBUTES..]);
    batch[layout::CRC..layout::ATTRIBUTES].copy_from_slice(&crc.to_be_bytes());
    append_batch(log, NOW, &batch).unwrap();
}

#[test]
fn nor_is_one_in_a_batch_in_which_a_section_ends() {
    let disk = SimDisk::new(1);
    let mut log = open(&disk);
    append_keyed(&mut log, NOW, &[("a", Some(1))], Codec::None).unwrap();
    append_with_horizon(&mut log, &[("a", None), ("b", None)]);
    roll(&mut log, &mut History::default());
    // With room for one key the section ends between the two tombstones.
    let tombstones = owned(&[(1, "a", false), (2, "b", false)]);
    for now in [1_000_000, 1_000_001] {
        let end = compact(&mut log, Timestamp(now), 1).unwrap();
        assert!(end.is_some(), "there was something to do");
        assert_eq!(brief(&log), tombstones, "at {now}");
    }
}

#[test]
fn a_pass_goes_as_far_as_its_memory_reaches_and_the_next_one_goes_on() {
    let disk = SimDisk::new(1);
    let mut log = open(&disk);
    let mut history = History::default();
    for round in 0..6 {
        for key in ["a", "b", "c", "d", "e"] {
            let batch = [(key, Some(round)), ("f", Some(round))];
            history
                .all
                .extend(append_keyed(&mut log, NOW, &batch, Codec::None).unwrap());
        }
    }
    roll(&mut log, &mut history);
    let mut ends = Vec::new();
    while let Some(end) = compact(&mut log, NOW, 3).unwrap() {
        history.check(&log.view(), NOW, "with room for three keys");
        ends.push(end);
    }
    assert!(ends.len() > 8, "{ends:?}");
    assert!(ends.windows(2).all(|pair| pair[0] < pair[1]), "{ends:?}");
    assert_eq!(brief(&log).len(), records(&log).len() - fillers(&log));
}

fn fillers(log: &Log) -> usize {
    records(log)
        .iter()
        .filter(|seen| seen.key == b"filler")
        .count()
}

#[test]
fn small_segments_become_one_and_indexes_and_retention_stay_right() {
    let disk = SimDisk::new(1);
    let mut log = open(&disk);
    let mut history = History::default();
    for _ in 0..10 {
        roll(&mut log, &mut history);
    }
    history
        .all
        .extend(append_keyed(&mut log, Timestamp(20_000), &[("a", Some(1))], Codec::None).unwrap());
    roll(&mut log, &mut history);
    let segments = |disk: &SimDisk| {
        let files = disk.files().into_iter();
        files
            .filter(|(path, _)| path.extension() == Some("log".as_ref()))
            .count()
    };
    let before = segments(&disk);
    compact(&mut log, NOW, 100).unwrap();
    roll(&mut log, &mut history);
    // Segments are small from the second pass on: the first one has made them so.
    compact(&mut log, NOW, 100).unwrap();
    assert!(
        segments(&disk) < before / 2,
        "{} of {before}",
        segments(&disk)
    );
    history.check(&log.view(), NOW, "merged");
    let newest = history.all.iter().find(|seen| seen.key == b"a").unwrap();
    let found = find(&log.view(), 15_000).unwrap();
    assert_eq!(found, Some((Timestamp(20_000), newest.offset)));
    assert_eq!(
        find(&open(&disk).view(), 15_000).unwrap(),
        found,
        "opened again"
    );
    assert_eq!(
        start(&log.view(), Timestamp(i64::MAX), log.log_end()).unwrap(),
        Offset(0)
    );
    let mut both = compacted();
    both.cleanup.delete = true;
    both.retention.age = Some(Duration::from_millis(1));
    log.view().set_config(both);
    let end = log.log_end();
    let start = start(&log.view(), Timestamp(i64::MAX), end).unwrap();
    assert!(
        start > newest.offset,
        "compact,delete deletes old segments: {start}"
    );
}

#[test]
fn what_is_young_or_active_or_not_on_disk_is_not_touched() {
    let disk = SimDisk::new(1);
    let mut log = open(&disk);
    let mut history = History::default();
    history.all.extend(
        append_keyed(
            &mut log,
            NOW,
            &[("a", Some(1)), ("a", Some(2))],
            Codec::None,
        )
        .unwrap(),
    );
    log.view().sync(Offset(0)).unwrap();
    assert_eq!(dirty(&log, NOW).unwrap(), None, "the active segment");
    roll(&mut log, &mut history);
    assert_eq!(dirty(&log, NOW).unwrap(), None, "not on disk yet");
    log.view().sync(Offset(0)).unwrap();
    assert!(dirty(&log, NOW).unwrap().unwrap().is_due);

    let mut config = compacted();
    config.compaction.min_lag = Duration::from_secs(10);
    log.view().set_config(config);
    assert_eq!(
        dirty(&log, Timestamp(NOW.0 + 9_999)).unwrap(),
        None,
        "too young"
    );
    assert!(dirty(&log, Timestamp(NOW.0 + 10_003)).unwrap().is_some());

    config.compaction.min_lag = Duration::ZERO;
    config.compaction.min_dirty_ratio = 1.0;
    config.compaction.max_lag = Duration::from_secs(100);
    log.view().set_config(config);
    assert!(
        !dirty(&log, Timestamp(NOW.0 + 100_000))
            .unwrap()
            .unwrap()
            .is_due
    );
    let late = Timestamp(NOW.0 + 100_003);
    assert!(
        dirty(&log, late).unwrap().unwrap().is_due,
        "whatever the ratio"
    );
    let next = keyed_batch(log.log_end(), late, &[("a", Some(3))], Codec::None);
    assert!(
        log.rolls_for(late, &BatchHeader::read(&next).unwrap()),
        "a segment is rolled for it"
    );
}

#[test]
fn readers_of_an_old_view_go_on() {
    let disk = SimDisk::new(1);
    let mut log = open(&disk);
    let mut history = History::default();
    for _ in 0..12 {
        roll(&mut log, &mut history);
    }
    let old = log.view();
    let before = read(&log, Offset(0));
    compact(&mut log, NOW, 100).unwrap();
    assert_ne!(read(&log, Offset(0)), before);
    assert_eq!(
        batches::try_read(&old, Offset(0)).unwrap(),
        before,
        "as if nothing had happened"
    );
    history.check(&log.view(), NOW, "and the new one reads the new files");
    drop(old);
    let open = disk.open_files(DIR.as_ref());
    assert!(open <= 8, "no file stays open for them: {open}");
}

#[test]
fn a_batch_that_cannot_be_read_ends_the_pass_and_changes_nothing() {
    let disk = SimDisk::new(1);
    let mut log = open(&disk);
    append_keyed(
        &mut log,
        NOW,
        &[("a", Some(1)), ("a", Some(2))],
        Codec::Gzip,
    )
    .unwrap();
    roll(&mut log, &mut History::default());
    log.view().sync(Offset(0)).unwrap();
    let before = disk.files();
    let mut small = compactor(10);
    small.opening.size_max = 10;
    let found = dirty(&log, NOW).unwrap().unwrap();
    let mut pass = log.view().compact(small, found).unwrap();
    let error = run(|| pass.step(NOW)).unwrap_err();
    assert!(
        matches!(
            error,
            Error::Damaged {
                offset: Offset(0),
                ..
            }
        ),
        "{error}"
    );
    assert_eq!(disk.files(), before);
    assert_eq!(dirty(&log, NOW).unwrap(), None, "and it is not tried again");
}

#[test]
fn segments_that_are_deleted_meanwhile_are_not_brought_back() {
    let disk = SimDisk::new(1);
    let mut log = open(&disk);
    for _ in 0..6 {
        roll(&mut log, &mut History::default());
    }
    log.view().sync(Offset(0)).unwrap();
    let found = dirty(&log, NOW).unwrap().unwrap();
    let mut pass = log.view().compact(compactor(10), found).unwrap();
    let Progress::Rewritten(rewritten) = run(|| pass.step(NOW)).unwrap() else {
        panic!("the first group comes first");
    };
    assert!(log.view().holds(&rewritten));
    let removed = log.set_log_start(log.log_end());
    assert!(!log.view().holds(&rewritten));
    removed.remove().unwrap();
    rewritten.discard();
    let left = disk.files().into_iter().map(|(path, _)| path);
    let cleaned = left.filter(|path| path.extension() == Some("cleaned".as_ref()));
    assert_eq!(cleaned.count(), 0);
}

#[test]
fn a_step_reads_about_a_megabyte() {
    let disk = SimDisk::new(1);
    let mut config = compacted();
    config.segment_bytes = 3_000_000;
    let mut log = open_with(&disk, config);
    let records = [("a", Some(1)); 300];
    for _ in 0..500 {
        append_keyed(&mut log, NOW, &records, Codec::None).unwrap();
    }
    log.view().sync(Offset(0)).unwrap();
    let found = dirty(&log, NOW).unwrap().unwrap();
    let mut pass = log.view().compact(compactor(10), found).unwrap();
    let mut steps = 0;
    loop {
        let before = disk.counts();
        let progress = pass.step(NOW).unwrap();
        let after = disk.counts();
        let read = after.bytes_read - before.bytes_read;
        assert!(read < 1_700_000, "step {steps} reads {read} bytes");
        assert!(after.syncs - before.syncs <= 2, "step {steps}");
        steps += 1;
        match progress {
            None => {}
            Some(Progress::Rewritten(rewritten)) => {
                let replacement = rewritten.commit().unwrap();
                log.replace(&replacement);
                replacement.forget_old();
            }
            Some(Progress::Compacted(_)) => break,
        }
    }
    assert!(steps > 6, "two segments of 3 MB, read twice: {steps} steps");
    assert!(
        read(&log, Offset(0)).len() < 150,
        "only the active segment is left whole"
    );
}
