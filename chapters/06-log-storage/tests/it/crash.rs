//! The power fails before every operation of a script, and any subset of what
//! was not synced survives.

use std::path::Path;
use std::sync::Arc;

use disk::Disk;
use log_storage::{Error, Log, LogConfig, SegmentCache};
use message_model::{Offset, Timestamp};
use sim_disk::SimDisk;

use crate::batches::{self, append_batch, batch, delete_old, find, make_room, small, try_read};

/// How many closed segments may wait for a sync: as many as there are; none, so that every
/// roll syncs first; and one, so that some do.
const POOLS: [usize; 3] = [100, 0, 1];

const DIR: &str = "/topic-0";

#[derive(Debug, Clone, Copy)]
enum Step {
    /// A batch of so many records.
    Append(usize),
    Sync,
    SavePoint,
    Retention,
    /// The process ends and starts again; the disk's cache lives on.
    Reopen,
}

use Step::{Append, Reopen, Retention, SavePoint, Sync};

/// Several rolls, every kind of step, and unsynced batches at most times.
const SCRIPT: &[Step] = &[
    Append(3),
    Sync,
    Append(9),
    Append(2),
    SavePoint,
    Append(12),
    Sync,
    SavePoint,
    Append(1),
    Append(7),
    Reopen,
    Append(4),
    Append(8),
    Append(5),
    Append(3),
    Sync,
    SavePoint,
    Append(16),
    Append(9),
    Append(2),
    Append(6),
    Reopen,
    Append(20),
    Sync,
    Retention,
    Append(2),
    Append(11),
    SavePoint,
    Append(3),
    Retention,
    Append(1),
    Sync,
    Append(8),
];

/// What must and may be there.
#[derive(Debug, Clone, Default)]
struct Expected {
    /// How many closed segments may wait for a sync.
    pool: usize,
    /// All that was ever acknowledged and not cut off, and what was being appended.
    batches: Vec<(Offset, Vec<u8>)>,
    /// Everything below was said to be on disk.
    synced: Offset,
    /// Everything below was acknowledged: it survives the end of the process.
    acknowledged: Offset,
    /// The log may start between these two.
    starts: (Offset, Offset),
}

fn config() -> LogConfig {
    let mut config = small();
    config.retention.bytes = Some(2000);
    config
}

fn open_with(disk: &SimDisk, pool: usize) -> Result<Log, Error> {
    if pool == POOLS[0] {
        return Ok(batches::open_with(disk.clone(), DIR, config(), pool)?.log);
    }
    // As the broker makes a new log: with a sync of the directory above, which many may share.
    let cache = SegmentCache::new(2, pool);
    let opened = Log::create(Arc::new(disk.clone()), Path::new(DIR), config(), cache)?;
    let source = disk.sync_dir(Path::new("/"));
    let path = Path::new(DIR).to_owned();
    source.map_err(|source| Error::Io { path, source })?;
    Ok(opened.log)
}

/// Runs the script until a step fails. So many closed segments may wait for a sync.
fn run(disk: &SimDisk, pool: usize) -> (Expected, Result<(), Error>) {
    run_script(disk, SCRIPT, pool)
}

fn run_script(disk: &SimDisk, script: &[Step], pool: usize) -> (Expected, Result<(), Error>) {
    let mut expected = Expected {
        pool,
        ..Expected::default()
    };
    let disk = (disk, pool);
    let result = open_with(disk.0, pool).and_then(|mut log| {
        for (number, step) in script.iter().enumerate() {
            take(disk, &mut log, *step, number, &mut expected)?;
            let unsynced = log.view().unsynced_segments();
            assert!(unsynced <= pool, "{unsynced} of at most {pool} are open");
        }
        Ok(())
    });
    (expected, result)
}

fn take(
    (disk, pool): (&SimDisk, usize),
    log: &mut Log,
    step: Step,
    number: usize,
    expected: &mut Expected,
) -> Result<(), Error> {
    match step {
        Append(count) => {
            let end = log.log_end();
            // Timestamps mostly ascend, and every batch's bytes are its own.
            let first = i64::try_from(number * 100).unwrap();
            let timestamps: Vec<i64> = (0..count).map(|index| first + index as i64 % 5).collect();
            let batch = batch(end.0, &timestamps);
            expected.batches.retain(|(offset, _)| *offset < end);
            expected.batches.push((end, batch.clone()));
            make_room(log, Timestamp(first), &batch, &mut expected.synced)?;
            append_batch(log, Timestamp(first), &batch)?;
            expected.acknowledged = log.log_end();
        }
        Sync => expected.synced = log.view().sync(expected.synced)?,
        SavePoint => log.view().save_recovery_point(expected.synced)?,
        Retention => {
            expected.starts.1 = expected.synced;
            delete_old(log, Timestamp(0), expected.synced)?;
            expected.starts = (log.log_start(), log.log_start());
        }
        Reopen => {
            *log = open_with(disk, pool)?;
            expected.synced = log.log_end();
        }
    }
    Ok(())
}

/// Opens what is left and holds it against what must be there.
fn check(disk: &SimDisk, expected: &Expected, what: &str) {
    let mut log = open_with(disk, expected.pool).unwrap_or_else(|error| panic!("{what}: {error}"));
    let (start, end) = (log.log_start(), log.log_end());
    let (lowest, highest) = expected.starts;
    assert!(
        lowest <= start && start <= highest,
        "{what}: starts at {start}"
    );
    assert!(
        end >= expected.synced,
        "{what}: ends at {end}, synced {}",
        expected.synced
    );
    let found = try_read(&log.view(), start).unwrap_or_else(|why| panic!("{what}: {why}"));
    let all = expected
        .batches
        .iter()
        .filter(|(offset, _)| *offset >= start);
    let prefix: Vec<_> = all.take(found.len()).cloned().collect();
    assert!(
        found == prefix,
        "{what}: what is there is a prefix of what was appended"
    );
    let opened = open_with(&disk.crash(), expected.pool)
        .unwrap_or_else(|error| panic!("{what}, opened: {error}"));
    assert_eq!(opened.log_end(), end, "{what}: what was opened is on disk");
    let next = batch(end.0, &[1_000_000, 5]);
    append_batch(&mut log, Timestamp(0), &next).unwrap();
    assert_eq!(log.view().sync(end).unwrap(), end.plus(2));
    drop(log);
    let log = open_with(&disk.crash(), expected.pool)
        .unwrap_or_else(|error| panic!("{what}, again: {error}"));
    assert_eq!(
        log.log_end(),
        end.plus(2),
        "{what}: what was appended behind it stays"
    );
    let newest = find(&log.view(), 1_000_000).unwrap();
    assert_eq!(newest, Some((Timestamp(1_000_000), end)), "{what}");
}

/// Every pool, with every operation of the whole script and the end.
fn moments() -> impl Iterator<Item = (usize, u64)> {
    POOLS.into_iter().flat_map(|pool| {
        let disk = SimDisk::new(0);
        run(&disk, pool).1.unwrap();
        (0..=disk.operations()).map(move |operation| (pool, operation))
    })
}

#[test]
fn the_script_runs_over_several_segments() {
    let disk = SimDisk::new(0);
    let (expected, result) = run(&disk, POOLS[0]);
    result.unwrap();
    check(&disk, &expected, "without any failure");
    assert!(
        expected.starts.0 > Offset(0),
        "retention has deleted something"
    );
    let segments = disk
        .files()
        .into_iter()
        .filter(|(path, _)| path.extension() == Some("log".as_ref()));
    assert!(segments.count() >= 2);
}

#[test]
fn whatever_a_power_failure_leaves_is_a_prefix_with_all_that_was_synced() {
    for (pool, operation) in moments() {
        let disk = SimDisk::new(operation);
        disk.power_off_at(operation);
        let (expected, _) = run(&disk, pool);
        for survivor in 0..12 {
            let what = format!("pool {pool}, power off at {operation}, survivor {survivor}");
            check(&disk.crash(), &expected, &what);
        }
    }
}

#[test]
fn a_second_power_failure_may_come_while_the_first_is_made_good() {
    for (pool, operation) in moments() {
        let disk = SimDisk::new(operation);
        disk.power_off_at(operation);
        let (expected, _) = run(&disk, pool);
        for second in 0..8 {
            let left = disk.crash();
            left.power_off_at(second);
            let _ = open_with(&left, pool);
            let what =
                format!("pool {pool}, power off at {operation}, then at {second} of opening");
            check(&left.crash(), &expected, &what);
        }
    }
}

#[test]
fn a_killed_process_loses_nothing_that_was_appended() {
    for (pool, operation) in moments() {
        let disk = SimDisk::new(operation);
        disk.power_off_at(operation);
        let (mut expected, _) = run(&disk, pool);
        disk.power_off_at(u64::MAX);
        expected.synced = expected.acknowledged;
        check(
            &disk,
            &expected,
            &format!("pool {pool}, killed at {operation}"),
        );
    }
}

#[test]
fn when_an_operation_fails_the_log_is_as_before_or_offline() {
    for (pool, operation) in moments() {
        let disk = SimDisk::new(operation);
        disk.fail_at(operation);
        let (expected, result) = run(&disk, pool);
        for survivor in 0..6 {
            let what = format!(
                "pool {pool}, operation {operation} fails ({result:?}), survivor {survivor}"
            );
            check(&disk.crash(), &expected, &what);
        }
    }
}

/// Steps as a random number generator says.
fn script(seed: u64) -> Vec<Step> {
    let mut random = fastrand::Rng::with_seed(seed);
    let steps = 8 + random.usize(..40);
    let mut step = || match random.u8(..16) {
        0 | 1 => Sync,
        2 => SavePoint,
        4 => Retention,
        5 => Reopen,
        _ => Append(1 + random.usize(..14)),
    };
    (0..steps).map(|_| step()).collect()
}

#[test]
fn any_script_may_be_interrupted_anywhere() {
    for seed in 0..60 {
        let script = script(seed);
        let disk = SimDisk::new(seed);
        let pool = POOLS[usize::try_from(seed).unwrap() % POOLS.len()];
        run_script(&disk, &script, pool).1.unwrap();
        let operations = disk.operations();
        for crash in 0..6 {
            // Spread over the script, and different from seed to seed.
            let operation = (crash * operations / 6 + seed) % (operations + 1);
            let disk = SimDisk::new(seed);
            if crash % 3 == 0 {
                disk.fail_at(operation);
            } else {
                disk.power_off_at(operation);
            }
            let (mut expected, _) = run_script(&disk, &script, pool);
            let what = format!("script {seed}, operation {operation}");
            for survivor in 0..3 {
                check(
                    &disk.crash(),
                    &expected,
                    &format!("{what}, survivor {survivor}"),
                );
            }
            if crash % 3 == 1 {
                disk.power_off_at(u64::MAX);
                expected.synced = expected.acknowledged;
                check(&disk, &expected, &format!("{what}, killed"));
            }
        }
    }
}
