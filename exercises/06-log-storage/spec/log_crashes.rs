//! A log that crashes, is killed, or finds its disk failing or full, at every call.

use message_model::Offset;
use sim_disk::SimDisk;
use spec_harness::{expect, fail};

use super::machine::{Act, Machine, Promises, check, must_fail, new_disk, open};
use super::part::WriteError;

use Act::{Append, Reopen, Roll, Save, Sync};

/// Every kind of call, several rolls, and unsynced batches at most times.
const SCRIPT: &[Act] = &[
    Append(3),
    Sync,
    Append(9),
    Roll,
    Append(2),
    Save,
    Append(7),
    Sync,
    Roll,
    Append(1),
    Roll,
    Append(4),
    Reopen,
    Append(8),
    Sync,
    Save,
    Append(5),
    Roll,
    Append(3),
    Append(6),
    Sync,
    Append(2),
];

/// What a log has promised when `acts` end, or fail.
struct Run {
    disk: SimDisk,
    promises: Promises,
    result: Result<(), WriteError>,
}

/// Runs `acts` on a new log. A failure to create the log at all promises nothing.
fn run(disk: &SimDisk, acts: &[Act]) -> Run {
    let disk = disk.clone();
    match Machine::start(&disk) {
        Ok(mut machine) => {
            let result = machine.run(acts);
            let promises = machine.promises;
            Run {
                disk,
                promises,
                result,
            }
        }
        Err(error) => Run {
            disk,
            promises: Promises::of_nothing(),
            result: Err(error),
        },
    }
}

/// How many operations `acts` take, with those before them.
fn operations(acts: &[Act]) -> u64 {
    let run = run(&new_disk(0), acts);
    if let Err(error) = run.result {
        fail(
            "every call, on a disk that is well",
            "no error",
            &error.to_string(),
        );
    }
    run.disk.operations()
}

/// The number of the first operation that is the log's.
fn first_operation() -> u64 {
    new_disk(0).operations()
}

/// The power fails before each operation.
pub(crate) fn power_failures() {
    for operation in first_operation()..=operations(SCRIPT) {
        let disk = new_disk(operation);
        disk.power_off_at(operation);
        let run = run(&disk, SCRIPT);
        for survivor in 0..10 {
            let what = format!(
                "power off before {}, survivor {survivor}",
                run.disk.operation(operation)
            );
            check(&what, &disk.crash(), &run.promises, run.promises.synced);
        }
    }
}

/// The same for scripts that nobody wrote.
pub(crate) fn power_failures_anywhere() {
    for seed in 0..80 {
        let acts = script(seed);
        let (first, last) = (first_operation(), operations(&acts));
        for crash in 0..5 {
            let operation = first + (crash * 7 + seed) % (last - first + 1);
            let disk = new_disk(seed);
            disk.power_off_at(operation);
            let run = run(&disk, &acts);
            let what = format!(
                "script {seed}, power off before {}",
                run.disk.operation(operation)
            );
            check(&what, &disk.crash(), &run.promises, run.promises.synced);
        }
    }
}

fn script(seed: u64) -> Vec<Act> {
    let mut random = fastrand::Rng::with_seed(seed);
    let mut acts = vec![Append(1)];
    for _ in 0..6 + random.usize(..24) {
        let act = match random.u8(..12) {
            0 | 1 => Sync,
            2 => Save,
            3 => Reopen,
            // An empty segment is not rolled.
            4 | 5 if matches!(acts.last(), Some(Append(_))) => Roll,
            _ => Append(random.i64(1..14)),
        };
        acts.push(act);
    }
    acts
}

/// The power fails again while the log is opened.
pub(crate) fn power_failures_while_opening() {
    for operation in first_operation()..=operations(SCRIPT) {
        let disk = new_disk(operation);
        disk.power_off_at(operation);
        let run = run(&disk, SCRIPT);
        for second in 0..8 {
            let left = disk.crash();
            left.power_off_at(second);
            let _ = open(&left, run.promises.known());
            let what = format!(
                "power off before {}, and again before {}",
                run.disk.operation(operation),
                left.operation(second)
            );
            check(&what, &left.crash(), &run.promises, run.promises.synced);
        }
    }
}

/// The process is killed before each operation; the page cache lives on.
pub(crate) fn kills() {
    for operation in first_operation()..=operations(SCRIPT) {
        let disk = new_disk(operation);
        disk.power_off_at(operation);
        let run = run(&disk, SCRIPT);
        disk.power_off_at(u64::MAX);
        let what = format!("killed before {}", run.disk.operation(operation));
        check(&what, &disk, &run.promises, run.promises.appended);
    }
}

/// Each operation fails once, then the power fails.
pub(crate) fn failures() {
    for operation in first_operation()..operations(SCRIPT) {
        let disk = new_disk(operation);
        disk.fail_at(operation);
        let run = run(&disk, SCRIPT);
        for survivor in 0..6 {
            let what = format!(
                "{} fails, power off, survivor {survivor}",
                run.disk.operation(operation)
            );
            check(&what, &disk.crash(), &run.promises, run.promises.synced);
        }
    }
}

/// Each operation fails once, and the log goes on in the same process if it may.
pub(crate) fn failures_that_it_survives() {
    for operation in first_operation()..operations(SCRIPT) {
        let disk = new_disk(operation);
        let Ok(mut machine) = Machine::start(&disk) else {
            fail("open, on a disk that is well", "a log", "an error");
        };
        disk.fail_at(operation);
        for act in SCRIPT {
            // After a failed append there may be nothing to roll.
            if matches!(act, Roll) && machine.writer.active().size == 0 {
                continue;
            }
            let result = machine.act(*act);
            // After a failed sync a log must be opened again.
            if result.is_err() && matches!(act, Sync | Reopen) {
                break;
            }
        }
        let what = format!(
            "{} fails once, and the log goes on",
            disk.operation(operation)
        );
        let promises = &machine.promises;
        check(&what, &disk.crash(), promises, promises.synced);
        check(
            &format!("{what}, killed"),
            &disk,
            promises,
            promises.appended,
        );
    }
}

/// A sync fails, the broker is started again, and what it acknowledges then is safe.
pub(crate) fn failed_syncs() {
    let acts = [Append(3), Append(1), Roll, Append(2)];
    for seed in 0..60 {
        let disk = new_disk(seed);
        let Ok(mut machine) = Machine::start(&disk) else {
            fail("open, on a disk that is well", "a log", "an error");
        };
        expect("appends work", machine.run(&acts).is_ok());
        // The sync of the first file, of the second, or of the directory.
        disk.fail_at(disk.operations() + seed % 3);
        must_fail(
            "sync_segments, a sync of it fails (a failed sync must not be tried again: \
             the next one finds nothing to write)",
            machine.act(Sync),
        );
        let again = machine.run(&[Reopen, Append(4), Sync]);
        if let Err(error) = again {
            fail(
                "opened after a failed sync",
                "that it works",
                &error.to_string(),
            );
        }
        let what = format!("after a failed sync: opened, 4 records synced, power off; seed {seed}");
        check(&what, &disk.crash(), &machine.promises, Offset(10));
    }
}

/// A write fails and is cut off, and the sync that would make the cut safe fails as well.
pub(crate) fn forgotten_cuts() {
    for seed in 0..60 {
        let disk = new_disk(seed);
        let Ok(mut machine) = Machine::start(&disk) else {
            fail("open, on a disk that is well", "a log", "an error");
        };
        expect(
            "appends work",
            machine.run(&[Append(3), Sync, Append(1)]).is_ok(),
        );
        disk.fail_at(disk.operations());
        must_fail("append, its write fails", machine.act(Append(13)));
        disk.fail_at(disk.operations());
        must_fail("sync_segments, a sync of it fails", machine.act(Sync));
        let again = machine.run(&[Reopen, Append(1), Roll, Append(1), Sync]);
        if let Err(error) = again {
            fail(
                "opened after a failed sync",
                "that it works",
                &error.to_string(),
            );
        }
        let what = format!("a failed write, a failed sync, opened, 2 records synced; seed {seed}");
        check(&what, &disk.crash(), &machine.promises, Offset(6));
    }
}

/// The disk is full after any number of bytes.
pub(crate) fn full_disks() {
    for space in (0..900).step_by(3) {
        let disk = new_disk(space);
        let Ok(mut machine) = Machine::start(&disk) else {
            fail("open, on a disk that is well", "a log", "an error");
        };
        expect("it works", machine.act(Append(2)).is_ok());
        disk.set_space(Some(space));
        for act in [Append(3), Roll, Append(1), Append(4), Sync] {
            // What does not fit fails, and what fits is taken.
            let is_empty = machine.writer.active().size == 0;
            if !(is_empty && matches!(act, Roll)) {
                let _ = machine.act(act);
            }
        }
        let what = format!("room for {space} bytes");
        let promises = machine.promises.clone();
        let appended = promises.appended;
        disk.set_space(None);
        check(&format!("{what}, killed"), &disk, &promises, appended);
        expect(
            "there is room again",
            machine.run(&[Append(1), Sync]).is_ok(),
        );
        check(
            &what,
            &disk.crash(),
            &machine.promises,
            machine.promises.appended,
        );
    }
}

/// More than a read returns is written again when the log is opened after a failed sync.
pub(crate) fn long_rewrites() {
    for seed in 0..4 {
        let disk = new_disk(seed);
        let Ok(mut machine) = Machine::start(&disk) else {
            fail("open, on a disk that is well", "a log", "an error");
        };
        expect("appends work", machine.run(&[Append(1500); 3]).is_ok());
        disk.fail_at(disk.operations());
        must_fail("sync_segments, a sync of it fails", machine.act(Sync));
        disk.limit_reads(10_000);
        if let Err(error) = machine.act(Reopen) {
            let what = "opened after a failed sync, a read returns 10000 bytes at most";
            fail(what, "that it works", &error.to_string());
        }
        disk.limit_reads(usize::MAX);
        let what =
            format!("a failed sync of 3 batches with 100 KB each, opened, power off; seed {seed}");
        check(&what, &disk.crash(), &machine.promises, Offset(4500));
    }
}
