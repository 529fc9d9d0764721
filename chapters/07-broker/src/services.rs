//! What all partitions and handlers of a broker work with.

use std::io;
use std::sync::Arc;

use async_model::{Clock, Driver, Lane, Pool};
use bytes::Bytes;
use disk::Disk;
use log_storage::{Compactor, SegmentCache};
use message_model::{Moment, TopicPartition};
use networking::FileRange;
use record_batch::Opening;

use crate::part::Waits;
use crate::producers::ProducerRules;
use crate::serving::pieces_as_served;

/// How many threads each kind of blocking work has.
#[derive(Debug, Clone, Copy)]
pub struct LaneWidths {
    /// Syncs; each partition has at most one at a time.
    pub syncs: usize,
    /// Reads of what is not in memory.
    pub reads: usize,
    /// Creations of segment files.
    pub rolls: usize,
    /// Topics, retention, recovery points.
    pub administration: usize,
    /// Openings of compressed batches, each of which takes memory.
    pub openings: usize,
}

/// Where work that waits for the disk runs: a lane for each kind, so that one
/// kind cannot hold up another, and each lane fair between its keys.
#[derive(Debug)]
pub struct Lanes {
    pub(crate) syncs: Lane<Arc<TopicPartition>>,
    pub(crate) reads: Lane<Arc<TopicPartition>>,
    pub(crate) rolls: Lane<Arc<TopicPartition>>,
    /// By topic, or by the name of a file of the data directory.
    pub(crate) administration: Lane<String>,
    pub(crate) openings: Lane<Arc<TopicPartition>>,
    /// By the address of the segment that an answer is sent from.
    cold_chunks: Lane<usize>,
}

/// The one object through which later chapters replace a mechanism: the disk,
/// where blocking work runs, the cache of segments, the waits.
#[derive(Debug)]
pub struct Services {
    /// Where topics are kept.
    pub disk: Arc<dyn Disk>,
    /// Both clocks.
    pub clock: Clock,
    /// Where blocking work runs.
    pub lanes: Lanes,
    /// The sealed segments that are ready to be read, of all partitions.
    pub segments: SegmentCache,
    /// Fetches that wait for records; they end when the broker stops.
    pub fetches: Waits,
    /// How compressed batches are opened; `None`: they stay closed, and are believed.
    pub opening: Option<Opening>,
    /// Acknowledgements that wait for a sync, also while the broker stops.
    pub acknowledgements: Waits,
    /// How compacted topics are compacted; `None`: not at all.
    pub compactor: Option<Compactor>,
    /// The rules for producers; `None`: every batch is appended.
    pub producers: Option<Arc<dyn ProducerRules>>,
    driver: Arc<Driver>,
}

impl Services {
    /// Services on `disk`, with nothing to do yet.
    #[must_use]
    pub fn new(
        disk: Arc<dyn Disk>,
        clock: Clock,
        widths: LaneWidths,
        segments: SegmentCache,
        opening: Option<Opening>,
    ) -> Services {
        let driver = Arc::new(Driver::new(clock));
        let waits = || {
            let driver = Arc::clone(&driver);
            Waits::new(move |deadline| driver.note(deadline))
        };
        Services {
            disk,
            clock,
            lanes: Lanes::new(widths),
            segments,
            opening,
            fetches: waits(),
            acknowledgements: waits(),
            compactor: None,
            producers: None,
            driver,
        }
    }

    /// All bytes of `range`, on the lane for reads.
    ///
    /// # Errors
    /// As the disk says; [`io::ErrorKind::UnexpectedEof`] if there are fewer.
    pub async fn read(&self, range: FileRange) -> io::Result<Bytes> {
        let length = range.length as usize;
        let bytes = self.read_cold(range).await?;
        match bytes.len() == length {
            true => Ok(bytes),
            false => Err(io::ErrorKind::UnexpectedEof.into()),
        }
    }

    /// Some bytes from the start of `range`, which are not in memory.
    ///
    /// # Errors
    /// As the disk says.
    pub(crate) async fn read_cold(&self, range: FileRange) -> io::Result<Bytes> {
        let segment = Arc::as_ptr(&range.file).cast::<()>() as usize;
        once(&self.lanes.cold_chunks, segment, move || {
            let mut bytes = vec![0; range.length as usize];
            let count = range.file.read_at(&mut bytes, range.position)?;
            bytes.truncate(count);
            Ok(bytes.into())
        })
        .await
    }

    /// Ends every wait whose time has passed, for ever; the broker runs it as a task.
    pub async fn expire_waits(&self) {
        let expire = |now: Moment| {
            let next = [self.fetches.expire(now), self.acknowledgements.expire(now)];
            next.into_iter().flatten().min()
        };
        self.driver.drive(expire).await;
    }
}

impl Lanes {
    /// Lanes without work.
    #[must_use]
    pub fn new(widths: LaneWidths) -> Lanes {
        Lanes {
            syncs: Lane::new(widths.syncs),
            reads: Lane::new(widths.reads),
            rolls: Lane::new(widths.rolls),
            administration: Lane::new(widths.administration),
            openings: Lane::new(widths.openings),
            cold_chunks: Lane::new(widths.reads),
        }
    }

    /// The same on another pool than tokio's.
    #[must_use]
    pub fn on(widths: LaneWidths, pool: &Pool) -> Lanes {
        Lanes {
            syncs: Lane::on(widths.syncs, pool.clone()),
            reads: Lane::on(widths.reads, pool.clone()),
            rolls: Lane::on(widths.rolls, pool.clone()),
            administration: Lane::on(widths.administration, pool.clone()),
            openings: Lane::on(widths.openings, pool.clone()),
            cold_chunks: Lane::on(widths.reads, pool.clone()),
        }
    }
}

/// The result of `work`, which waits for the disk, as one piece on `lane`.
pub(crate) async fn once<K, T>(
    lane: &Lane<K>,
    key: K,
    work: impl FnOnce() -> T + Send + 'static,
) -> T
where
    K: Ord + Clone + Send + 'static,
    T: Send + 'static,
{
    let mut work = Some(work);
    in_pieces(lane, key, move || work.take().map(|work| work())).await
}

/// The result of a job in pieces: `piece` is called until it returns one.
pub(crate) async fn in_pieces<K, T>(
    lane: &Lane<K>,
    key: K,
    piece: impl FnMut() -> Option<T> + Send + 'static,
) -> T
where
    K: Ord + Clone + Send + 'static,
    T: Send + 'static,
{
    lane.run(key, pieces_as_served(piece)).await
}
