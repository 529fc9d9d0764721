//! The log writer, call by call; `task_4` says what each is about.

use std::path::Path;

use disk::Disk;
use message_model::Offset;
use record_batch::BatchHeader;
use spec_harness::{expect, expect_eq, fail};

use super::machine::{
    Act, DIR, Machine, batch, content, file_of, known, must_fail, must_open, names, new_disk,
};
use super::part::{Known, WriteError, sync_segments};

use Act::{Append, Reopen, Roll, Save, Sync};

/// A machine that has done `acts`, none of which fails.
pub(crate) fn machine(acts: &[Act]) -> Machine {
    let run = || -> Result<Machine, WriteError> {
        let mut machine = Machine::start(&new_disk(1))?;
        machine.run(acts)?;
        Ok(machine)
    };
    run().unwrap_or_else(|error| {
        fail(
            "a log on a disk that is well",
            "no error",
            &error.to_string(),
        )
    })
}

pub(crate) fn a_new_log_is_one_empty_segment() {
    let disk = new_disk(1);
    let at = Known {
        log_start: Offset(7),
        recovery_point: Offset(0),
    };
    let opened = must_open("an empty directory", &disk, at);
    expect_eq(
        "the names",
        names(&disk),
        vec!["00000000000000000007.log".to_owned()],
    );
    let active = opened.writer.active();
    expect_eq("the log end", active.end_offset, Offset(7));
    expect_eq("sealed segments", opened.sealed.len(), 0);
    expect_eq("what was cut off", opened.truncated, None);
}

pub(crate) fn batches_are_written_one_behind_the_other() {
    let mut machine = machine(&[]);
    let batches = [batch(0, 3), batch(3, 1), batch(4, 2)];
    let mut position = 0;
    for batch in &batches {
        let header = BatchHeader::read(batch).expect("a batch of ours");
        let at = machine.writer.append(batch, &header);
        expect_eq("the position", at.ok(), Some(position));
        position += u32::try_from(batch.len()).expect("it is small");
    }
    let active = machine.writer.active();
    expect_eq("the size", active.size, position);
    expect_eq("the log end", active.end_offset, Offset(6));
    let file = file_of(&machine.disk, Offset(0));
    expect(
        "the file holds the batches, and nothing else",
        file == batches.concat(),
    );
}

pub(crate) fn a_roll_names_the_segment_after_the_next_offset() {
    let mut machine = machine(&[Append(3), Append(1)]);
    let before = machine.writer.active();
    let old = machine
        .writer
        .roll()
        .map(|(segment, file)| (segment, file.path));
    let Ok((old, path)) = old else {
        fail("roll", "the old segment", "an error");
    };
    expect_eq("the old segment", old, before);
    let old_path = Path::new(DIR).join("00000000000000000000.log");
    expect_eq("the old segment's path", path.to_path_buf(), old_path);
    let active = machine.writer.active();
    expect_eq(
        "the new one's base and end",
        (active.base_offset, active.end_offset),
        (Offset(4), Offset(4)),
    );
    expect_eq("the new one's size", active.size, 0);
    let path = Path::new(DIR).join("00000000000000000004.log");
    expect_eq(
        "its path",
        machine.writer.active_file().path.to_path_buf(),
        path,
    );
    expect_eq("append at the roll", machine.act(Append(2)).is_ok(), true);
    expect(
        "the batch is in the new file",
        file_of(&machine.disk, Offset(4)) == batch(4, 2),
    );
}

pub(crate) fn what_was_written_is_found_again() {
    let acts = [
        Append(3),
        Append(1),
        Roll,
        Append(2),
        Roll,
        Append(4),
        Append(1),
        Sync,
    ];
    let machine = machine(&acts);
    let opened = must_open("nothing happened to it", &machine.disk, known(0));
    let bases: Vec<Offset> = opened.sealed.iter().map(|one| one.base_offset).collect();
    expect_eq("the sealed segments", bases, vec![Offset(0), Offset(4)]);
    expect_eq(
        "the active one",
        opened.writer.active(),
        machine.writer.active(),
    );
    expect_eq("what was cut off", &opened.truncated, &None);
    let found = content("nothing happened to it", &machine.disk, &opened);
    expect_eq("the batches", found.0.len(), 5);
    // Not 20 digits: it is no segment.
    let other = machine.disk.create(&Path::new(DIR).join("7.log"));
    expect("a file can be created", other.is_ok());
    let again = must_open("a file 7.log beside it", &machine.disk, known(0));
    expect_eq("sealed segments beside 7.log", again.sealed, opened.sealed);
    let is_there = names(&machine.disk).contains(&"7.log".to_owned());
    expect("7.log is still there", is_there);
}

pub(crate) fn a_batch_may_be_larger_than_a_window() {
    let machine = machine(&[Append(1), Append(3000), Append(1), Sync]);
    let what = "a batch of 200 KB between two small ones";
    let opened = must_open(what, &machine.disk, known(0));
    expect_eq(
        "the log end",
        opened.writer.active().end_offset,
        Offset(3002),
    );
    let found = content(what, &machine.disk, &opened);
    expect_eq("the batches", found.0.len(), 3);
}

pub(crate) fn a_batch_may_be_larger_than_a_mebibyte() {
    let large = batch(1, 15_000).len();
    assert!(large > 1 << 20, "{large} bytes");
    let machine = machine(&[Append(1), Append(15_000), Append(1), Sync]);
    let what = format!("a batch of {large} bytes between two small ones");
    let opened = must_open(&what, &machine.disk, known(0));
    let end = opened.writer.active().end_offset;
    expect_eq(&format!("the log end, {what}"), end, Offset(15_002));
}

pub(crate) fn offsets_may_have_gaps() {
    let mut machine = machine(&[Append(2)]);
    let next = batch(5, 3);
    let header = BatchHeader::read(&next).expect("a batch of ours");
    let what = "a batch 5..8 behind the log end 2";
    let appended = machine.writer.append(&next, &header);
    expect(&format!("append works, {what}"), appended.is_ok());
    let active = machine.writer.active();
    expect_eq(
        &format!("the log end, {what}"),
        active.end_offset,
        Offset(8),
    );
    let opened = must_open(what, &machine.disk, known(0));
    expect_eq("the active segment, opened", opened.writer.active(), active);
}

pub(crate) fn an_append_is_one_write_and_a_roll_one_new_file() {
    let mut machine = machine(&[Append(3)]);
    let before = machine.disk.counts();
    let operations = machine.disk.operations();
    expect(
        "they work",
        machine
            .run(&[Append(1), Append(2), Roll, Append(5)])
            .is_ok(),
    );
    let after = machine.disk.counts();
    expect_eq("writes for 3 batches", after.writes - before.writes, 3);
    expect_eq("syncs", after.syncs - before.syncs, 0);
    expect_eq(
        "syncs of the directory",
        after.directory_syncs - before.directory_syncs,
        0,
    );
    expect_eq("reads", after.reads - before.reads, 0);
    expect_eq(
        "operations with the roll's create",
        machine.disk.operations() - operations,
        4,
    );
}

pub(crate) fn a_sync_covers_every_file_once() {
    let mut machine = machine(&[Append(3), Sync, Append(1)]);
    let before = machine.disk.counts();
    expect("it works", machine.act(Sync).is_ok());
    let between = machine.disk.counts();
    expect_eq("syncs of one file", between.syncs - before.syncs, 1);
    let dirs = between.directory_syncs - before.directory_syncs;
    expect_eq("syncs of the directory, nothing is new", dirs, 0);
    expect(
        "it works",
        machine
            .run(&[Roll, Append(1), Roll, Append(1), Sync])
            .is_ok(),
    );
    let after = machine.disk.counts();
    expect_eq("syncs of three files", after.syncs - between.syncs, 3);
    let dirs = after.directory_syncs - between.directory_syncs;
    expect_eq("syncs of the directory, two are new", dirs, 1);
    // Two files, and both names are on disk already.
    let Ok((_, old)) = machine.writer.roll() else {
        fail("roll", "the old segment", "an error");
    };
    let files = [old, machine.writer.active_file().clone()];
    let synced = sync_segments(&machine.disk, Path::new(DIR), &files, false);
    expect("it works", synced.is_ok());
    let syncs = machine.disk.counts().syncs - after.syncs;
    expect_eq("syncs of two files, none is new", syncs, 2);
}

pub(crate) fn a_failed_write_leaves_nothing() {
    for seed in 0..40 {
        let mut machine = Machine::start(&new_disk(seed))
            .unwrap_or_else(|error| fail("a new log", "no error", &error.to_string()));
        expect("it works", machine.act(Append(2)).is_ok());
        let before = machine.writer.active();
        machine.disk.fail_at(machine.disk.operations());
        must_fail("append, its write fails", machine.act(Append(3)));
        expect_eq("the active segment", machine.writer.active(), before);
        let length = file_of(&machine.disk, Offset(0)).len();
        expect_eq("the length of its file", length, before.size as usize);
        expect(
            "it goes on",
            machine.run(&[Roll, Append(1), Sync, Reopen]).is_ok(),
        );
        expect_eq("the log end", machine.writer.active().end_offset, Offset(3));
    }
}

pub(crate) fn a_write_that_cannot_be_cut_off_takes_the_log_offline() {
    let mut machine = machine(&[Append(2)]);
    machine.disk.power_off_at(machine.disk.operations());
    let header = |batch: &[u8]| BatchHeader::read(batch).expect("a batch of ours");
    let next = batch(2, 1);
    must_fail(
        "append, its write fails",
        machine.writer.append(&next, &header(&next)),
    );
    machine.disk.power_off_at(u64::MAX);
    let append = machine.writer.append(&next, &header(&next)).map(|_| ());
    expect_offline("an append after that", append);
    expect_offline("a roll after that", machine.writer.roll().map(|_| ()));
}

fn expect_offline(what: &str, got: Result<(), WriteError>) {
    match got {
        Err(WriteError::Offline) => {}
        Err(other) => fail(what, "Offline", &other.to_string()),
        Ok(()) => fail(what, "Offline", "it is done"),
    }
}

pub(crate) fn a_failed_roll_leaves_the_old_segment() {
    let mut machine = machine(&[Append(2)]);
    let before = machine.writer.active();
    machine.disk.fail_at(machine.disk.operations());
    must_fail("roll, its create fails", machine.act(Roll));
    expect_eq("the active segment", machine.writer.active(), before);
    expect(
        "it goes on",
        machine.run(&[Append(1), Sync, Save, Reopen]).is_ok(),
    );
    expect_eq("the log end", machine.writer.active().end_offset, Offset(3));
}
