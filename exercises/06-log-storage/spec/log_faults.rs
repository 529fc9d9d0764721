//! A disk that fails while a log is opened; `task_4` says what each is about.

use std::path::Path;

use message_model::Offset;
use sim_disk::SimDisk;
use spec_harness::{expect, expect_eq};

use super::log_calls::machine;
use super::machine::{Act, DIR, batch, content, known, must_fail, must_open, open};
use super::part::{Known, segment_path};

use Act::{Append, Roll, Sync};

/// A log that is whole and on disk, and ends with 7.
fn whole() -> SimDisk {
    let acts = [Append(2), Append(1), Roll, Append(3), Roll, Append(1), Sync];
    machine(&acts).disk
}

/// A log whose second batch of three is damaged: it ends with 2, and a segment goes.
fn torn() -> SimDisk {
    let disk = machine(&[Append(2), Append(1), Roll, Append(3), Sync]).disk;
    let path = segment_path(Path::new(DIR), Offset(0));
    disk.flip(&path, batch(0, 2).len() * 8 + 520);
    disk
}

pub(crate) fn a_failed_read_is_not_the_end() {
    let disk = whole();
    let first = disk.queries();
    must_open("a disk that is well", &disk, known(0));
    let count = disk.queries() - first;
    for query in 0..count {
        let disk = whole();
        let before = disk.files();
        disk.fail_query_at(first + query);
        let what = format!("open, number {query} of its opens, lists, lengths and reads fails");
        must_fail(&what, open(&disk, known(0)));
        let what = format!("the files are as before, {what}");
        expect(&what, disk.files() == before);
    }
}

pub(crate) fn a_failed_call_fails_the_open() {
    let at = |log_start| Known {
        log_start: Offset(log_start),
        recovery_point: Offset(0),
    };
    for (log, known, end) in [
        ("a batch is damaged", at(0), 2),
        ("the log start is 9", at(9), 9),
    ] {
        let disk = torn();
        let first = disk.operations();
        must_open(log, &disk, known);
        for operation in first..disk.operations() {
            let disk = torn();
            disk.fail_at(operation);
            let result = open(&disk, known);
            let what = format!("{} fails, {log}", disk.operation(operation));
            must_fail(&format!("open, {what}"), result);
            let what = format!("{what}, and the log is opened again");
            let opened = must_open(&what, &disk, known);
            let active = opened.writer.active();
            expect_eq(
                &format!("the log end, {what}"),
                active.end_offset,
                Offset(end),
            );
            content(&what, &disk, &opened);
        }
    }
}
