//! Where records go, in two phases.

#[cfg(feature = "sqlite")]
mod sqlite_sink;

use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::element::{Barrier, Record, Step};
use crate::error::{Cause, Error};
use crate::exchange::BATCH;
use crate::operator_id::OperatorId;
use crate::output::Output;
use crate::snapshot::{Opening, Snapshot, Subtask};

#[cfg(feature = "sqlite")]
pub use sqlite_sink::SqliteSink;

/// A place for records.
pub trait Sink: Send + 'static {
    /// What it takes.
    type Item: Send + 'static;
    /// Writes in one subtask.
    type Writer: Writer<Item = Self::Item>;

    /// Begins to write. What an earlier run has written behind its last complete checkpoint, and
    /// not prepared, is not to be seen.
    ///
    /// # Errors
    /// When it cannot.
    fn open(&self, subtask: Subtask) -> Result<Self::Writer, Cause>;
}

// ANCHOR: writer
/// Writes records in one subtask: those between two checkpoints are seen together, or not at all.
pub trait Writer: Send + 'static {
    /// What it writes.
    type Item: Send + 'static;
    /// What commits prepared records, also from another process.
    type Prepared: Serialize + DeserializeOwned + Clone + Send + 'static;

    /// Writes records, and takes them out of the batch.
    ///
    /// # Errors
    /// When it cannot.
    fn write(
        &mut self,
        records: &mut Vec<Record<Self::Item>>,
    ) -> impl Future<Output = Result<(), Cause>> + Send;

    /// The first phase: what was written since the last call can be committed by what is
    /// returned, whatever happens.
    ///
    /// # Errors
    /// When it cannot.
    fn prepare(
        &mut self,
        checkpoint: u64,
    ) -> impl Future<Output = Result<Self::Prepared, Cause>> + Send;

    /// The second phase: the records are to be seen. May be called again for the same records,
    /// and for those of an earlier process; then it changes nothing if they are seen already.
    ///
    /// # Errors
    /// When it cannot.
    fn commit(
        &mut self,
        prepared: Self::Prepared,
    ) -> impl Future<Output = Result<(), Cause>> + Send;

    /// Commits all that an earlier run has prepared for the checkpoint that the job begins from,
    /// before anything is written; or finds out that all of it is lost.
    ///
    /// # Errors
    /// When it cannot: also when a part is lost, and another part is committed.
    fn restore(
        &mut self,
        prepared: Vec<Self::Prepared>,
    ) -> impl Future<Output = Result<Restored, Cause>> + Send {
        async {
            for one in prepared {
                self.commit(one).await?;
            }
            Ok(Restored::Committed)
        }
    }
}
// ANCHOR_END: writer

/// What has become of the records that a checkpoint says are prepared.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Restored {
    /// They are committed.
    Committed,
    /// None of them is committed or ever will be. The job begins from the checkpoint before,
    /// behind which they are written again.
    Aborted,
}

/// A sink as the output of a task.
pub(crate) struct Writing<W: Writer> {
    id: OperatorId,
    writer: W,
    batch: Vec<Record<W::Item>>,
    /// What is prepared for the last checkpoint, until that is complete; at first what the
    /// checkpoint of a resumed job has, until it is restored.
    prepared: Vec<W::Prepared>,
}

impl<W: Writer> Writing<W> {
    pub(crate) fn open<S: Sink<Writer = W>>(
        id: &OperatorId,
        sink: &S,
        opening: &Opening<'_>,
    ) -> Result<Writing<W>, Error> {
        // One subtask commits what all have prepared: there may have been more of them.
        let prepared: Vec<W::Prepared> = match opening.subtask.index {
            0 => opening.items(id)?,
            _ => Vec::new(),
        };
        let writer = sink.open(opening.subtask);
        Ok(Writing {
            id: id.clone(),
            writer: writer.map_err(|cause| Error::Sink(id.clone(), cause))?,
            batch: Vec::new(),
            prepared,
        })
    }

    fn failed(&self) -> impl Fn(Cause) -> Error + use<W> {
        let id = self.id.clone();
        move |cause| Error::Sink(id.clone(), cause)
    }
}

impl<W: Writer> Output for Writing<W> {
    type In = W::Item;

    fn collect(&mut self, step: Step<W::Item>) {
        match step {
            Step::Record(record) => self.batch.push(record),
            Step::Signal(_) => {}
        }
    }

    async fn flush(&mut self, everything: bool) -> Result<(), Error> {
        let enough = if everything { 1 } else { BATCH };
        if self.batch.len() < enough {
            return Ok(());
        }
        let written = self.writer.write(&mut self.batch).await;
        self.batch.clear();
        written.map_err(self.failed())
    }

    // ANCHOR: barrier
    async fn barrier(&mut self, barrier: Barrier, snapshot: &mut Snapshot) -> Result<(), Error> {
        let prepared = self.writer.prepare(barrier.id).await;
        let prepared = prepared.map_err(self.failed())?;
        self.prepared.push(prepared);
        snapshot.items(&self.id, self.prepared.clone());
        Ok(())
    }
    // ANCHOR_END: barrier

    async fn restore(&mut self) -> Result<Option<(OperatorId, Restored)>, Error> {
        let prepared = std::mem::take(&mut self.prepared);
        if prepared.is_empty() {
            return Ok(None);
        }
        let restored = self.writer.restore(prepared).await;
        Ok(Some((self.id.clone(), restored.map_err(self.failed())?)))
    }

    async fn complete(&mut self, _: u64) -> Result<(), Error> {
        for prepared in std::mem::take(&mut self.prepared) {
            let committed = self.writer.commit(prepared).await;
            committed.map_err(self.failed())?;
        }
        Ok(())
    }
}
