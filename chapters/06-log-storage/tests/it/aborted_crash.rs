//! The index of aborted transactions when the power fails, or a call does.

use log_storage::{AbortedTransaction, Error};
use message_model::Offset;
use record_batch::{Codec, Marker};
use sim_disk::SimDisk;

use crate::aborted::{RECORDS, all, index_files};
use crate::batches::small;
use crate::transactional::{Partition, Snapshot};

/// Transactions, rolls and saves until something fails; the last snapshot, and what was noted.
fn work(disk: &SimDisk, saved: &mut Snapshot) -> Result<(), Error> {
    let mut partition = Partition::open(disk, small(), saved)?;
    for round in 0..4 {
        for producer in 0..3 {
            partition.data(1, Some(producer), RECORDS, Codec::None)?;
        }
        for _ in 0..round {
            partition.data(1, None, RECORDS, Codec::None)?;
        }
        partition.end(1, round % 3, Marker::Abort)?;
        partition.data(1, None, RECORDS, Codec::None)?;
        *saved = partition.snapshot()?;
        partition.end(1, (round + 1) % 3, Marker::Abort)?;
        partition.end(1, (round + 2) % 3, Marker::Commit)?;
        if round == 2 {
            partition.log.view().save_aborted()?;
        }
    }
    Ok(())
}

/// A start from the snapshot and one without find the same.
fn check(disk: &SimDisk, saved: &Snapshot, what: &str) {
    let from_start = Partition::open(&disk.crash(), small(), &Snapshot::default());
    let partition = Partition::open(disk, small(), saved);
    let partition = partition.unwrap_or_else(|error| panic!("{what}: {error}"));
    assert!(partition.log.log_end() >= saved.offset, "{what}");
    // The crash may leave another tail to each.
    let end = match from_start {
        Ok(other) => {
            let end = saved.offset;
            let below = |all: Vec<AbortedTransaction>| {
                let below = all.into_iter().filter(|one| one.last < end);
                below.collect::<Vec<_>>()
            };
            assert_eq!(below(all(&partition)), below(other.aborted), "{what}");
            end
        }
        Err(error) => panic!("{what}: {error}"),
    };
    let mut again = partition;
    let found = all(&again);
    assert!(
        found.iter().all(|one| one.last < again.log.log_end()),
        "{what}"
    );
    again.replay(&Snapshot::default()).unwrap();
    assert_eq!(
        found, again.aborted,
        "{what}, from {end}: as a replay of all finds"
    );
}

#[test]
fn whenever_the_power_fails_a_start_finds_all_of_them_and_no_other() {
    let disk = SimDisk::new(0);
    work(&disk, &mut Snapshot::default()).unwrap();
    let operations = disk.operations();
    assert!(index_files(&disk).len() > 1);
    for operation in 0..=operations {
        let disk = SimDisk::new(operation);
        disk.power_off_at(operation);
        let mut saved = Snapshot::default();
        let _ = work(&disk, &mut saved);
        for survivor in 0..4 {
            let what = format!("power off at {operation}, survivor {survivor}");
            let left = disk.crash();
            check(&left, &saved, &what);
            // A second start, from an older snapshot or from none, after one more crash.
            check(&left.crash(), &Snapshot::default(), &what);
        }
    }
}

#[test]
fn a_save_that_fails_loses_nothing() {
    let disk = SimDisk::new(0);
    work(&disk, &mut Snapshot::default()).unwrap();
    for operation in 0..disk.operations() {
        let disk = SimDisk::new(operation);
        disk.spoil_at_failed_syncs();
        let mut partition = Partition::open(&disk, small(), &Snapshot::default()).unwrap();
        disk.fail_at(operation + disk.operations());
        let mut saved = Snapshot::default();
        for round in 0..4 {
            for producer in 0..3 {
                let _ = partition.data(1, Some(producer), RECORDS, Codec::None);
            }
            let _ = partition.end(1, round % 3, Marker::Abort);
            let _ = partition.data(1, None, RECORDS, Codec::None);
            let aborted = partition.log.view().save_aborted();
            if aborted.is_ok() && partition.log.view().sync(Offset(0)).is_err() {
                break;
            }
            let what = format!("operation {operation} failed, round {round}");
            assert_eq!(all(&partition), partition.aborted, "{what}");
            match partition.snapshot() {
                Ok(snapshot) => saved = snapshot,
                Err(_) => break,
            }
        }
        check(
            &disk.crash(),
            &saved,
            &format!("operation {operation} failed"),
        );
    }
}
