//! The loop of a subtask.

use std::collections::BTreeMap;
use std::future::poll_fn;
use std::pin::pin;
use std::task::Poll;
use std::time::Duration;

use async_model::Clock;
use tokio::sync::mpsc;

use crate::chain::Chain;
use crate::element::{Barrier, END_OF_TIME, Record, Signal, Step, UNTIMED};
use crate::error::Error;
use crate::input::{Event, Input};
use crate::operator_id::OperatorId;
use crate::output::Output;
use crate::part::Progress;
use crate::side::SideOutput;
use crate::sink::Restored;
use crate::snapshot::{OperatorState, Snapshot};

/// How often a task without records looks at the clock.
const TICK: Duration = Duration::from_millis(100);

/// What the coordinator tells a subtask.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Control {
    /// To all, once: read and write.
    Start,
    /// To a source: begin this checkpoint.
    Begin(Barrier),
    /// To all: this checkpoint is stored.
    Complete(u64),
}

/// What a subtask tells the coordinator.
#[derive(Debug)]
pub(crate) enum Report {
    /// What was prepared before is committed, or lost; `None` if there was nothing.
    Ready(Option<(OperatorId, Restored)>),
    /// A source has no more records.
    Exhausted,
    /// What the subtask has in a checkpoint.
    State(u64, BTreeMap<OperatorId, OperatorState>),
}

/// How a subtask and the coordinator reach each other.
pub(crate) struct Line {
    pub(crate) control: mpsc::UnboundedReceiver<Control>,
    pub(crate) reports: mpsc::UnboundedSender<Result<Report, Error>>,
    pub(crate) clock: Clock,
}

/// One subtask: an input, a chain, and where it leads.
pub(crate) struct Task<I, C, O> {
    pub(crate) input: I,
    pub(crate) chain: C,
    pub(crate) output: O,
    pub(crate) sides: Vec<Box<dyn SideOutput>>,
    pub(crate) line: Line,
}

impl<I, C, O> Task<I, C, O>
where
    I: Input,
    C: Chain<In = I::Item>,
    O: Output<In = C::Out>,
{
    // ANCHOR: run
    /// Works until the last barrier, and until its checkpoint is complete.
    pub(crate) async fn run(mut self) -> Result<(), Error> {
        self.begin().await?;
        let last = loop {
            // So that a source that never waits lets others work; and the task that it has just
            // woken, which tokio runs next on this thread, does not keep it from another thread.
            tokio::task::yield_now().await;
            let last = if let Ok(control) = self.line.control.try_recv() {
                self.control(control).await?
            } else if let Some(event) = ready(self.input.next()).await {
                self.take(event?).await?
            } else {
                self.wait().await?
            };
            if let Some(last) = last {
                break last;
            }
        };
        self.end(last).await
    }
    // ANCHOR_END: run

    /// Commits what an earlier run has prepared and this one has found in its checkpoint; then
    /// waits until all subtasks have. A sink may open its next transaction where the last one was
    /// open, and so must not do so before.
    async fn begin(&mut self) -> Result<(), Error> {
        let restored = self.output.restore().await?;
        self.report(Ok(Report::Ready(restored)))?;
        match self.line.control.recv().await {
            Some(Control::Start) => Ok(()),
            _ => Err(Error::Neighbour),
        }
    }

    // ANCHOR: wait
    /// Nothing is there: gives everything away, and then waits for whatever comes first.
    async fn wait(&mut self) -> Result<Option<u64>, Error> {
        self.flush(true).await?;
        let tick = self.line.clock.now().plus(TICK);
        tokio::select! {
            biased;
            control = self.line.control.recv() => {
                self.control(control.ok_or(Error::Neighbour)?).await
            }
            event = self.input.next() => self.take(event?).await,
            () = self.line.clock.sleep_until(tick) => {
                self.signal(Signal::Tick(self.line.clock.now()));
                self.flush(false).await?;
                Ok(None)
            }
        }
    }
    // ANCHOR_END: wait

    /// Takes an event. Returns the number of the last barrier, when it has come.
    async fn take(&mut self, event: Event<I::Item>) -> Result<Option<u64>, Error> {
        let now = self.line.clock.now();
        match event {
            Event::Opened(partition) => self.signal(Signal::Opened { partition, now }),
            Event::Ended(partition) => self.signal(Signal::Ended(partition)),
            Event::Progress(progress) => self.signal(Signal::Progress(progress)),
            Event::Batch(partition, records) => {
                self.signal(Signal::BatchBegin { partition, now });
                self.records(records.into_iter());
                self.signal(Signal::BatchEnd { partition, now });
            }
            Event::Values(partition, values) => {
                let time = UNTIMED;
                self.signal(Signal::BatchBegin { partition, now });
                self.records(values.into_iter().map(|value| Record { time, value }));
                self.signal(Signal::BatchEnd { partition, now });
            }
            Event::Barrier(barrier) => {
                // The checkpoint before was complete when this one began: so one checkpoint
                // names what is prepared for it, and nothing of the one before.
                while let Ok(control) = self.line.control.try_recv() {
                    self.control(control).await?;
                }
                return self.barrier(barrier).await;
            }
            Event::Exhausted => {
                self.signal(Signal::Progress(Progress {
                    watermark: Some(END_OF_TIME),
                    idle: false,
                }));
                self.report(Ok(Report::Exhausted))?;
            }
        }
        self.flush(false).await?;
        Ok(None)
    }

    async fn control(&mut self, control: Control) -> Result<Option<u64>, Error> {
        match control {
            Control::Start => Ok(None),
            Control::Begin(barrier) => self.barrier(barrier).await,
            Control::Complete(id) => self.output.complete(id).await.map(|()| None),
        }
    }

    fn records(&mut self, records: impl Iterator<Item = Record<I::Item>>) {
        let output = &mut self.output;
        for record in records {
            self.chain
                .push(Step::Record(record), &mut |step| output.collect(step));
        }
    }

    fn signal(&mut self, signal: Signal) {
        let output = &mut self.output;
        self.chain
            .push(Step::Signal(signal), &mut |step| output.collect(step));
    }

    async fn flush(&mut self, everything: bool) -> Result<(), Error> {
        for side in &mut self.sides {
            side.flush(everything).await?;
        }
        self.output.flush(everything).await
    }

    // ANCHOR: barrier
    /// Notes its state and hands the barrier on. What costs time, encoding, is left to
    /// another thread.
    async fn barrier(&mut self, barrier: Barrier) -> Result<Option<u64>, Error> {
        let mut snapshot = Snapshot::default();
        self.input.snapshot(&mut snapshot);
        self.chain.snapshot(&mut snapshot);
        self.flush(true).await?;
        for side in &mut self.sides {
            side.barrier(barrier).await?;
        }
        self.output.barrier(barrier, &mut snapshot).await?;
        let reports = self.line.reports.clone();
        tokio::task::spawn_blocking(move || {
            let state = snapshot.encode();
            // A coordinator that is gone has no use for it.
            let _ = reports.send(state.map(|state| Report::State(barrier.id, state)));
        });
        Ok(barrier.last.then_some(barrier.id))
    }
    // ANCHOR_END: barrier

    /// Behind the last barrier: waits until its checkpoint is complete.
    async fn end(mut self, last: u64) -> Result<(), Error> {
        while let Some(control) = self.line.control.recv().await {
            if let Control::Complete(id) = control {
                self.output.complete(id).await?;
                if id == last {
                    return Ok(());
                }
            }
        }
        Err(Error::Neighbour)
    }

    fn report(&self, report: Result<Report, Error>) -> Result<(), Error> {
        let sent = self.line.reports.send(report);
        sent.map_err(|_| Error::Neighbour)
    }
}

/// What the future returns if it needs not wait.
async fn ready<T>(future: impl Future<Output = T>) -> Option<T> {
    let mut future = pin!(future);
    poll_fn(|context| {
        Poll::Ready(match future.as_mut().poll(context) {
            Poll::Ready(value) => Some(value),
            Poll::Pending => None,
        })
    })
    .await
}
