//! Where records come from, to which place a source can go back.

use std::future::pending;

use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::error::{Cause, Error};
use crate::exchange::BATCH;
use crate::input::{Event, Input};
use crate::operator_id::OperatorId;
use crate::snapshot::{Opening, Snapshot, Subtask};

/// A source of records that can be read again from a position.
pub trait Source: Send + 'static {
    /// What it has.
    type Item: Send + 'static;
    /// Reads it in one subtask.
    type Reader: Reader<Item = Self::Item>;

    /// How many subtasks can read it, if so many are wanted.
    fn parallelism(&self, wanted: usize) -> usize;

    /// Begins to read the partitions of a subtask: where `positions` says, and else at the
    /// start. The positions are those of all partitions.
    ///
    /// # Errors
    /// When it cannot be read.
    fn open(
        &self,
        subtask: Subtask,
        positions: Vec<(u32, <Self::Reader as Reader>::Position)>,
    ) -> Result<Self::Reader, Cause>;
}

/// Reads the partitions of one subtask.
pub trait Reader: Send + 'static {
    /// What it reads.
    type Item: Send + 'static;
    /// Where in a partition it is.
    type Position: Serialize + DeserializeOwned + Send + 'static;

    /// Reads on: adds to `values`, at most about as many as there is room for. It opens all
    /// partitions that it knows before it reads from one. The future may be dropped: then
    /// nothing was read.
    ///
    /// # Errors
    /// When it cannot go on.
    fn read(
        &mut self,
        values: &mut Vec<Self::Item>,
    ) -> impl Future<Output = Result<Read, Cause>> + Send;

    /// Where each partition goes on, behind all that was read.
    fn positions(&self) -> Vec<(u32, Self::Position)>;
}

/// What a reader has done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Read {
    /// It has found a partition to read from.
    Opened(u32),
    /// It has read from this partition.
    From(u32),
    /// A partition has no more, and will have none.
    Ended(u32),
    /// It has read all partitions to their ends, and there will be no other.
    Exhausted,
}

/// A source as the input of a task.
pub struct Reading<R: Reader> {
    id: OperatorId,
    reader: R,
    exhausted: bool,
}

impl<R: Reader> Reading<R> {
    pub(crate) fn open<S: Source<Reader = R>>(
        id: &OperatorId,
        source: &S,
        opening: &Opening<'_>,
    ) -> Result<Reading<R>, Error> {
        let positions = opening.items(id)?;
        let reader = source.open(opening.subtask, positions);
        Ok(Reading {
            id: id.clone(),
            reader: reader.map_err(|cause| Error::Source(id.clone(), cause))?,
            exhausted: false,
        })
    }
}

impl<R: Reader> Input for Reading<R> {
    type Item = R::Item;

    async fn next(&mut self) -> Result<Event<R::Item>, Error> {
        if self.exhausted {
            return pending().await;
        }
        let mut values = Vec::with_capacity(BATCH);
        let read = self.reader.read(&mut values).await;
        match read.map_err(|cause| Error::Source(self.id.clone(), cause))? {
            Read::Opened(partition) => Ok(Event::Opened(partition)),
            Read::Ended(partition) => Ok(Event::Ended(partition)),
            Read::From(partition) => Ok(Event::Values(partition, values)),
            Read::Exhausted => {
                self.exhausted = true;
                Ok(Event::Exhausted)
            }
        }
    }

    fn snapshot(&self, snapshot: &mut Snapshot) {
        snapshot.items(&self.id, self.reader.positions());
    }
}
