//! What is on disk before what, when a log is opened; `task_4` says what each is about.

use std::path::{Path, PathBuf};

use message_model::Offset;
use sim_disk::SimDisk;
use spec_harness::{expect, expect_eq};

use super::log_calls::machine;
use super::machine::{Act, DIR, batch, known, must_open, open};
use super::part::{Known, segment_path};

use Act::{Append, Roll, Sync};

fn lengths(disk: &SimDisk) -> Vec<(PathBuf, usize)> {
    let files = disk.files().into_iter();
    files.map(|(path, bytes)| (path, bytes.len())).collect()
}

pub(crate) fn what_was_cut_off_stays_cut_off() {
    let disk = machine(&[Append(2), Append(9), Append(9), Roll, Append(1), Sync]).disk;
    let path = segment_path(Path::new(DIR), Offset(0));
    disk.flip(&path, batch(0, 2).len() * 8 + 520);
    must_open("the second batch is damaged", &disk, known(0));
    for survivor in 0..20 {
        let left = disk.crash();
        let what = format!("opened, and the power fails, survivor {survivor}");
        expect_eq(
            &format!("files and lengths, {what}"),
            lengths(&left),
            lengths(&disk),
        );
        let what = format!("the files have the same bytes, {what}");
        expect(&what, left.files() == disk.files());
    }
}

pub(crate) fn old_segments_go_when_the_new_one_is_on_disk() {
    let acts = [Append(3), Roll, Append(2), Append(1), Sync];
    let at = Known {
        log_start: Offset(9),
        recovery_point: Offset(5),
    };
    let first = machine(&acts).disk.operations();
    for operation in first..first + 8 {
        let disk = machine(&acts).disk;
        disk.power_off_at(operation);
        let _ = open(&disk, at);
        for survivor in 0..20 {
            let left = disk.crash();
            let what = format!(
                "segments 0..3 and 3..6, log start 9, power off before {} of the open, survivor {survivor}",
                disk.operation(operation)
            );
            let opened = must_open(&what, &left, at);
            let end = opened.writer.active().end_offset;
            expect_eq(&format!("the log end, {what}"), end, Offset(9));
        }
    }
}
