//! What a pass makes of transactions, their markers and the index of the aborted ones.

use std::path::Path;

use disk::Disk;
use log_storage::{AbortedTransaction, Error, Progress};
use message_model::{Offset, ProducerEpoch, ProducerId, Timestamp};
use record_batch::{BatchHeader, Codec, EndTransaction, Marker};
use sim_disk::SimDisk;

use crate::batches::{run, try_read};
use crate::keyed::{Keyed, RETENTION, compacted, compactor, records_of};
use crate::transactional::{Partition, Snapshot, committed, find_aborted};

const NOW: i64 = 10_000;
/// A producer is forgotten after a day.
const DAY: i64 = 86_400_000;

fn open(disk: &SimDisk) -> Partition {
    Partition::open(disk, compacted(), &Snapshot::default()).unwrap()
}

fn plain(partition: &mut Partition, records: &[Keyed]) {
    partition.data(NOW, None, records, Codec::None).unwrap();
}

/// Appends records of a transaction. Returns where they begin.
fn data(partition: &mut Partition, producer: i64, records: &[Keyed]) -> Offset {
    let seen = partition.data(NOW, Some(producer), records, Codec::Zstd);
    seen.unwrap()[0].offset
}

fn commit(partition: &mut Partition, producer: i64) -> Offset {
    partition.end(NOW, producer, Marker::Commit).unwrap()
}

fn abort(partition: &mut Partition, producer: i64) -> Offset {
    partition.end(NOW, producer, Marker::Abort).unwrap()
}

fn roll(partition: &mut Partition) {
    for _ in 0..3 {
        plain(partition, &[("filler", Some(0)); 8]);
    }
}

/// Makes a pass necessary, and does it.
fn pass(partition: &mut Partition, now: i64) {
    roll(partition);
    partition.snapshot().unwrap();
    assert!(partition.compact(now, 100).unwrap().is_some());
}

/// Key and offset of what is in the log for all to read, but for fillers.
fn raw(partition: &Partition) -> Vec<(String, i64)> {
    let all = try_read(&partition.log.view(), partition.log.log_start()).unwrap();
    let data = all
        .iter()
        .map(|(_, batch)| batch)
        .filter(|batch| !header(batch).is_control());
    let seen = data.flat_map(|batch| records_of(batch));
    let brief = seen.map(|seen| (String::from_utf8(seen.key).unwrap(), seen.offset.0));
    brief.filter(|(key, _)| key != "filler").collect()
}

fn header(batch: &[u8]) -> BatchHeader {
    BatchHeader::read(batch).unwrap()
}

/// The batch at an offset, if there is one.
fn batch_at(partition: &Partition, offset: Offset) -> Option<Vec<u8>> {
    let all = try_read(&partition.log.view(), offset).unwrap().into_iter();
    let mut at = all.filter(|(base, _)| *base == offset);
    let found = at.next().map(|(_, batch)| batch);
    found.filter(|batch| header(batch).producer_id != ProducerId::NONE)
}

fn aborted(partition: &Partition) -> Vec<AbortedTransaction> {
    let view = partition.log.view();
    find_aborted(&view, Offset(0), view.log_end())
        .unwrap()
        .transactions
}

fn index_files(disk: &SimDisk) -> Vec<(String, usize)> {
    let files = disk.files().into_iter();
    let named = files.map(|(path, bytes)| (path.display().to_string(), bytes.len()));
    named.filter(|(path, _)| path.contains("txn")).collect()
}

#[test]
fn an_aborted_record_is_the_newest_of_no_key_and_is_dropped() {
    let disk = SimDisk::new(1);
    let mut partition = open(&disk);
    plain(&mut partition, &[("a", Some(1)), ("b", Some(1))]);
    data(
        &mut partition,
        1,
        &[("a", Some(2)), ("b", None), ("c", Some(1))],
    );
    abort(&mut partition, 1);
    data(&mut partition, 1, &[("d", Some(1)), ("b", Some(2))]);
    commit(&mut partition, 1);
    pass(&mut partition, NOW);
    let expected = [("a", 0), ("d", 6), ("b", 7)].map(|(key, at)| (key.to_owned(), at));
    assert_eq!(raw(&partition), expected);
    let seen = partition.committed(Offset(0)).unwrap();
    let keys: Vec<_> = seen.iter().map(|seen| &seen.key[..]).collect();
    assert_eq!(keys[..3], [b"a", b"d", b"b"]);
}

#[test]
fn a_marker_stays_with_its_data_and_then_for_the_time_of_a_tombstone() {
    for marker in [Marker::Abort, Marker::Commit] {
        let disk = SimDisk::new(1);
        let mut partition = open(&disk);
        data(&mut partition, 1, &[("a", Some(1))]);
        let ended = partition.end(NOW, 1, marker).unwrap();
        let noted = partition.aborted.clone();
        // By it the producer's sequence is known, so nothing stays for that.
        data(&mut partition, 1, &[("a", Some(2))]);
        commit(&mut partition, 1);
        let marker_at = |partition: &Partition| batch_at(partition, ended);
        let before = marker_at(&partition).unwrap();

        let first = NOW + DAY;
        pass(&mut partition, first);
        assert_eq!(raw(&partition).len(), 1, "the data is gone");
        assert_eq!(
            marker_at(&partition),
            Some(before.clone()),
            "{marker:?}: it was there"
        );
        assert_eq!(aborted(&partition), noted);

        let second = first + 10 * RETENTION;
        pass(&mut partition, second);
        let counting = marker_at(&partition).unwrap();
        let horizon = header(&counting).delete_horizon();
        assert_eq!(horizon, Some(Timestamp(second + RETENTION)), "{marker:?}");
        let read = EndTransaction::read(&counting).unwrap();
        assert_eq!((read.marker, read.coordinator_epoch), (marker, 5));
        assert_eq!(header(&counting).newest(), Timestamp(NOW));
        assert_eq!(
            header(&counting).producer_epoch,
            header(&before).producer_epoch
        );
        assert_eq!(aborted(&partition), [], "no record is left to be skipped");

        pass(&mut partition, second + RETENTION - 1);
        assert_eq!(marker_at(&partition), Some(counting), "{marker:?}: not yet");
        pass(&mut partition, second + RETENTION);
        assert_eq!(marker_at(&partition), None, "{marker:?}");
        let reopened = open(&disk.crash());
        assert!(reopened.open.is_empty(), "no transaction is taken for open");
    }
}

#[test]
fn the_markers_of_a_producer_that_goes_on_need_no_day() {
    let disk = SimDisk::new(1);
    let mut partition = open(&disk);
    data(&mut partition, 1, &[("a", Some(1))]);
    let ended = abort(&mut partition, 1);
    for (round, is_there) in (0..).zip([true, true, false]) {
        data(&mut partition, 1, &[("a", Some(2))]);
        commit(&mut partition, 1);
        pass(&mut partition, NOW + round * RETENTION);
        assert_eq!(batch_at(&partition, ended).is_some(), is_there, "{round}");
    }
}

#[test]
fn the_marker_of_data_that_is_left_stays_for_good() {
    for marker in [Marker::Abort, Marker::Commit] {
        let disk = SimDisk::new(1);
        let mut partition = open(&disk);
        data(&mut partition, 1, &[("a", Some(1))]);
        let ended = partition.end(NOW, 1, marker).unwrap();
        for round in 0..5 {
            pass(&mut partition, NOW + 10 * RETENTION * round);
            // Of an aborted one, the batch alone is left: the producer's sequence is known by it.
            let batch = batch_at(&partition, Offset(0)).unwrap();
            let records = header(&batch).record_count;
            assert_eq!(records, i32::from(marker == Marker::Commit));
            assert_eq!(
                header(&batch_at(&partition, ended).unwrap()).delete_horizon(),
                None
            );
            assert_eq!(aborted(&partition), partition.aborted);
        }
        if marker == Marker::Abort {
            for round in 0..4 {
                pass(&mut partition, NOW + DAY + 10 * RETENTION * round);
            }
            assert_eq!(batch_at(&partition, Offset(0)), None, "after a day");
            assert_eq!(batch_at(&partition, ended), None);
            assert_eq!(aborted(&partition), []);
        }
    }
}

#[test]
fn nothing_is_compacted_from_the_first_open_transaction_on() {
    let disk = SimDisk::new(1);
    let mut partition = open(&disk);
    plain(&mut partition, &[("a", Some(1)), ("a", Some(2))]);
    roll(&mut partition);
    let open_from = data(&mut partition, 1, &[("a", Some(3))]);
    plain(&mut partition, &[("a", Some(4)), ("a", Some(5))]);
    roll(&mut partition);
    data(&mut partition, 2, &[("b", Some(1))]);
    abort(&mut partition, 2);
    roll(&mut partition);
    let before = try_read(&partition.log.view(), open_from).unwrap();
    let end = partition.compact(NOW, 100).unwrap().unwrap();
    assert!(end <= open_from, "{end}");
    assert_eq!(raw(&partition)[0], ("a".to_owned(), 1));
    assert_eq!(try_read(&partition.log.view(), open_from).unwrap(), before);
    assert_eq!(
        partition.compact(NOW, 100).unwrap(),
        None,
        "and there it ends"
    );
    commit(&mut partition, 1);
    partition.compact(NOW, 100).unwrap().unwrap();
    let keys: Vec<_> = raw(&partition).into_iter().map(|(key, _)| key).collect();
    assert_eq!(
        keys,
        ["a"],
        "the newest of a, and nothing of what was aborted"
    );
}

#[test]
fn what_ends_a_transaction_may_be_segments_away() {
    for marker in [Marker::Abort, Marker::Commit] {
        let disk = SimDisk::new(1);
        let mut partition = open(&disk);
        plain(&mut partition, &[("a", Some(1))]);
        data(&mut partition, 1, &[("a", Some(2))]);
        roll(&mut partition);
        roll(&mut partition);
        // In the active segment.
        partition.end(NOW, 1, marker).unwrap();
        partition.compact(NOW, 100).unwrap().unwrap();
        let expected = i64::from(marker == Marker::Commit);
        assert_eq!(raw(&partition), [("a".to_owned(), expected)], "{marker:?}");
        assert_eq!(aborted(&partition), partition.aborted);
    }
}

#[test]
fn by_each_producers_last_batch_its_epoch_and_sequence_stay_known() {
    let disk = SimDisk::new(1);
    let mut partition = open(&disk);
    let data_at = data(&mut partition, 1, &[("a", Some(1))]);
    commit(&mut partition, 1);
    let fenced = data(&mut partition, 2, &[("a", Some(2))]);
    let fence = partition
        .end_at(NOW, 2, ProducerEpoch(4), Marker::Abort)
        .unwrap();
    // Its only trace is a marker.
    let alone = partition
        .end_at(NOW, 3, ProducerEpoch(9), Marker::Abort)
        .unwrap();
    plain(&mut partition, &[("a", Some(3))]);
    for round in 0..4 {
        roll(&mut partition);
        // Each pass has the last batches of all in its section once.
        let last = partition
            .compact(NOW + round * 10 * RETENTION, 100)
            .unwrap();
        assert!(last.is_some());
        let kept = header(&batch_at(&partition, data_at).unwrap());
        assert_eq!((kept.record_count, kept.base_sequence), (0, 0));
        let fence = header(&batch_at(&partition, fence).unwrap());
        assert_eq!(fence.producer_epoch, ProducerEpoch(4));
        assert!(batch_at(&partition, alone).is_some());
        assert_eq!(batch_at(&partition, fenced), None, "an older epoch is over");
    }
    for round in 0..4 {
        pass(&mut partition, NOW + DAY + round * 10 * RETENTION);
    }
    for offset in [data_at, fence, alone] {
        assert_eq!(batch_at(&partition, offset), None, "for a day");
    }
}

#[test]
fn segments_that_become_one_have_one_index() {
    let disk = SimDisk::new(1);
    let mut partition = open(&disk);
    for producer in 0..8 {
        data(&mut partition, producer, &[("a", Some(1)), ("b", Some(2))]);
        abort(&mut partition, producer);
        roll(&mut partition);
    }
    let noted = partition.aborted.clone();
    partition.snapshot().unwrap();
    let before = index_files(&disk).len();
    assert!(before > 4);
    partition.compact(NOW, 100).unwrap();
    assert_eq!(index_files(&disk).len(), before);
    pass(&mut partition, NOW);
    assert_eq!(
        aborted(&partition),
        noted,
        "the producers' last batches are there"
    );
    let after = index_files(&disk);
    assert!(after.len() < before / 2 + 1, "{after:?}");
    assert!(after.iter().any(|(_, size)| *size >= 4 * 34), "{after:?}");
    let snapshot = partition.snapshot().unwrap();
    let reopened = Partition::open(&disk.crash(), compacted(), &snapshot).unwrap();
    assert_eq!(aborted(&reopened), noted, "also on disk");
    // A day later nothing is left of them.
    for round in 0..4 {
        pass(&mut partition, NOW + DAY + round * 10 * RETENTION);
    }
    assert_eq!(aborted(&partition), []);
    assert!(index_files(&disk).iter().all(|(_, size)| *size == 0));
}

#[test]
fn a_start_gives_a_segment_its_index_wherever_a_crash_came() {
    let disk = SimDisk::new(1);
    let mut partition = open(&disk);
    for producer in 0..8 {
        data(&mut partition, producer, &[("a", Some(1)), ("b", Some(2))]);
        abort(&mut partition, producer);
        roll(&mut partition);
    }
    partition.snapshot().unwrap();
    partition.compact(NOW, 100).unwrap();
    pass(&mut partition, NOW);
    let snapshot = partition.snapshot().unwrap();
    let files = disk.files().into_iter().map(|(path, _)| path);
    let segments = files.filter(|path| path.extension() == Some("log".as_ref()));
    let next = segments
        .map(|path| path.file_stem().unwrap().to_owned())
        .nth(1);
    let (first, next) = ("0".repeat(20), next.unwrap());
    let path = |name: &str| Path::new("/topic-0").join(name);
    let begun = |suffix: &str| path(&format!("{first}-{}.{suffix}", next.display()));
    // Before and after the index has got its name.
    for renamed in [&["log", "txnindex"][..], &["log"]] {
        let noted = aborted(&Partition::open(&disk, compacted(), &snapshot).unwrap());
        assert_eq!(noted.len(), 8);
        for suffix in renamed {
            let half_done = suffix.replace("log", "swap").replace("index", "swap");
            disk.rename(&path(&format!("{first}.{suffix}")), &begun(&half_done))
                .unwrap();
        }
        // The old segment is still there.
        disk.create(&path(&format!("{first}.log"))).unwrap();
        let reopened = Partition::open(&disk, compacted(), &snapshot).unwrap();
        assert_eq!(aborted(&reopened), noted, "{renamed:?}");
        assert!(
            !index_files(&disk)
                .iter()
                .any(|(path, _)| path.contains("swap"))
        );
    }
}

#[test]
fn readers_of_an_old_view_find_the_old_entries() {
    let disk = SimDisk::new(1);
    let mut partition = open(&disk);
    for producer in 0..4 {
        data(&mut partition, producer, &[("a", Some(1))]);
        abort(&mut partition, producer);
        data(&mut partition, producer, &[("a", Some(2))]);
        commit(&mut partition, producer);
        roll(&mut partition);
    }
    partition.snapshot().unwrap();
    let (old, stable) = (partition.log.view(), partition.stable());
    let noted = partition.aborted.clone();
    let before = committed(&old, Offset(0), stable).unwrap();
    for round in 0..4 {
        pass(&mut partition, NOW + DAY + round * 10 * RETENTION);
    }
    assert_eq!(aborted(&partition), []);
    let found = find_aborted(&old, Offset(0), stable).unwrap();
    assert_eq!(found.transactions, noted);
    assert_eq!(committed(&old, Offset(0), stable).unwrap(), before);
    old.save_aborted().unwrap();
    assert_eq!(aborted(&partition), [], "and what they save harms nobody");
    let reopened = open(&disk.crash());
    assert_eq!(reopened.aborted, []);
}

#[test]
fn a_damaged_index_ends_the_pass_and_nothing_is_changed() {
    let disk = SimDisk::new(1);
    let mut partition = open(&disk);
    plain(&mut partition, &[("a", Some(1)), ("a", Some(2))]);
    data(&mut partition, 1, &[("a", Some(3))]);
    abort(&mut partition, 1);
    roll(&mut partition);
    let snapshot = partition.snapshot().unwrap();
    let path = index_files(&disk)[0].0.clone();
    disk.flip(path.as_ref(), 3);
    let partition = Partition::open(&disk, compacted(), &snapshot).unwrap();
    let before = disk.files();
    let view = partition.log.view();
    let mut find = view.find_dirty(Timestamp(NOW), partition.stable());
    let dirty = run(|| find.step()).unwrap().unwrap();
    let mut compaction = view.compact(compactor(100), dirty).unwrap();
    let error = run(|| compaction.step(Timestamp(NOW))).unwrap_err();
    assert!(matches!(error, Error::Damaged { .. }), "{error}");
    assert_eq!(disk.files(), before);
    let mut find = view.find_dirty(Timestamp(NOW), partition.stable());
    assert_eq!(
        run(|| find.step()).unwrap(),
        None,
        "and it is not tried again"
    );
}

#[test]
fn a_group_that_is_given_up_leaves_no_file() {
    let disk = SimDisk::new(1);
    let mut partition = open(&disk);
    data(&mut partition, 1, &[("a", Some(3))]);
    abort(&mut partition, 1);
    roll(&mut partition);
    partition.snapshot().unwrap();
    let before = index_files(&disk);
    let view = partition.log.view();
    let mut find = view.find_dirty(Timestamp(NOW), partition.stable());
    let dirty = run(|| find.step()).unwrap().unwrap();
    let mut compaction = view.compact(compactor(100), dirty).unwrap();
    let Progress::Rewritten(rewritten) = run(|| compaction.step(Timestamp(NOW))).unwrap() else {
        panic!("the first group comes first");
    };
    assert_eq!(index_files(&disk).len(), before.len() + 1);
    rewritten.discard();
    assert_eq!(index_files(&disk), before);
    let stale = "/topic-0/00000000000000000000-00000000000000000009.txnswap";
    disk.create(stale.as_ref()).unwrap();
    open(&disk);
    assert!(index_files(&disk).iter().all(|(path, _)| path != stale));
}

#[test]
fn a_step_reads_a_bounded_part_of_the_indexes() {
    let disk = SimDisk::new(1);
    let mut config = compacted();
    config.segment_bytes = 4_000_000;
    let mut partition = Partition::open(&disk, config, &Snapshot::default()).unwrap();
    for number in 0..25_000 {
        data(&mut partition, number % 7, &[("a", Some(3))]);
        abort(&mut partition, number % 7);
    }
    partition.snapshot().unwrap();
    let mut find = partition
        .log
        .view()
        .find_dirty(Timestamp(NOW), partition.stable());
    let dirty = run(|| find.step()).unwrap().unwrap();
    let mut compaction = partition.log.view().compact(compactor(100), dirty).unwrap();
    loop {
        let before = disk.counts().bytes_read;
        let progress = compaction.step(Timestamp(NOW)).unwrap();
        let read = disk.counts().bytes_read - before;
        assert!(read < 1_700_000, "{read} bytes");
        match progress {
            None => {}
            Some(Progress::Rewritten(rewritten)) => {
                let replacement = rewritten.commit().unwrap();
                partition.log.replace(&replacement);
                replacement.forget_old();
            }
            Some(Progress::Compacted(_)) => break,
        }
    }
    let left = raw(&partition).into_iter();
    let left = left.filter(|(_, at)| Offset(*at) < dirty.until);
    assert_eq!(left.count(), 0, "but for the active segment, all is gone");
}
