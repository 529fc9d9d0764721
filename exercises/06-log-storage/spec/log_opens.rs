//! Opening a log that something has happened to; `task_4` says what each is about.

use std::path::Path;
use std::sync::Arc;

use disk::Disk;
use message_model::Offset;
use spec_harness::{expect, expect_eq, fail};

use super::log_calls::machine;
use super::machine::{Act, DIR, batch, content, known, must_open, names, new_disk, open};
use super::part::{Known, LogWriter, WriteError, segment_path};

use Act::{Append, Roll, Sync};

pub(crate) fn opening_visits_the_batches_that_it_walks() {
    let acts = [Append(3), Roll, Append(1), Append(2), Sync];
    let machine = machine(&acts);
    let mut visited = Vec::new();
    let opened = LogWriter::open(
        Arc::new(machine.disk.clone()),
        Path::new(DIR),
        known(0),
        &mut |base, position, header| visited.push((base, position, header.base_offset)),
    );
    expect("it opens", opened.is_ok());
    let first = u32::try_from(batch(3, 1).len()).expect("it is small");
    let expected = vec![
        (Offset(0), 0, Offset(0)),
        (Offset(3), 0, Offset(3)),
        (Offset(3), first, Offset(4)),
    ];
    expect_eq("the visits", visited, expected);
}

pub(crate) fn a_torn_tail_is_cut_off() {
    let acts = [Append(2), Roll, Append(3), Append(1), Sync];
    let whole = machine(&acts);
    let (first, all) = (batch(2, 3).len() as u64, whole.writer.active().size);
    for length in 0..u64::from(all) {
        let disk = machine(&acts).disk;
        let file = disk.open(&whole.writer.active_file().path);
        let cut = file.and_then(|file| file.set_len(length));
        cut.expect("the simulated disk is well");
        let what = format!("the last segment cut to {length} of {all} bytes");
        let opened = must_open(&what, &disk, known(0));
        let left = if length < first { 0 } else { first };
        let active = opened.writer.active();
        expect_eq(&format!("its size, {what}"), u64::from(active.size), left);
        let truncated = opened.truncated.as_ref().map(|one| one.bytes);
        let torn = (length > left).then_some(length - left);
        expect_eq(&format!("how much was cut off, {what}"), truncated, torn);
        content(&what, &disk, &opened);
    }
}

pub(crate) fn the_log_ends_at_the_first_hole() {
    let acts = [
        Append(2),
        Roll,
        Append(3),
        Roll,
        Append(1),
        Roll,
        Append(2),
        Sync,
    ];
    for lost in [Offset(2), Offset(5)] {
        let whole = machine(&acts);
        let path = segment_path(Path::new(DIR), lost);
        whole.disk.remove(&path).expect("it is there");
        let what = format!("the segment at {lost} is lost");
        let opened = must_open(&what, &whole.disk, known(0));
        let active = opened.writer.active();
        expect_eq(&format!("the log end, {what}"), active.end_offset, lost);
        let segments = opened.truncated.as_ref().map(|one| one.segments);
        let behind = if lost == Offset(2) { 2 } else { 1 };
        expect_eq(
            &format!("segments that were removed, {what}"),
            segments,
            Some(behind),
        );
        content(&what, &whole.disk, &opened);
        let left = opened.sealed.len() + 1;
        expect_eq(
            &format!("files that are left, {what}"),
            names(&whole.disk).len(),
            left,
        );
    }
}

pub(crate) fn a_torn_segment_ends_the_log_although_others_follow() {
    let acts = [Append(2), Append(1), Roll, Append(3), Sync];
    let whole = machine(&acts);
    let path = segment_path(Path::new(DIR), Offset(0));
    whole.disk.flip(&path, batch(0, 2).len() * 8 + 520);
    let what = "a bit of the second of three batches is flipped";
    let opened = must_open(what, &whole.disk, known(0));
    expect_eq("the log end", opened.writer.active().end_offset, Offset(2));
    expect_eq(
        "the files",
        names(&whole.disk),
        vec!["00000000000000000000.log".to_owned()],
    );
    content(what, &whole.disk, &opened);
}

pub(crate) fn below_the_recovery_point_nothing_is_cut() {
    let acts = [Append(2), Append(3), Roll, Append(1), Append(1), Sync];
    let last = batch(5, 1).len() * 8;
    let flips = [(Offset(5), 520), (Offset(5), last + 520)];
    // Nothing is below log start 0, a segment is below 5, and the whole log is below 9.
    let cases = [0, 5, 9].map(|log_start| flips.map(|flip| (log_start, flip)));
    for (log_start, (base, bit)) in cases.concat() {
        let disk = machine(&acts).disk;
        disk.flip(&segment_path(Path::new(DIR), base), bit);
        let before = disk.files();
        let at = Known {
            log_start: Offset(log_start),
            recovery_point: Offset(7),
        };
        let what = format!(
            "open, bit {bit} of the segment at {base} flipped, recovery point 7, log start {log_start}"
        );
        match open(&disk, at) {
            Err(WriteError::Damaged { .. }) => {}
            Err(other) => fail(&what, "Damaged", &other.to_string()),
            Ok(opened) => {
                let end = opened.writer.active().end_offset;
                fail(&what, "Damaged", &format!("a log that ends at {end}"));
            }
        }
        let what = format!("the files are as before, {what}");
        expect(&what, disk.files() == before);
    }
    let disk = new_disk(1);
    let lost = matches!(open(&disk, known(7)), Err(WriteError::Damaged { .. }));
    expect(
        "a directory without segments and recovery point 7 is damaged",
        lost,
    );
}

pub(crate) fn the_recovery_point_is_the_end_of_a_batch() {
    let whole = machine(&[Append(2), Append(3), Append(1), Sync]);
    let path = segment_path(Path::new(DIR), Offset(0));
    // The base offset of the second batch: 2 becomes 3, 3..6 lies across 5.
    whole.disk.flip(&path, (batch(0, 2).len() + 7) * 8);
    match open(&whole.disk, known(5)) {
        Err(WriteError::Damaged { offset, .. }) => expect_eq("damaged at", offset, Offset(2)),
        Err(other) => fail("open", "Damaged", &other.to_string()),
        Ok(_) => fail("open", "Damaged", "a log"),
    }
}

pub(crate) fn a_segment_below_the_recovery_point_is_not_read() {
    let acts = [Append(9), Append(9), Roll, Append(9), Roll, Append(1), Sync];
    for (recovery_point, writes) in [(28, 0), (27, 1)] {
        let whole = machine(&acts);
        let size = u64::from(whole.writer.active().size);
        let before = whole.disk.counts();
        let what = format!("the last segment is 27..28, recovery point {recovery_point}");
        let opened = must_open(&what, &whole.disk, known(recovery_point));
        let after = whole.disk.counts();
        let end = opened.writer.active().end_offset;
        expect_eq(&format!("the log end, {what}"), end, Offset(28));
        let read = after.bytes_read - before.bytes_read;
        let few = format!("{read} bytes are read, of a last segment of {size}, {what}");
        expect(&few, read <= 2 * size);
        let written = after.writes - before.writes;
        expect_eq(&format!("writes, {what}"), written, writes);
        let due = "of the last file: a cut of it may be in the page cache alone";
        let syncs = after.syncs - before.syncs;
        expect_eq(&format!("syncs, {due}; {what}"), syncs, 1);
    }
}

pub(crate) fn small_batches_are_read_together() {
    let mut acts = vec![Append(1); 300];
    acts.push(Sync);
    let whole = machine(&acts);
    let before = whole.disk.counts();
    let opened = must_open("300 small batches", &whole.disk, known(0));
    let after = whole.disk.counts();
    let active = opened.writer.active();
    expect_eq("the log end", active.end_offset, Offset(300));
    let reads = after.reads - before.reads;
    let what = format!(
        "a segment of {} bytes takes at most 10 reads ({reads})",
        active.size
    );
    expect(&what, reads <= 10);
    let read = after.bytes_read - before.bytes_read;
    let what = format!("to walk it and to write it again reads it twice ({read} bytes)");
    expect(&what, read <= 2 * u64::from(active.size));
}

pub(crate) fn segments_below_the_log_start_go() {
    let acts = [Append(2), Roll, Append(3), Roll, Append(1), Sync];
    for (log_start, bases) in [
        (1, vec![0, 2, 5]),
        (2, vec![2, 5]),
        (4, vec![2, 5]),
        (5, vec![5]),
        (6, vec![5]),
    ] {
        let whole = machine(&acts);
        let at = Known {
            log_start: Offset(log_start),
            recovery_point: Offset(6),
        };
        let what = format!("log start {log_start}");
        let opened = must_open(&what, &whole.disk, at);
        let sealed = opened.sealed.iter().map(|one| one.base_offset.0);
        let left: Vec<i64> = sealed
            .chain([opened.writer.active().base_offset.0])
            .collect();
        expect_eq(&format!("the segments, {what}"), left, bases);
        content(&what, &whole.disk, &opened);
    }
}

pub(crate) fn a_log_that_ends_below_its_start_begins_again_there() {
    let whole = machine(&[Append(2), Roll, Append(1), Sync]);
    let at = Known {
        log_start: Offset(9),
        recovery_point: Offset(2),
    };
    let opened = must_open("log start 9, log end 3", &whole.disk, at);
    expect_eq("the log end", opened.writer.active().end_offset, Offset(9));
    expect_eq(
        "the files",
        names(&whole.disk),
        vec!["00000000000000000009.log".to_owned()],
    );
}

pub(crate) fn what_follows_a_torn_tail_is_not_part_of_the_log() {
    let whole = machine(&[Append(2), Roll, Append(1), Sync]);
    let path = segment_path(Path::new(DIR), Offset(0));
    let file = whole.disk.open(&path).expect("it is there");
    let end = batch(0, 2).len() as u64;
    let written = file.write_all_at(b"half a batch", end);
    written.expect("the simulated disk is well");
    let what = "half a batch behind 0..2, and the next segment begins with 2";
    let opened = must_open(what, &whole.disk, known(0));
    let active = opened.writer.active();
    expect_eq(
        &format!("the last segment, {what}"),
        active.base_offset,
        Offset(0),
    );
    expect_eq(
        &format!("files that are left, {what}"),
        names(&whole.disk).len(),
        1,
    );
    content(what, &whole.disk, &opened);
}

pub(crate) fn segments_that_overlap_are_a_hole_too() {
    let whole = machine(&[Append(3), Roll, Append(2), Sync]);
    let path = segment_path(Path::new(DIR), Offset(0));
    let file = whole.disk.open(&path).expect("it is there");
    let more = file.write_all_at(&batch(3, 1), batch(0, 3).len() as u64);
    more.expect("the simulated disk is well");
    let what = "the first segment is 0..4, the next one is 3..5";
    let opened = must_open(what, &whole.disk, known(0));
    let end = opened.writer.active().end_offset;
    expect_eq(&format!("the log end, {what}"), end, Offset(4));
    content(what, &whole.disk, &opened);
}

pub(crate) fn the_log_begins_with_its_first_segment() {
    let whole = machine(&[Append(2), Roll, Append(3), Roll, Append(1), Sync]);
    let path = segment_path(Path::new(DIR), Offset(0));
    whole.disk.remove(&path).expect("it is there");
    for recovery_point in [0, 1, 5] {
        let what = format!("log start 0, first segment 2, recovery point {recovery_point}");
        let opened = must_open(&what, &whole.disk, known(recovery_point));
        let bases: Vec<Offset> = opened.sealed.iter().map(|one| one.base_offset).collect();
        expect_eq(&format!("sealed, {what}"), bases, vec![Offset(2)]);
        let end = opened.writer.active().end_offset;
        expect_eq(&format!("the log end, {what}"), end, Offset(6));
    }
}

pub(crate) fn a_damaged_length_is_not_believed() {
    let whole = machine(&[Append(2), Append(3), Sync]);
    let path = segment_path(Path::new(DIR), Offset(0));
    // The length is at byte 8, highest byte first: this adds 64 MiB to it.
    whole.disk.flip(&path, (batch(0, 2).len() + 8) * 8 + 2);
    let what = "the second batch says that it has 64 MiB more than the file";
    let opened = must_open(what, &whole.disk, known(0));
    let end = opened.writer.active().end_offset;
    expect_eq(&format!("the log end, {what}"), end, Offset(2));
    let largest = whole.disk.counts().largest_read;
    let few = format!("no read asks for more than 1 MiB (one asks for {largest} bytes), {what}");
    expect(&few, largest <= 1 << 20);
}
