//! Knowing a partition's producers again at a start: from the snapshot, then from the log.

use std::path::Path;

use log_storage::{Error as LogError, Log, LogView, Scan};
use message_model::{Offset, OffsetRange, Timestamp, TopicPartition};
use record_batch::{BatchHeader, EndTransaction};

use super::producer_snapshot;
use super::written::Written;
use crate::error::{Error, io_error};
use crate::producers::{ProducerRules, Producers};
use crate::read_file::read_exact_at;
use crate::services::Services;

/// No marker is larger, in bytes.
const MARKER_SIZE_MAX: usize = 1_024;

/// So many aborted transactions are kept in memory until they are saved.
const ABORTED_UNSAVED_MAX: usize = 100_000;

/// A log whose producers are being made known.
struct Replay<'a> {
    dir: &'a Path,
    now: Timestamp,
    view: LogView,
    written: Written,
    /// The index of aborted transactions has the markers below it.
    indexed: Offset,
    /// How many it has got since it was saved.
    unsaved: usize,
}

/// What a start knows of a partition.
pub(super) struct Replayed {
    pub(super) written: Written,
    /// Where the snapshot began, if there was one.
    pub(super) saved: Option<Offset>,
}

/// Where a replay begins, and with what.
struct Beginning {
    producers: Option<Box<dyn Producers>>,
    saved: Option<Offset>,
    from: Offset,
    /// As in [`Replay`].
    indexed: Offset,
}

/// The log with its producers, if the broker has rules for them: the snapshot in `dir`, and every
/// batch behind it. Blocks for as long as that takes to read; without rules no batch is read.
///
/// Batches that cannot be read are stepped over, for readers of the log cannot read them either.
///
/// # Errors
/// When the disk fails.
pub(super) fn replay(
    services: &Services,
    dir: &Path,
    name: &TopicPartition,
    mut log: Log,
) -> Result<Replayed, Error> {
    let view = log.view();
    let mut beginning = begin(services, dir, name, &view)?;
    match log.keep_aborted_below(beginning.indexed) {
        Err(damaged @ LogError::Damaged { .. }) => {
            tracing::warn!("{damaged}; all of the log is read in its place");
            producer_snapshot::remove(&*services.disk, dir)?;
            beginning = begin(services, dir, name, &view)?;
            log.keep_aborted_below(view.log_start())?;
        }
        kept => kept?,
    }
    let mut replay = Replay {
        dir,
        now: services.clock.wall(),
        view,
        written: Written::new(log, beginning.producers),
        indexed: beginning.indexed,
        unsaved: 0,
    };
    replay.read_log(beginning.from)?;
    Ok(Replayed {
        written: replay.written,
        saved: beginning.saved,
    })
}

fn begin(
    services: &Services,
    dir: &Path,
    name: &TopicPartition,
    view: &LogView,
) -> Result<Beginning, Error> {
    let Some(rules) = &services.producers else {
        // Nothing is read, and what the index has stays.
        return Ok(Beginning {
            producers: None,
            saved: None,
            from: view.log_end(),
            indexed: view.log_end(),
        });
    };
    let disk = &*services.disk;
    let offsets = OffsetRange {
        start: view.log_start(),
        end: view.log_end(),
    };
    let now = services.clock.wall();
    if let Some(snapshot) = producer_snapshot::read(disk, dir, offsets)? {
        if let Some(producers) = restore(&**rules, name, now, &snapshot.pieces) {
            return Ok(Beginning {
                producers: Some(producers),
                saved: Some(snapshot.from),
                from: snapshot.from,
                indexed: snapshot.to,
            });
        }
        producer_snapshot::remove(disk, dir)?;
    }
    Ok(Beginning {
        producers: Some(rules.of_partition(name)),
        saved: None,
        from: view.log_start(),
        indexed: view.log_start(),
    })
}

/// The producers of all pieces; `None` if one cannot be read.
fn restore(
    rules: &dyn ProducerRules,
    name: &TopicPartition,
    now: Timestamp,
    pieces: &[Vec<u8>],
) -> Option<Box<dyn Producers>> {
    let mut producers = rules.of_partition(name);
    for piece in pieces {
        if let Err(error) = producers.restore(now, piece) {
            tracing::warn!("{name}: {error}; all of the log is read in its place");
            return None;
        }
    }
    Some(producers)
}

impl Replay<'_> {
    /// Notes every batch from `from` on, but for those that cannot be read.
    fn read_log(&mut self, from: Offset) -> Result<(), Error> {
        let mut next = from;
        let mut leap = 1;
        while next < self.view.log_end() {
            match self.read_segment(next) {
                Ok(Some(end)) => next = end,
                Ok(None) => break,
                Err(Error::Log(damaged @ LogError::Damaged { offset, .. })) => {
                    tracing::error!("the producers of some batches are not known: {damaged}");
                    // Sooner or later this is behind the next batch that an index names.
                    next = next.max(offset).plus(leap);
                    leap = leap.saturating_mul(2);
                }
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }

    /// Notes the batches from `from` on to the end of their segment. Returns where the last one
    /// ends; `None` if there is none.
    fn read_segment(&mut self, from: Offset) -> Result<Option<Offset>, Error> {
        let mut locate = self.view.scan(from);
        let mut scan = loop {
            if let Some(scan) = locate.step()? {
                break scan;
            }
        };
        let mut end = None;
        while let Some(batch) = scan.next() {
            let (position, header) = batch?;
            if header.range().end > from {
                self.note(&scan, position, &header)?;
                end = Some(header.range().end);
            }
        }
        Ok(end)
    }

    fn note(&mut self, scan: &Scan, position: u32, header: &BatchHeader) -> Result<(), Error> {
        let mut end = None;
        if header.is_control() {
            end = self.read_marker(scan, position, header)?;
            if end.is_none() {
                // Another kind of control batch says nothing about producers.
                return Ok(());
            }
        }
        let at = header.newest().min(self.now);
        let aborted = self.written.note(at, header, end);
        // A piece of a snapshot may be of a moment before a marker that the index has already.
        if let Some(aborted) = aborted.filter(|aborted| aborted.last >= self.indexed) {
            self.written.log.note_aborted(aborted);
            self.unsaved += 1;
        }
        if self.unsaved == ABORTED_UNSAVED_MAX {
            self.written.log.view().save_aborted()?;
            self.unsaved = 0;
        }
        Ok(())
    }

    /// What the marker at `position` says; `None` if it is none.
    fn read_marker(
        &self,
        scan: &Scan,
        position: u32,
        header: &BatchHeader,
    ) -> Result<Option<EndTransaction>, Error> {
        let size = header.size();
        let Ok(length) = u32::try_from(size) else {
            return Ok(None);
        };
        if size > MARKER_SIZE_MAX {
            return Ok(None);
        }
        let range = scan.file_range(position, length);
        let mut batch = vec![0; size];
        let read = read_exact_at(&*range.file, &mut batch, range.position);
        read.map_err(|source| io_error(self.dir, source))?;
        Ok(EndTransaction::read(&batch).ok())
    }
}
