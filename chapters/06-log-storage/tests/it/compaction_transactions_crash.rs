//! The power fails, or a call does, before every operation of passes over transactions.

use log_storage::Error;
use record_batch::{Codec, Marker};
use sim_disk::SimDisk;

use crate::keyed::{Keyed, compacted};
use crate::transactional::{Partition, Snapshot};
use crate::transactional_model::Model;

const FILLER: &[Keyed] = &[("filler", Some(0)); 7];

/// What a partition had when something failed.
#[derive(Debug, Clone, Default)]
struct Left {
    model: Model,
    saved: Snapshot,
    now: i64,
    /// How many keys less than 100 a pass has room for.
    less: usize,
}

/// One round: data of two transactions and of none over some segments, one committed and one aborted
/// in turn; the second one ends in the next round.
fn round(partition: &mut Partition, left: &mut Left, number: u32) -> Result<(), Error> {
    let now = left.now;
    let model = &mut left.model;
    let (one, other) = (i64::from(number % 2), i64::from((number + 1) % 2));
    let value = |value: u32| Some(number * 10 + value);
    for records in [
        (None, [("a", value(0)), ("b", value(0))]),
        (Some(one), [("a", value(1)), ("c", value(1))]),
        (Some(other), [("b", value(2)), ("d", None)]),
    ] {
        model.data(partition, now, (records.0, &records.1), Codec::Lz4)?;
    }
    model.data(partition, now, (None, FILLER), Codec::None)?;
    let ends = [Marker::Abort, Marker::Commit];
    model.end(partition, now, one, ends[number as usize % 2])?;
    model.data(partition, now, (None, FILLER), Codec::None)?;
    if number % 2 == 1 {
        model.end(partition, now, other, ends[number as usize / 2 % 2])?;
        left.saved = partition.snapshot()?;
    }
    for _ in 0..2 {
        model.data(partition, now, (None, FILLER), Codec::None)?;
    }
    Ok(())
}

fn work(disk: &SimDisk, left: &mut Left) -> Result<(), Error> {
    let mut partition = Partition::open(disk, compacted(), &left.saved)?;
    // Far enough apart for producers to be forgotten now and then.
    for (number, now) in (0..).zip([1_000, 90_000_000, 90_002_000, 180_000_000]) {
        left.now = now;
        round(&mut partition, left, number)?;
        partition.compact(now, 100 - left.less)?;
        left.model = left.model.check(&partition, now, "alive");
    }
    Ok(())
}

/// What a new start finds is right, and stays right through another round and pass.
fn check(disk: &SimDisk, left: &Left, what: &str) {
    let partition = Partition::open(disk, compacted(), &left.saved);
    let mut partition = partition.unwrap_or_else(|error| panic!("{what}: {error}"));
    let mut left = left.clone();
    left.model = left.model.check(&partition, left.now, what);
    let names = disk.files().into_iter().map(|(path, _)| path);
    let half_done = names.filter(|path| {
        let extension = path.extension().unwrap_or_default();
        extension == "cleaned" || extension == "swap" || extension == "txnswap"
    });
    assert_eq!(
        half_done.count(),
        0,
        "{what}: a start leaves nothing half done"
    );
    left.now += 2_000;
    round(&mut partition, &mut left, 1).unwrap();
    let compacted_to = partition.compact(left.now, 100);
    compacted_to.unwrap_or_else(|error| panic!("{what}: {error}"));
    left.model = left.model.check(&partition, left.now, what);
    for snapshot in [&left.saved, &Snapshot::default()] {
        let again = Partition::open(&disk.crash(), compacted(), snapshot);
        let again = again.unwrap_or_else(|error| panic!("{what}, again: {error}"));
        left.model.check(&again, left.now, what);
    }
}

/// With room for two keys a pass ends within a segment, and leaves aborted records behind.
const TWO_KEYS: usize = 98;

fn whole(less: usize) -> u64 {
    let disk = SimDisk::new(0);
    let mut left = Left {
        less,
        ..Left::default()
    };
    work(&disk, &mut left).unwrap();
    check(&disk.crash(), &left, "all of it");
    disk.operations()
}

#[test]
fn the_rounds_replace_indexes() {
    let disk = SimDisk::new(0);
    work(&disk, &mut Left::default()).unwrap();
    let mut swaps = 0;
    let mut is_named = true;
    for operation in (0..disk.operations()).map(|number| disk.operation(number)) {
        if operation.starts_with("Create") && operation.ends_with(".txnswap") {
            is_named = false;
        }
        is_named |= operation.starts_with("SyncDir");
        if operation.starts_with("Rename") && operation.ends_with(".swap") {
            swaps += 1;
            assert!(
                is_named,
                "the name of the index is on disk before {operation}"
            );
        }
    }
    assert!(swaps > 3, "{swaps}");
}

#[test]
fn a_power_failure_leaves_the_old_index_with_the_old_log_or_the_new_one_with_the_new_log() {
    for less in [0, TWO_KEYS] {
        for operation in 0..=whole(less) {
            let disk = SimDisk::new(operation);
            disk.power_off_at(operation);
            let mut left = Left {
                less,
                ..Left::default()
            };
            let _ = work(&disk, &mut left);
            for survivor in 0..2 {
                let what = format!("power off at {operation}, survivor {survivor}, {less} less");
                check(&disk.crash(), &left, &what);
            }
            disk.power_off_at(u64::MAX);
            check(&disk, &left, &format!("killed at {operation}, {less} less"));
        }
    }
}

#[test]
fn a_second_power_failure_may_come_while_the_first_is_made_good() {
    for operation in 0..=whole(TWO_KEYS) {
        let disk = SimDisk::new(operation);
        disk.power_off_at(operation);
        let mut left = Left {
            less: TWO_KEYS,
            ..Left::default()
        };
        let _ = work(&disk, &mut left);
        // All twelve of each, over six operations one behind the other.
        for second in (operation % 6..12).step_by(6) {
            let again = disk.crash();
            again.power_off_at(second);
            let _ = Partition::open(&again, compacted(), &left.saved);
            let what = format!("power off at {operation}, then at {second} of opening");
            check(&again.crash(), &left, &what);
        }
    }
}

#[test]
fn when_an_operation_fails_the_log_goes_on_with_what_it_has() {
    for operation in 0..whole(0) {
        let disk = SimDisk::new(operation);
        let mut left = Left::default();
        let Ok(mut partition) = Partition::open(&disk, compacted(), &left.saved) else {
            continue;
        };
        disk.fail_at(operation);
        for number in 0..4 {
            left.now = i64::from(number) * 50_000_000 + 1_000;
            if round(&mut partition, &mut left, number).is_err() {
                break;
            }
            let result = partition.compact(left.now, 100);
            let what = format!("operation {operation} failed, {result:?}");
            left.model = left.model.check(&partition, left.now, &what);
        }
        check(
            &disk.crash(),
            &left,
            &format!("operation {operation} failed"),
        );
    }
}
