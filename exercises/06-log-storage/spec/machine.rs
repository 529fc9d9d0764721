//! A log writer on a simulated disk, and what must be left of the log.

use std::fmt;
use std::path::Path;
use std::sync::Arc;

use disk::ReadAt;
use message_model::{LeaderEpoch, Offset, Timestamp};
use record_batch::{BatchBuilder, BatchHeader, RecordToSend, assign_offsets};
use sim_disk::SimDisk;
use spec_harness::fail;

use super::part::{
    Known, LogWriter, OpenedWriter, Segment, SegmentFile, WriteError, segment_path, sync_segments,
};

/// The directory of the log.
pub(crate) const DIR: &str = "/log";

/// Something that is done to a log.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Act {
    /// A batch of so many records.
    Append(i64),
    Roll,
    Sync,
    /// Saves how far the log is on disk, as its recovery point.
    Save,
    /// The process is killed and starts again. What is in the page cache stays.
    Reopen,
}

/// A log that is being written, and what is known of it.
pub(crate) struct Machine {
    pub(crate) disk: SimDisk,
    pub(crate) writer: LogWriter,
    /// Files that were rolled and not synced since.
    rolled: Vec<SegmentFile>,
    /// Whether a segment was created since the last sync.
    created: bool,
    pub(crate) promises: Promises,
}

/// What must and what may be found when the log is opened again.
#[derive(Debug, Clone)]
pub(crate) struct Promises {
    pub(crate) log_start: Offset,
    /// Offset and bytes of every batch that was appended, and of the one that was being appended.
    pub(crate) batches: Vec<(Offset, Vec<u8>)>,
    /// Everything below it was appended.
    pub(crate) appended: Offset,
    /// Everything below it was synced.
    pub(crate) synced: Offset,
    /// The saved recovery point.
    pub(crate) saved: Offset,
}

/// What is in a log: the first offset and the length of each batch.
#[derive(PartialEq, Eq)]
pub(crate) struct Content(pub(crate) Vec<(Offset, Vec<u8>)>);

impl fmt::Debug for Content {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} batches", self.0.len())?;
        for (offset, bytes) in &self.0 {
            write!(f, ", {offset} ({} bytes)", bytes.len())?;
        }
        Ok(())
    }
}

/// A batch of `count` records that begins with `offset`; a few of them fill a sector.
pub(crate) fn batch(offset: i64, count: i64) -> Vec<u8> {
    let mut builder = BatchBuilder::new();
    for index in 0..count {
        let value = format!("{offset}+{index} {}", "-".repeat(64));
        builder.push(&RecordToSend {
            timestamp: Timestamp(1_000_000 + index),
            key: None,
            value: Some(value.as_bytes()),
            headers: vec![],
        });
    }
    let mut batch = builder.build();
    assign_offsets(&mut batch, Offset(offset), LeaderEpoch::FIRST);
    batch
}

/// A new disk with an empty directory for a log.
pub(crate) fn new_disk(seed: u64) -> SimDisk {
    use disk::Disk;
    let disk = SimDisk::new(seed);
    disk.create_dir_all(Path::new(DIR))
        .and_then(|()| disk.sync_dir(Path::new("/")))
        .expect("the simulated disk is well");
    disk
}

/// Opens the log; what was visited does not matter.
pub(crate) fn open(disk: &SimDisk, known: Known) -> Result<OpenedWriter, WriteError> {
    LogWriter::open(
        Arc::new(disk.clone()),
        Path::new(DIR),
        known,
        &mut |_, _, _| {},
    )
}

/// Opens a log that must open.
pub(crate) fn must_open(what: &str, disk: &SimDisk, known: Known) -> OpenedWriter {
    match open(disk, known) {
        Ok(opened) => opened,
        Err(error) => fail(&format!("open, {what}"), "a log", &error.to_string()),
    }
}

/// Checks that a call on a disk that fails has said so.
pub(crate) fn must_fail<T>(what: &str, result: Result<T, WriteError>) {
    if result.is_ok() {
        fail(what, "Err", "Ok");
    }
}

/// What is known of a log that starts at 0.
pub(crate) fn known(recovery_point: i64) -> Known {
    Known {
        log_start: Offset(0),
        recovery_point: Offset(recovery_point),
    }
}

impl Machine {
    /// A new log that starts at 0.
    pub(crate) fn start(disk: &SimDisk) -> Result<Machine, WriteError> {
        Machine::open(disk, Promises::of_nothing())
    }

    /// A log that was there before.
    pub(crate) fn open(disk: &SimDisk, promises: Promises) -> Result<Machine, WriteError> {
        Ok(Machine {
            disk: disk.clone(),
            writer: open(disk, promises.known())?.writer,
            rolled: Vec::new(),
            created: false,
            promises,
        })
    }

    /// Does one thing after the other.
    pub(crate) fn run(&mut self, acts: &[Act]) -> Result<(), WriteError> {
        acts.iter().try_for_each(|act| self.act(*act))
    }

    pub(crate) fn act(&mut self, act: Act) -> Result<(), WriteError> {
        match act {
            Act::Append(count) => {
                let end = self.writer.active().end_offset;
                let batch = batch(end.0, count);
                self.promises.batches.retain(|(offset, _)| *offset < end);
                self.promises.batches.push((end, batch.clone()));
                let header = BatchHeader::read(&batch).expect("a batch of ours");
                self.writer.append(&batch, &header)?;
                self.promises.appended = header.range().end;
            }
            Act::Roll => {
                let (_, file) = self.writer.roll()?;
                self.rolled.push(file);
                self.created = true;
            }
            Act::Sync => {
                let mut files = self.rolled.clone();
                files.push(self.writer.active_file().clone());
                sync_segments(&self.disk, Path::new(DIR), &files, self.created)?;
                self.rolled.clear();
                self.created = false;
                self.promises.synced = self.promises.appended;
            }
            Act::Save => self.promises.saved = self.promises.synced,
            Act::Reopen => {
                let mut promises = self.promises.clone();
                // What was opened is on disk.
                let opened = Machine::open(&self.disk, promises.clone())?;
                promises.synced = opened.writer.active().end_offset;
                promises.appended = promises.synced;
                *self = Machine { promises, ..opened };
            }
        }
        Ok(())
    }
}

impl Promises {
    /// Of a new log that starts at 0.
    pub(crate) fn of_nothing() -> Promises {
        Promises {
            log_start: Offset(0),
            batches: Vec::new(),
            appended: Offset(0),
            synced: Offset(0),
            saved: Offset(0),
        }
    }

    pub(crate) fn known(&self) -> Known {
        Known {
            log_start: self.log_start,
            recovery_point: self.saved,
        }
    }
}

/// All batches of an opened log, as their bytes are in the segments.
///
/// Fails the case when a segment does not begin where the one before ends, or
/// holds something that is no batch.
pub(crate) fn content(what: &str, disk: &SimDisk, opened: &OpenedWriter) -> Content {
    let mut segments: Vec<Segment> = opened.sealed.clone();
    segments.push(opened.writer.active());
    let mut batches = Vec::new();
    let mut end = segments[0].base_offset;
    for segment in segments {
        if segment.base_offset != end {
            let what = format!("where the segment behind offset {end} begins, {what}");
            fail(&what, &end.to_string(), &segment.base_offset.to_string());
        }
        let bytes = file_of(disk, segment.base_offset);
        let size = segment.size as usize;
        if bytes.len() != size {
            let what = format!("the length of the segment at {end}, {what}");
            fail(&what, &size.to_string(), &bytes.len().to_string());
        }
        for batch in record_batch::Batches::new(&bytes) {
            let Ok((header, bytes)) = batch else {
                let what = format!("what is behind offset {end}, {what}");
                fail(&what, "a whole batch", "something else");
            };
            batches.push((header.base_offset, bytes.to_vec()));
            end = header.range().end;
        }
        if end != segment.end_offset {
            let what = format!("where the segment at {} ends, {what}", segment.base_offset);
            fail(&what, &end.to_string(), &segment.end_offset.to_string());
        }
    }
    Content(batches)
}

/// The bytes of the segment that begins with `base_offset`, as its readers see them.
pub(crate) fn file_of(disk: &SimDisk, base_offset: Offset) -> Vec<u8> {
    use disk::Disk;
    let path = segment_path(Path::new(DIR), base_offset);
    let Ok(file) = disk.open(&path) else {
        fail(
            "the files of the log",
            &format!("{}", path.display()),
            "none of that name",
        );
    };
    let length = file.length().expect("the simulated disk is well");
    let mut bytes = vec![0; usize::try_from(length).expect("it is in memory")];
    let file: Arc<dyn ReadAt> = file.reader();
    let read = file.read_at(&mut bytes, 0);
    assert_eq!(read.expect("the simulated disk is well"), bytes.len());
    bytes
}

/// The names in the log's directory.
pub(crate) fn names(disk: &SimDisk) -> Vec<String> {
    use disk::Disk;
    disk.list(Path::new(DIR))
        .expect("the simulated disk is well")
}

/// Opens what is left on `disk`, and holds it against what was promised: a prefix
/// of the batches with everything below `at_least`. Then goes on writing, and
/// crashes again.
pub(crate) fn check(what: &str, disk: &SimDisk, promises: &Promises, at_least: Offset) {
    let opened = must_open(what, disk, promises.known());
    let found = content(what, disk, &opened);
    let end = opened.writer.active().end_offset;
    if end < at_least {
        let what = format!("the log end, {what}");
        fail(&what, &format!("{at_least} or more"), &end.to_string());
    }
    let prefix = promises.batches.iter().take(found.0.len()).cloned();
    let prefix = Content(prefix.collect());
    if found != prefix {
        let what = format!("the log, {what}");
        fail(&what, &format!("{prefix:?}"), &format!("{found:?}"));
    }
    // Whatever was opened is on disk, with no sync since.
    let what = format!("{what}; opened, and the power fails");
    let left = disk.crash();
    let again = must_open(&what, &left, promises.known());
    let still = content(&what, &left, &again);
    if still != found {
        fail(&what, &format!("{found:?}"), &format!("{still:?}"));
    }
    go_on(&what, &left, promises, &found);
}

/// Appends behind `found`, syncs, and lets the power fail: all of it is there.
fn go_on(what: &str, disk: &SimDisk, promises: &Promises, found: &Content) {
    let what = format!("{what}; opened again, appended, synced, and the power fails");
    let mut promises = promises.clone();
    promises.batches.truncate(found.0.len());
    let go_on = || -> Result<Vec<(Offset, Vec<u8>)>, WriteError> {
        let mut machine = Machine::open(disk, promises.clone())?;
        machine.run(&[Act::Append(2), Act::Sync])?;
        Ok(machine.promises.batches)
    };
    let expected = match go_on() {
        Ok(batches) => Content(batches),
        Err(error) => fail(&what, "that it works", &error.to_string()),
    };
    let left = disk.crash();
    let opened = must_open(&what, &left, promises.known());
    let got = content(&what, &left, &opened);
    if got != expected {
        fail(&what, &format!("{expected:?}"), &format!("{got:?}"));
    }
}
