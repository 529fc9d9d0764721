//! The file from which a start knows a partition's producers without reading the log.
//!
//! # On disk
//! `producers` in the partition's directory: the CRC-32C of all that follows `u32` |
//! version `i16`, 0 | from `i64` | to `i64` | pieces, each its length `u32` and its bytes.
//! It is replaced as a whole.
//!
//! A piece says how some producers were at an offset between *from* and *to*. So the log is read
//! again from *from* on, and a log that ends below *to* is not the one that the file is about.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use disk::Disk;
use message_model::{Moment, Offset, OffsetRange};
use wire_protocol::{Malformed, Reader};

use super::{Partition, written};
use crate::error::{Error, io_error};
use crate::read_file::read_file;

const FILE: &str = "producers";
const VERSION: i16 = 0;

/// A partition without producers has no file unless a start would have to read so many
/// bytes of batches to see that there are none.
const NOTED_MAX: u64 = 1024 * 1024;

/// What is known about producers, as it was while the log grew from one end to another.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct ProducerSnapshot {
    /// Every batch below it is in the pieces.
    pub(super) from: Offset,
    /// No batch from here on is.
    pub(super) to: Offset,
    pub(super) pieces: Vec<Vec<u8>>,
    /// How many bytes of batches had been noted since the start of the broker.
    noted: u64,
}

/// What was saved, and what is to be; held by the one who saves.
#[derive(Debug)]
pub(super) struct Saving {
    dir: PathBuf,
    /// Where a start would begin to read the log; `None`: at its start.
    saved: Option<Offset>,
    /// How many bytes of batches had been noted by then.
    noted: u64,
    /// A snapshot that waits until the log is on disk as far as it goes.
    pending: Option<ProducerSnapshot>,
}

impl Saving {
    pub(super) fn new(dir: &Path, saved: Option<Offset>) -> Saving {
        Saving {
            dir: dir.to_owned(),
            saved,
            noted: 0,
            pending: None,
        }
    }

    /// Where the oldest snapshot begins that is on disk or waits.
    fn oldest(&self) -> Option<Offset> {
        let pending = self.pending.as_ref().map(|pending| pending.from);
        self.saved.into_iter().chain(pending).min()
    }

    /// The newest snapshot of which all is on disk. One that is not waits for the next
    /// time, unless an older one waits already: that one's turn is nearer.
    fn next(
        &mut self,
        fresh: Option<ProducerSnapshot>,
        durable: Offset,
    ) -> Option<ProducerSnapshot> {
        match fresh {
            Some(fresh) if fresh.to <= durable => {
                self.pending = None;
                Some(fresh)
            }
            fresh => {
                let ready = self.pending.take_if(|pending| pending.to <= durable);
                if self.pending.is_none() {
                    self.pending = fresh;
                }
                ready
            }
        }
    }
}

impl Partition {
    /// Saves what is known about producers, as far as the log is on disk, so that the next
    /// start reads less of it. Appends go on meanwhile.
    ///
    /// # Errors
    /// When the partition is offline, or the disk says no.
    // ANCHOR: save_producers
    pub(crate) async fn save_producers(&self) -> Result<(), Error> {
        if self.services.producers.is_none() {
            return Ok(());
        }
        let mut saving = self.saving.lock().await;
        if self.snapshot_is_useless.load(Ordering::Relaxed) {
            let (disk, dir) = (self.services.disk.clone(), saving.dir.clone());
            return self.turn(move || remove(&*disk, &dir)).await?;
        }
        let fresh = self.take_snapshot(&saving).await?;
        let durable = self.ends()?.durable;
        if let Some(snapshot) = saving.next(fresh, durable) {
            self.save(&mut saving, snapshot).await?;
        }
        self.online(|online| online.oldest_snapshot = saving.oldest())
    }
    // ANCHOR_END: save_producers

    /// Saves what is known about producers, unless a snapshot from `log_start` on is there: what
    /// is below it will be deleted, and no start finds it in the log any more. Waits
    /// until the log is on disk.
    ///
    /// # Errors
    /// As [`Partition::save_producers`].
    pub(super) async fn save_producers_before(
        self: &Arc<Self>,
        log_start: Offset,
    ) -> Result<(), Error> {
        if self.services.producers.is_none() {
            return Ok(());
        }
        let mut saving = self.saving.lock().await;
        let is_there = saving.saved.is_some_and(|saved| saved >= log_start);
        if is_there || self.snapshot_is_useless.load(Ordering::Relaxed) {
            return Ok(());
        }
        if let Some(snapshot) = self.take_snapshot(&saving).await? {
            let deadline = Moment::after_start(Duration::MAX);
            self.durable(snapshot.to, deadline).await?;
            saving.pending = None;
            self.save(&mut saving, snapshot).await?;
        }
        self.online(|online| online.oldest_snapshot = saving.oldest())
    }

    /// Puts a snapshot on disk of which all else is there.
    async fn save(&self, saving: &mut Saving, snapshot: ProducerSnapshot) -> Result<(), Error> {
        let (disk, path) = (self.services.disk.clone(), saving.dir.join(FILE));
        let view = self.online(|online| online.view().clone())?;
        let (from, noted) = (snapshot.from, snapshot.noted);
        let save = move || {
            // A start with the snapshot does not find in the log what transactions that were
            // aborted below it have left.
            view.save_aborted()?;
            let replaced = disk::replace(&*disk, &path, &snapshot.encode());
            replaced.map_err(|source| io_error(&path, source))
        };
        self.turn(save).await??;
        saving.saved = Some(from);
        saving.noted = noted;
        Ok(())
    }

    /// What is known about producers, in pieces between which others append; `None` if
    /// nothing was appended since the last one was saved, or it is not worth a file.
    async fn take_snapshot(&self, saving: &Saving) -> Result<Option<ProducerSnapshot>, Error> {
        let mut snapshot: Option<ProducerSnapshot> = None;
        let mut after = None;
        loop {
            let mut writer = self.writer().await;
            let written = written(&mut writer)?;
            let Some(producers) = &written.producers else {
                return Ok(None);
            };
            let end = written.log.log_end();
            if snapshot.is_none() {
                if saving.saved.unwrap_or(written.log.log_start()) >= end {
                    return Ok(None);
                }
                self.online(|online| {
                    online.oldest_snapshot.get_or_insert(end);
                })?;
            }
            let snapshot = snapshot.get_or_insert(ProducerSnapshot {
                from: end,
                to: end,
                pieces: Vec::new(),
                noted: written.noted,
            });
            snapshot.to = end;
            match producers.snapshot(after) {
                Some(piece) => {
                    after = Some(piece.last);
                    snapshot.pieces.push(piece.bytes);
                }
                None => break,
            }
        }
        let is_worth_it = |one: &ProducerSnapshot| {
            !one.pieces.is_empty() || one.noted - saving.noted >= NOTED_MAX
        };
        Ok(snapshot.filter(is_worth_it))
    }
}

impl ProducerSnapshot {
    fn encode(&self) -> Vec<u8> {
        let mut bytes = vec![0; 4];
        bytes.extend_from_slice(&VERSION.to_be_bytes());
        bytes.extend_from_slice(&self.from.0.to_be_bytes());
        bytes.extend_from_slice(&self.to.0.to_be_bytes());
        for piece in &self.pieces {
            let length = u32::try_from(piece.len()).expect("a piece has few producers");
            bytes.extend_from_slice(&length.to_be_bytes());
            bytes.extend_from_slice(piece);
        }
        let crc = crc32c::crc32c(&bytes[4..]);
        bytes[..4].copy_from_slice(&crc.to_be_bytes());
        bytes
    }

    /// `None` if the bytes are not all that was saved.
    fn decode(bytes: &[u8]) -> Option<ProducerSnapshot> {
        let mut reader = Reader::new(bytes);
        let crc = reader.u32().ok()?;
        if crc != crc32c::crc32c(&bytes[4..]) || reader.i16().ok()? != VERSION {
            return None;
        }
        read_behind_version(&mut reader).ok()
    }
}

fn read_behind_version(reader: &mut Reader<'_>) -> Result<ProducerSnapshot, Malformed> {
    let (from, to) = (Offset(reader.i64()?), Offset(reader.i64()?));
    let mut pieces = Vec::new();
    while reader.remaining() > 0 {
        let length = usize::try_from(reader.u32()?).map_err(|_| Malformed::NegativeLength)?;
        pieces.push(reader.take(length)?.to_vec());
    }
    Ok(ProducerSnapshot {
        from,
        to,
        pieces,
        noted: 0,
    })
}

/// The snapshot in `dir` of a log with these offsets; `None` if there is none that can be
/// used. Blocks.
///
/// One that cannot be used is removed for good:
/// - The log will grow past one that is ahead of it, and is another one.
/// - One that begins below the log start may have transactions as open whose ends are deleted.
/// - While the log is read in its place, the index of aborted transactions is made again, and
///   does not have what the snapshot relies on.
///
/// # Errors
/// When it cannot be removed.
pub(super) fn read(
    disk: &dyn Disk,
    dir: &Path,
    log: OffsetRange,
) -> Result<Option<ProducerSnapshot>, Error> {
    let path = dir.join(FILE);
    let snapshot = match read_file(disk, &path) {
        Ok(None) => return Ok(None),
        Ok(Some(bytes)) => ProducerSnapshot::decode(&bytes),
        Err(error) => {
            tracing::warn!("{error}");
            None
        }
    };
    let usable = snapshot.filter(|one| log.start <= one.from && one.to <= log.end);
    if usable.is_none() {
        let path = path.display();
        tracing::warn!("{path} cannot be used; all of the log is read in its place");
        remove(disk, dir)?;
    }
    Ok(usable)
}

/// Removes the file for good, if there is one.
///
/// # Errors
/// As the disk says.
pub(super) fn remove(disk: &dyn Disk, dir: &Path) -> Result<(), Error> {
    let path = dir.join(FILE);
    let removed = match disk.remove(&path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        Err(error) => Err(error),
        Ok(()) => disk.sync_dir(dir),
    };
    removed.map_err(|source| io_error(&path, source))
}
