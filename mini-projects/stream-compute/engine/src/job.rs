//! A job: what is defined, before anything runs.

use std::collections::BTreeSet;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::chain::{Begin, Chain};
use crate::deploy::{Deployment, FromSource, Head, Outlet};
use crate::error::Error;
use crate::exchange::{Edge, Route};
use crate::operator_id::OperatorId;
use crate::source::Source;
use crate::stream::Stream;

/// A graph of operators. Defining one starts nothing.
#[derive(Clone)]
pub struct Job {
    pub(crate) name: String,
    definition: Arc<Mutex<Definition>>,
}

/// What has been defined so far.
#[derive(Default)]
pub(crate) struct Definition {
    pub(crate) tasks: Vec<TaskNode>,
    pub(crate) edges: Vec<EdgeNode>,
    pub(crate) names: BTreeSet<OperatorId>,
    /// The first name that was given twice.
    pub(crate) twice: Option<OperatorId>,
}

/// Operators that run together.
pub(crate) struct TaskNode {
    pub(crate) operators: Vec<OperatorId>,
    /// Edges into it; none if it begins with a source.
    pub(crate) inputs: Vec<usize>,
    pub(crate) parts: Box<dyn Parts>,
}

/// A task's head, chain and outlet, whatever their types.
pub(crate) trait Parts: Send {
    /// How many subtasks there are if so many are wanted.
    fn parallelism(&self, wanted: usize) -> usize;

    /// The name of the sink at its end, if there is one.
    fn sink(&self) -> Option<&OperatorId>;

    /// Starts the subtasks of the task with this number.
    fn start(&self, deployment: &mut Deployment<'_>, task: usize) -> Result<(), Error>;
}

struct Task<H, C, O> {
    name: OperatorId,
    head: H,
    chain: C,
    outlet: O,
}

impl<H: Head, C: Chain<In = H::Item>, O: Outlet<In = C::Out>> Parts for Task<H, C, O> {
    fn parallelism(&self, wanted: usize) -> usize {
        self.head.parallelism(wanted)
    }

    fn sink(&self) -> Option<&OperatorId> {
        self.outlet.sink()
    }

    fn start(&self, deployment: &mut Deployment<'_>, task: usize) -> Result<(), Error> {
        let parts = (&self.head, &self.chain, &self.outlet);
        deployment.start(task, &self.name, parts)
    }
}

/// From one task to another.
#[derive(Debug)]
pub(crate) struct EdgeNode {
    /// The operator whose records they are.
    pub(crate) operator: OperatorId,
    pub(crate) ship: Ship,
    pub(crate) from: Option<usize>,
    pub(crate) to: Option<usize>,
}

/// How records go from the subtasks of a task to those of the next.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Ship {
    Straight,
    InTurn,
    ByKey,
    Side,
}

impl fmt::Debug for Job {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Job({})", self.name)
    }
}

impl Job {
    /// A job without operators.
    #[must_use]
    pub fn new(name: &str) -> Job {
        Job {
            name: name.to_owned(),
            definition: Arc::default(),
        }
    }

    /// The records of a source.
    pub fn source<S: Source>(
        &self,
        id: impl Into<OperatorId>,
        source: S,
    ) -> Stream<FromSource<S>, Begin<S::Item>> {
        let id = self.name(id);
        let head = FromSource {
            id: id.clone(),
            source,
        };
        Stream::begin(self.clone(), head, (vec![id], Vec::new()))
    }

    pub(crate) fn definition(&self) -> MutexGuard<'_, Definition> {
        let definition = self.definition.lock();
        definition.unwrap_or_else(PoisonError::into_inner)
    }

    /// A name that no other operator may have.
    pub(crate) fn name(&self, id: impl Into<OperatorId>) -> OperatorId {
        let id = id.into();
        let mut definition = self.definition();
        if !definition.names.insert(id.clone()) {
            definition.twice.get_or_insert(id.clone());
        }
        id
    }

    /// An edge whose ends are not known yet.
    pub(crate) fn edge<T>(&self, operator: OperatorId, ship: Ship, route: Route<T>) -> Edge<T> {
        let mut definition = self.definition();
        definition.edges.push(EdgeNode {
            operator,
            ship,
            from: None,
            to: None,
        });
        Edge::new(definition.edges.len() - 1, route)
    }

    /// A task from its head to its outlet.
    pub(crate) fn task<H: Head, C: Chain<In = H::Item>, O: Outlet<In = C::Out>>(
        &self,
        operators: Vec<OperatorId>,
        (inputs, outputs): (Vec<usize>, Vec<usize>),
        (head, chain, outlet): (H, C, O),
    ) {
        let mut definition = self.definition();
        let task = definition.tasks.len();
        for edge in &inputs {
            definition.edges[*edge].to = Some(task);
        }
        for edge in &outputs {
            definition.edges[*edge].from = Some(task);
        }
        let name = operators.last().cloned();
        let name = name.unwrap_or_else(|| OperatorId::from("union"));
        definition.tasks.push(TaskNode {
            operators,
            inputs,
            parts: Box::new(Task {
                name,
                head,
                chain,
                outlet,
            }),
        });
    }
}
