//! The index of aborted transactions: look-ups, files, damage, and what a start makes again.

use std::path::{Path, PathBuf};

use disk::Disk;
use fastrand::Rng;
use log_storage::{AbortedTransaction, Error};
use message_model::{Offset, OffsetRange, ProducerId};
use record_batch::{Codec, Marker};
use sim_disk::SimDisk;

use crate::batches::{run, small};
use crate::keyed::Keyed;
use crate::transactional::{Partition, Snapshot, find_aborted};

const DIR: &str = "/topic-0";
pub(crate) const RECORDS: &[Keyed] = &[("a", Some(1)), ("b", Some(2))];
const ENTRY: usize = 34;

fn open(disk: &SimDisk, snapshot: &Snapshot) -> Partition {
    Partition::open(disk, small(), snapshot).unwrap()
}

fn new(disk: &SimDisk) -> Partition {
    open(disk, &Snapshot::default())
}

fn data(partition: &mut Partition, producer: i64) -> Offset {
    let seen = partition.data(1, Some(producer), RECORDS, Codec::None);
    seen.unwrap()[0].offset
}

fn abort(partition: &mut Partition, producer: i64) -> Offset {
    partition.end(1, producer, Marker::Abort).unwrap()
}

/// Appends records of no transaction until a segment is rolled.
fn roll(partition: &mut Partition) {
    let segments = |disk: &Partition| disk.log.view().size();
    let before = segments(partition);
    while segments(partition) < before + 1_000 {
        partition.data(1, None, RECORDS, Codec::None).unwrap();
    }
}

fn path(base: i64) -> PathBuf {
    Path::new(DIR).join(format!("{base:020}.txnindex"))
}

pub(crate) fn index_files(disk: &SimDisk) -> Vec<(PathBuf, Vec<u8>)> {
    let files = disk.files().into_iter();
    files
        .filter(|(path, _)| path.to_str().unwrap().contains("txn"))
        .collect()
}

/// All that the log has.
pub(crate) fn all(partition: &Partition) -> Vec<AbortedTransaction> {
    let view = partition.log.view();
    let list = find_aborted(&view, Offset(0), view.log_end()).unwrap();
    assert_eq!(list.end, view.log_end());
    list.transactions
}

fn is_damaged<T: std::fmt::Debug>(result: Result<T, Error>, at: &Path) -> bool {
    matches!(result, Err(Error::Damaged { path, .. }) if path == at)
}

/// Random transactions of a few producers, over some segments; saved now and then.
fn random_history(disk: &SimDisk, random: &mut Rng) -> Partition {
    let mut partition = new(disk);
    for _ in 0..random.usize(20..150) {
        let producer = random.i64(0..5);
        match random.u8(0..10) {
            0..5 => drop(data(&mut partition, producer)),
            5..8 => drop(abort(&mut partition, producer)),
            8 => drop(partition.end(1, producer, Marker::Commit).unwrap()),
            _ if random.u8(0..3) == 0 => partition.log.view().save_aborted().unwrap(),
            _ => drop(partition.data(1, None, RECORDS, Codec::None).unwrap()),
        }
    }
    partition
}

#[test]
fn a_look_up_finds_what_overlaps_the_range_wherever_it_is() {
    for seed in 0..40 {
        let mut random = Rng::with_seed(seed);
        let disk = SimDisk::new(seed);
        let mut partition = random_history(&disk, &mut random);
        let noted = partition.aborted.clone();
        if seed % 2 == 0 {
            let snapshot = partition.snapshot().unwrap();
            partition = open(&disk, &snapshot);
            assert_eq!(partition.aborted, [], "nothing is replayed");
        }
        let view = partition.log.view();
        for _ in 0..50 {
            let from = Offset(random.i64(0..view.log_end().0));
            let to = Offset(random.i64(from.0..=view.log_end().0));
            let overlaps = |one: &&AbortedTransaction| one.last >= from && one.first < to;
            let expected = noted.iter().filter(overlaps).filter(|_| from < to);
            let found = find_aborted(&view, from, to).unwrap();
            let expected: Vec<_> = expected.copied().collect();
            assert_eq!(found.transactions, expected, "seed {seed}, {from} to {to}");
            assert_eq!(found.end, to);
            match find_aborted(&view.cached(), from, to) {
                Ok(cached) => assert_eq!(cached, found),
                Err(error) => assert!(error.would_wait(), "{error}"),
            }
        }
        assert!(noted.len() > 2 || seed > 0, "{noted:?}");
    }
}

#[test]
fn an_entry_on_disk_has_34_bytes_in_kafkas_order() {
    let disk = SimDisk::new(1);
    let mut partition = new(&disk);
    data(&mut partition, 0x0102_0304_0506_0708);
    data(&mut partition, 9);
    let first = abort(&mut partition, 0x0102_0304_0506_0708);
    let second = abort(&mut partition, 9);
    assert_eq!((first, second), (Offset(4), Offset(5)));
    assert_eq!(index_files(&disk), [], "in memory");
    partition.log.view().save_aborted().unwrap();
    let mut expected = vec![0, 0, 1, 2, 3, 4, 5, 6, 7, 8];
    for offset in [0_i64, 4, 2] {
        expected.extend_from_slice(&offset.to_be_bytes());
    }
    expected.extend_from_slice(&[0, 0]);
    for number in [9_i64, 2, 5, 6] {
        expected.extend_from_slice(&number.to_be_bytes());
    }
    assert_eq!(index_files(&disk), [(path(0), expected)]);
}

#[test]
fn a_reader_of_what_is_in_memory_waits_for_no_disk_and_others_say_so() {
    let disk = SimDisk::new(1);
    let mut partition = new(&disk);
    data(&mut partition, 1);
    abort(&mut partition, 1);
    partition.log.view().save_aborted().unwrap();
    data(&mut partition, 2);
    let begun = partition.log.log_end();
    data(&mut partition, 3);
    abort(&mut partition, 3);
    let view = partition.log.view().cached();
    let before = disk.counts();
    let found = find_aborted(&view, begun, view.log_end()).unwrap();
    assert_eq!(found.transactions, partition.aborted[1..]);
    assert_eq!(disk.counts(), before);
    let error = find_aborted(&view, Offset(0), view.log_end()).unwrap_err();
    assert!(error.would_wait());
}

#[test]
fn the_index_goes_with_its_segment() {
    let disk = SimDisk::new(1);
    let mut partition = new(&disk);
    let mut firsts = Vec::new();
    for producer in 0..4 {
        firsts.push(data(&mut partition, producer));
        roll(&mut partition);
        abort(&mut partition, producer);
    }
    partition.log.view().save_aborted().unwrap();
    let found = all(&partition);
    assert_eq!(found.len(), 4);
    assert!(found.iter().map(|one| one.first).eq(firsts.iter().copied()));
    let before = index_files(&disk).len();
    assert!(before >= 3, "{before} segments have one");
    // In the middle of the third transaction: its marker is not below the start.
    let start = found[2].first.plus(1);
    let view = partition.log.view();
    view.save_log_start(start).unwrap();
    partition.log.set_log_start(start).remove().unwrap();
    assert_eq!(
        all(&partition),
        found[2..],
        "nothing that ended below the log start"
    );
    assert!(index_files(&disk).len() < before);
    let snapshot = partition.snapshot().unwrap();
    disk.create(&path(77_777)).unwrap();
    let reopened = open(&disk, &snapshot);
    assert_eq!(all(&reopened), found[2..]);
    assert!(
        index_files(&disk)
            .iter()
            .all(|(found, _)| *found != path(77_777)),
        "one whose segment is gone is removed"
    );
}

#[test]
fn without_transactions_there_is_no_file_and_nothing_is_read() {
    let disk = SimDisk::new(1);
    let mut partition = new(&disk);
    for _ in 0..5 {
        roll(&mut partition);
    }
    data(&mut partition, 1);
    partition.end(1, 1, Marker::Commit).unwrap();
    let snapshot = partition.snapshot().unwrap();
    let before = (disk.counts(), disk.operations());
    partition.log.view().save_aborted().unwrap();
    assert_eq!(all(&partition), []);
    assert_eq!((disk.counts(), disk.operations()), before);
    let mut log = crate::batches::open(disk.clone(), DIR, small())
        .unwrap()
        .log;
    let before = (disk.counts(), disk.operations(), disk.queries());
    log.keep_aborted_below(snapshot.offset).unwrap();
    assert_eq!((disk.counts(), disk.operations(), disk.queries()), before);
    assert_eq!(index_files(&disk), []);
}

#[test]
fn a_look_up_ends_where_no_later_marker_can_matter() {
    let disk = SimDisk::new(1);
    let mut partition = new(&disk);
    for producer in 0..20 {
        data(&mut partition, producer);
        abort(&mut partition, producer);
        roll(&mut partition);
    }
    let snapshot = partition.snapshot().unwrap();
    let partition = open(&disk, &snapshot);
    let before = disk.queries();
    let found = find_aborted(&partition.log.view(), Offset(0), Offset(2)).unwrap();
    assert_eq!(found.transactions.len(), 1);
    let first = disk.queries() - before;
    let before = disk.queries();
    let end = partition.log.log_end();
    find_aborted(&partition.log.view(), Offset(0), end).unwrap();
    let all = disk.queries() - before;
    assert!(first * 5 < all, "{first} calls, and {all} for all segments");
}

#[test]
fn a_marker_that_is_noted_twice_has_one_entry() {
    let disk = SimDisk::new(1);
    let mut partition = new(&disk);
    data(&mut partition, 1);
    abort(&mut partition, 1);
    partition.log.note_aborted(partition.aborted[0]);
    partition.log.view().save_aborted().unwrap();
    partition.log.note_aborted(partition.aborted[0]);
    assert_eq!(all(&partition), partition.aborted);
    roll(&mut partition);
    partition.log.note_aborted(partition.aborted[0]);
    assert_eq!(
        all(&partition),
        partition.aborted,
        "also of a closed segment"
    );
}

#[test]
fn a_start_keeps_what_is_below_the_snapshot_and_makes_the_rest_again() {
    let disk = SimDisk::new(1);
    let mut partition = new(&disk);
    let mut snapshots = vec![Snapshot::default()];
    for producer in 0..12 {
        data(&mut partition, producer);
        if producer % 3 == 1 {
            roll(&mut partition);
        }
        abort(&mut partition, producer);
        snapshots.push(partition.snapshot().unwrap());
    }
    let expected = all(&partition);
    let files = index_files(&disk);
    for snapshot in &snapshots {
        let partition = open(&disk, snapshot);
        assert_eq!(all(&partition), expected);
        let known = expected.iter().filter(|one| one.last < snapshot.offset);
        assert_eq!(partition.aborted.len(), expected.len() - known.count());
        partition.log.view().save_aborted().unwrap();
        assert_eq!(index_files(&disk), files);
    }
    // What a snapshot does not cover is not on disk any more, so it cannot be believed later.
    let mut log = crate::batches::open(disk.clone(), DIR, small())
        .unwrap()
        .log;
    log.keep_aborted_below(snapshots[5].offset).unwrap();
    let left: usize = index_files(&disk)
        .iter()
        .map(|(_, bytes)| bytes.len() / ENTRY)
        .sum();
    assert_eq!(left, 5);
}

#[test]
#[should_panic(expected = "up to where an index holds")]
fn an_index_of_which_nobody_said_up_to_where_it_holds_is_not_read() {
    let disk = SimDisk::new(1);
    let mut partition = new(&disk);
    data(&mut partition, 1);
    abort(&mut partition, 1);
    partition.snapshot().unwrap();
    let log = crate::batches::open(disk.clone(), DIR, small())
        .unwrap()
        .log;
    let _ = find_aborted(&log.view(), Offset(0), log.log_end());
}

/// Three entries in a closed segment.
fn three(disk: &SimDisk) -> (Partition, Snapshot) {
    let mut partition = new(disk);
    for producer in [1, 2, 3] {
        data(&mut partition, producer);
        abort(&mut partition, producer);
    }
    roll(&mut partition);
    let snapshot = partition.snapshot().unwrap();
    (partition, snapshot)
}

fn rewrite(disk: &SimDisk, bytes: &[u8]) {
    let file = disk.create(&path(0)).unwrap();
    file.write_all_at(bytes, 0).unwrap();
}

/// Spoils the bytes of an index.
type Change = fn(&mut Vec<u8>);

#[test]
fn a_damaged_index_is_an_error_until_the_log_is_replayed_from_its_start() {
    let changes: [(&str, Change); 11] = [
        ("half an entry", |bytes| bytes.truncate(2 * ENTRY + 5)),
        ("version 1", |bytes| bytes[ENTRY + 1] = 1),
        ("zeros", |bytes| bytes[..ENTRY].fill(0)),
        ("zeros behind", |bytes| bytes.extend([0; ENTRY])),
        ("out of order", |bytes| bytes.rotate_left(ENTRY)),
        ("twice", |bytes| bytes.extend_from_within(2 * ENTRY..)),
        ("behind its marker", |bytes| bytes[10] = 1),
        ("negative", |bytes| bytes[10] = 0xff),
        ("no producer", |bytes| bytes[2] = 0x80),
        ("a marker elsewhere", |bytes| bytes[2 * ENTRY + 18] = 1),
        ("a last stable offset above", |bytes| bytes[26] = 1),
    ];
    for (what, change) in changes {
        let disk = SimDisk::new(1);
        let (partition, snapshot) = three(&disk);
        let expected = all(&partition);
        let mut bytes = index_files(&disk).remove(0).1;
        change(&mut bytes);
        rewrite(&disk, &bytes);

        let partition = open(&disk, &snapshot);
        let view = partition.log.view();
        for _ in 0..2 {
            let found = find_aborted(&view, Offset(0), Offset(1));
            assert!(is_damaged(found, &path(0)), "{what}");
        }
        let behind = find_aborted(&view, view.log_end(), view.log_end());
        assert_eq!(
            behind.unwrap().transactions,
            [],
            "{what}: and nothing else is"
        );

        let in_it = Snapshot {
            offset: expected[2].last,
            ..snapshot
        };
        let opened = Partition::open(&disk, small(), &in_it);
        assert!(
            is_damaged(opened, &path(0)),
            "{what}: also when some of it is kept"
        );
        let mut partition = open(&disk, &Snapshot::default());
        assert_eq!(all(&partition), expected, "{what}: and then it is right");
        let snapshot = partition.snapshot().unwrap();
        assert_eq!(
            all(&open(&disk, &snapshot)),
            expected,
            "{what}: on disk too"
        );
    }
}

#[test]
fn an_index_is_checked_over_all_of_its_pieces() {
    let disk = SimDisk::new(1);
    let mut config = small();
    config.segment_bytes = 4_000_000;
    let mut partition = Partition::open(&disk, config, &Snapshot::default()).unwrap();
    for _ in 0..15_001 {
        partition.data(1, None, RECORDS, Codec::None).unwrap();
    }
    for number in 0..15_001 {
        partition.log.note_aborted(AbortedTransaction {
            producer: ProducerId(number),
            first: Offset(2 * number),
            last: Offset(2 * number + 1),
            last_stable: Offset(2 * number + 2),
        });
    }
    let snapshot = partition.snapshot().unwrap();
    assert!(Partition::open(&disk, config, &snapshot).is_ok());
    // Behind the piece that is read first comes the first entry again.
    let mut bytes = index_files(&disk).remove(0).1;
    bytes.copy_within(..ENTRY, 15_000 * ENTRY);
    rewrite(&disk, &bytes);
    let opened = Partition::open(&disk, config, &snapshot);
    assert!(is_damaged(opened, &path(0)));
}

#[test]
fn too_many_transactions_make_the_range_shorter_and_each_is_found() {
    let disk = SimDisk::new(1);
    let mut config = small();
    config.segment_bytes = 400_000;
    let mut partition = Partition::open(&disk, config, &Snapshot::default()).unwrap();
    // Some that are open all the time, and many that are not.
    for producer in 0..50 {
        data(&mut partition, producer);
    }
    for producer in 100..12_100 {
        data(&mut partition, producer);
        if producer >= 110 {
            abort(&mut partition, producer - 10);
        }
        if producer == 5_000 {
            partition.log.view().save_aborted().unwrap();
        }
    }
    for producer in 0..50 {
        abort(&mut partition, producer);
    }
    let view = partition.log.view();
    let range = OffsetRange {
        start: Offset(40),
        end: view.log_end(),
    };
    let mut find = view.aborted(range);
    let list = run(|| {
        let before = disk.counts().bytes_read;
        let found = find.step()?;
        let read = disk.counts().bytes_read - before;
        assert!(read < 600_000, "{read} bytes in a step");
        Ok(found)
    });
    let list = list.unwrap();
    assert!(
        list.end > range.start && list.end < range.end,
        "{}",
        list.end
    );
    assert_eq!(list.transactions.len(), 10_000);
    let mut next = range.start;
    let mut pieces = 0;
    while next < range.end {
        let list = find_aborted(&view, next, range.end).unwrap();
        let overlaps = |one: &&AbortedTransaction| one.last >= next && one.first < list.end;
        let expected = partition.aborted.iter().filter(overlaps);
        assert!(
            list.transactions.iter().eq(expected),
            "{next} to {}",
            list.end
        );
        next = list.end;
        pieces += 1;
    }
    assert_eq!(pieces, 2);
}

#[test]
fn more_than_a_list_takes_may_be_open_at_its_start() {
    let disk = SimDisk::new(1);
    let mut config = small();
    config.segment_bytes = 4_000_000;
    let mut partition = Partition::open(&disk, config, &Snapshot::default()).unwrap();
    for _ in 0..31_500 {
        partition.data(1, None, RECORDS, Codec::None).unwrap();
    }
    // Each begins with a batch, and they end one by one in the order in which they began.
    for number in 0..21_000 {
        partition.log.note_aborted(AbortedTransaction {
            producer: ProducerId(number),
            first: Offset(2 * number),
            last: Offset(42_000 + number),
            last_stable: match number {
                20_999 => Offset(63_000),
                number => Offset(2 * (number + 1)),
            },
        });
    }
    let view = partition.log.view();
    let start = Offset(2 * 20_500);
    let list = find_aborted(&view, start, view.log_end()).unwrap();
    assert_eq!(list.transactions.len(), 20_501, "those that are open there");
    assert_eq!(list.end, start.plus(2), "and the range is one batch");
    assert_eq!(list.transactions[20_500].producer, ProducerId(20_500));
}
