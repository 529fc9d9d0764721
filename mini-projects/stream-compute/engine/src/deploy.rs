//! From a definition to subtasks that run.

use async_model::Clock;
use tokio::sync::mpsc;
use tokio::task::JoinSet;

use crate::chain::Chain;
use crate::error::Error;
use crate::exchange::{Edge, Exchange};
use crate::input::{Channels, Input};
use crate::operator_id::OperatorId;
use crate::output::{Both, Output};
use crate::sink::{Sink, Writing};
use crate::snapshot::{Checkpoint, Opening, Subtask};
use crate::source::{Reading, Source};
use crate::task::{Control, Line, Report, Task};

/// Where the records of a task come from, before it runs.
pub trait Head: Send + 'static {
    /// What comes.
    type Item: Send + 'static;
    /// The same in a subtask.
    type Input: Input<Item = Self::Item> + 'static;
    /// Whether barriers begin here.
    const IS_SOURCE: bool;

    /// How many subtasks there are, if so many are wanted.
    fn parallelism(&self, wanted: usize) -> usize;

    /// Opens it in all subtasks. `senders` says how many subtasks send on an edge.
    ///
    /// # Errors
    /// When a source cannot be opened.
    fn open(
        &self,
        senders: &dyn Fn(usize) -> usize,
        openings: &[Opening<'_>],
    ) -> Result<Vec<Self::Input>, Error>;
}

/// Where the records of a task go, before it runs.
pub(crate) trait Outlet: Send + 'static {
    /// What goes.
    type In: Send + 'static;
    /// The same in a subtask.
    type Output: Output<In = Self::In> + 'static;

    /// Opens it in a subtask.
    ///
    /// # Errors
    /// When a sink cannot be opened.
    fn open(&self, opening: &Opening<'_>) -> Result<Self::Output, Error>;

    /// The name of the sink, if it is one.
    fn sink(&self) -> Option<&OperatorId> {
        None
    }
}

/// A source at the head of a task.
#[derive(Debug)]
pub struct FromSource<S> {
    pub(crate) id: OperatorId,
    pub(crate) source: S,
}

impl<S: Source> Head for FromSource<S> {
    type Item = S::Item;
    type Input = Reading<S::Reader>;
    const IS_SOURCE: bool = true;

    fn parallelism(&self, wanted: usize) -> usize {
        self.source.parallelism(wanted).clamp(1, wanted)
    }

    fn open(
        &self,
        _: &dyn Fn(usize) -> usize,
        openings: &[Opening<'_>],
    ) -> Result<Vec<Self::Input>, Error> {
        let open = |opening| Reading::open(&self.id, &self.source, opening);
        openings.iter().map(open).collect()
    }
}

/// Edges at the head of a task.
#[derive(Debug)]
pub struct FromEdges<T> {
    pub(crate) edges: Vec<Edge<T>>,
}

impl<T: Send + 'static> Head for FromEdges<T> {
    type Item = T;
    type Input = Channels<T>;
    const IS_SOURCE: bool = false;

    fn parallelism(&self, wanted: usize) -> usize {
        wanted
    }

    fn open(
        &self,
        senders: &dyn Fn(usize) -> usize,
        openings: &[Opening<'_>],
    ) -> Result<Vec<Self::Input>, Error> {
        let mut receivers: Vec<Vec<_>> = openings.iter().map(|_| Vec::new()).collect();
        for edge in &self.edges {
            let wired = edge.wire(senders(edge.number), openings.len());
            for (receivers, wired) in receivers.iter_mut().zip(wired) {
                receivers.extend(wired);
            }
        }
        Ok(receivers.into_iter().map(Channels::new).collect())
    }
}

impl<T: Send + 'static> Outlet for Edge<T> {
    type In = T;
    type Output = Exchange<T>;

    fn open(&self, opening: &Opening<'_>) -> Result<Exchange<T>, Error> {
        Ok(self.connect(opening.subtask, opening.key_groups))
    }
}

impl<T: Clone + Send + 'static> Outlet for (Edge<T>, Edge<T>) {
    type In = T;
    type Output = Both<Exchange<T>, Exchange<T>>;

    fn open(&self, opening: &Opening<'_>) -> Result<Self::Output, Error> {
        Ok(Both(self.0.open(opening)?, self.1.open(opening)?))
    }
}

/// A sink at the end of a task.
#[derive(Debug)]
pub(crate) struct ToSink<S> {
    pub(crate) id: OperatorId,
    pub(crate) sink: S,
}

impl<S: Sink> Outlet for ToSink<S> {
    type In = S::Item;
    type Output = Writing<S::Writer>;

    fn open(&self, opening: &Opening<'_>) -> Result<Self::Output, Error> {
        Writing::open(&self.id, &self.sink, opening)
    }

    fn sink(&self) -> Option<&OperatorId> {
        Some(&self.id)
    }
}

/// The subtasks of a job, while they are started and while they run.
pub(crate) struct Deployment<'a> {
    /// By task.
    pub(crate) parallelism: &'a [usize],
    /// By edge: the task that sends on it.
    pub(crate) senders: &'a [usize],
    pub(crate) key_groups: u16,
    pub(crate) checkpoint: Option<&'a Checkpoint>,
    pub(crate) clock: Clock,
    pub(crate) reports: mpsc::UnboundedSender<Result<Report, Error>>,
    pub(crate) running: Running,
}

/// The subtasks that run.
#[derive(Default)]
pub(crate) struct Running {
    pub(crate) tasks: JoinSet<Result<(), Error>>,
    /// By subtask: its task's name, for a panic.
    pub(crate) names: Vec<(tokio::task::Id, OperatorId)>,
    pub(crate) controls: Vec<mpsc::UnboundedSender<Control>>,
    /// Those of `controls` that lead to sources.
    pub(crate) sources: Vec<usize>,
}

impl Deployment<'_> {
    /// Starts all subtasks of a task. Those that it sends to are there already.
    pub(crate) fn start<H: Head, C: Chain<In = H::Item>, O: Outlet<In = C::Out>>(
        &mut self,
        task: usize,
        name: &OperatorId,
        (head, chain, outlet): (&H, &C, &O),
    ) -> Result<(), Error> {
        let count = self.parallelism[task];
        let opening = |index| Opening {
            subtask: Subtask { index, count },
            at_source: H::IS_SOURCE,
            key_groups: self.key_groups,
            checkpoint: self.checkpoint,
            clock: self.clock,
            sides: Vec::new(),
        };
        let openings: Vec<Opening<'_>> = (0..count).map(opening).collect();
        let senders = |edge: usize| self.parallelism[self.senders[edge]];
        let inputs = head.open(&senders, &openings)?;
        for (mut opening, input) in openings.into_iter().zip(inputs) {
            let mut chain = chain.clone();
            chain.open(&mut opening)?;
            let output = outlet.open(&opening)?;
            let (control, line) = mpsc::unbounded_channel();
            let task = Task {
                input,
                chain,
                output,
                sides: opening.sides,
                line: Line {
                    control: line,
                    reports: self.reports.clone(),
                    clock: self.clock,
                },
            };
            let handle = self.running.tasks.spawn(task.run());
            self.running.names.push((handle.id(), name.clone()));
            if H::IS_SOURCE {
                self.running.sources.push(self.running.controls.len());
            }
            self.running.controls.push(control);
        }
        Ok(())
    }
}
