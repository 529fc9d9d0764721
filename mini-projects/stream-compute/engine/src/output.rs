//! Where the records of a task go.

use crate::element::{Barrier, Element, Signal, Step};
use crate::error::Error;
use crate::exchange::Exchange;
use crate::operator_id::OperatorId;
use crate::sink::Restored;
use crate::snapshot::Snapshot;

/// The end of a subtask's chain.
///
/// A chain hands on without waiting, so an output collects, and waits in [`flush`](Self::flush).
pub(crate) trait Output: Send {
    /// What it takes.
    type In;

    /// Takes a step.
    fn collect(&mut self, step: Step<Self::In>);

    /// Gives away what is full, or everything.
    fn flush(&mut self, everything: bool) -> impl Future<Output = Result<(), Error>> + Send;

    /// A barrier has come behind everything that was flushed.
    fn barrier(
        &mut self,
        barrier: Barrier,
        snapshot: &mut Snapshot,
    ) -> impl Future<Output = Result<(), Error>> + Send;

    /// Commits what an earlier run has prepared. Returns what has become of it, and the sink;
    /// `None` if there was nothing.
    fn restore(
        &mut self,
    ) -> impl Future<Output = Result<Option<(OperatorId, Restored)>, Error>> + Send {
        async { Ok(None) }
    }

    /// The checkpoint is complete.
    fn complete(&mut self, id: u64) -> impl Future<Output = Result<(), Error>> + Send;
}

impl<T: Send> Output for Exchange<T> {
    type In = T;

    fn collect(&mut self, step: Step<T>) {
        match step {
            Step::Record(record) => self.record(record),
            Step::Signal(Signal::Progress(progress)) => {
                self.broadcast(|| Element::Progress(progress));
            }
            Step::Signal(_) => {}
        }
    }

    async fn flush(&mut self, everything: bool) -> Result<(), Error> {
        self.send(everything).await
    }

    async fn barrier(&mut self, barrier: Barrier, _: &mut Snapshot) -> Result<(), Error> {
        self.broadcast(|| Element::Barrier(barrier));
        self.send(true).await
    }

    async fn complete(&mut self, _: u64) -> Result<(), Error> {
        Ok(())
    }
}

/// Every record twice.
#[derive(Debug)]
pub(crate) struct Both<A, B>(pub(crate) A, pub(crate) B);

impl<T: Clone, A: Output<In = T>, B: Output<In = T>> Output for Both<A, B> {
    type In = T;

    fn collect(&mut self, step: Step<T>) {
        let same = match &step {
            Step::Record(record) => Step::Record(record.clone()),
            Step::Signal(signal) => Step::Signal(*signal),
        };
        self.0.collect(same);
        self.1.collect(step);
    }

    async fn flush(&mut self, everything: bool) -> Result<(), Error> {
        self.0.flush(everything).await?;
        self.1.flush(everything).await
    }

    async fn barrier(&mut self, barrier: Barrier, snapshot: &mut Snapshot) -> Result<(), Error> {
        self.0.barrier(barrier, snapshot).await?;
        self.1.barrier(barrier, snapshot).await
    }

    async fn complete(&mut self, id: u64) -> Result<(), Error> {
        self.0.complete(id).await?;
        self.1.complete(id).await
    }
}
