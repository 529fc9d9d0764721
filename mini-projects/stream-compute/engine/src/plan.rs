//! A job as a graph of tasks.

use std::fmt;

use crate::error::Error;
use crate::job::{Definition, Job, Ship};
use crate::operator_id::OperatorId;

/// How many key groups a job has, unless a checkpoint says another number.
pub const KEY_GROUPS: u16 = 128;

/// How a job will run: which operators run together, in how many subtasks, and how records
/// go from one to the next. Shown as text, a line for each task.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Plan {
    name: String,
    tasks: Vec<PlannedTask>,
    /// By edge: the task that sends on it.
    pub(crate) senders: Vec<usize>,
    /// Each task behind those that it sends to.
    pub(crate) receivers_first: Vec<usize>,
    /// The names of all sinks.
    pub(crate) sinks: Vec<OperatorId>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct PlannedTask {
    operators: Vec<OperatorId>,
    parallelism: usize,
    /// Task, operator and way of each edge into it.
    inputs: Vec<(usize, OperatorId, Ship)>,
}

impl Job {
    /// How the job runs with this many subtasks of each task. A source may have fewer.
    ///
    /// # Errors
    /// When the definition is not whole, or the parallelism impossible.
    pub fn plan(&self, parallelism: usize) -> Result<Plan, Error> {
        let definition = self.definition();
        if let Some(name) = &definition.twice {
            return Err(Error::SameName(name.clone()));
        }
        if parallelism == 0 || parallelism > usize::from(KEY_GROUPS) {
            return Err(Error::Parallelism {
                wanted: parallelism,
                groups: KEY_GROUPS,
            });
        }
        let mut senders = Vec::new();
        for edge in &definition.edges {
            let nowhere = || Error::GoesNowhere(edge.operator.clone());
            edge.to.ok_or_else(nowhere)?;
            senders.push(edge.from.ok_or_else(nowhere)?);
        }
        let tasks = definition.tasks.iter().map(|task| PlannedTask {
            operators: task.operators.clone(),
            parallelism: task.parts.parallelism(parallelism),
            inputs: inputs(&definition, &task.inputs, &senders),
        });
        Ok(Plan {
            name: self.name.clone(),
            tasks: tasks.collect(),
            receivers_first: receivers_first(&definition, &senders),
            sinks: definition
                .tasks
                .iter()
                .filter_map(|task| task.parts.sink().cloned())
                .collect(),
            senders,
        })
    }
}

fn inputs(
    definition: &Definition,
    edges: &[usize],
    senders: &[usize],
) -> Vec<(usize, OperatorId, Ship)> {
    let input = |edge: &usize| {
        let node = &definition.edges[*edge];
        (senders[*edge], node.operator.clone(), node.ship)
    };
    edges.iter().map(input).collect()
}

/// A task comes when all that it sends to have come. Streams cannot be tied into a circle,
/// because each is taken once.
fn receivers_first(definition: &Definition, senders: &[usize]) -> Vec<usize> {
    let mut order = Vec::new();
    while order.len() < definition.tasks.len() {
        let ready = |task: &usize| {
            let mut edges = definition.edges.iter().zip(senders);
            !order.contains(task)
                && edges.all(|(edge, from)| {
                    from != task || edge.to.is_some_and(|to| order.contains(&to))
                })
        };
        let next: Vec<usize> = (0..definition.tasks.len()).filter(ready).collect();
        assert!(!next.is_empty(), "the graph of a job has no circle");
        order.extend(next);
    }
    order
}

impl Plan {
    /// The number of subtasks of each task.
    pub(crate) fn parallelism(&self) -> Vec<usize> {
        self.tasks.iter().map(|task| task.parallelism).collect()
    }

    /// The names of all operators.
    pub(crate) fn operators(&self) -> impl Iterator<Item = &OperatorId> {
        self.tasks.iter().flat_map(|task| &task.operators)
    }
}

impl fmt::Display for Plan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "job {}", self.name)?;
        for (number, task) in self.tasks.iter().enumerate() {
            write!(f, "\n  {}  ×{}  ", number + 1, task.parallelism)?;
            for (place, (from, operator, ship)) in task.inputs.iter().enumerate() {
                let comma = if place > 0 { ", " } else { "from " };
                let way = match ship {
                    Ship::Straight => "",
                    Ship::InTurn => " in turn",
                    Ship::ByKey => " by key",
                    Ship::Side => " aside",
                };
                write!(f, "{comma}{} ({operator}){way}", from + 1)?;
            }
            for (place, operator) in task.operators.iter().enumerate() {
                let arrow = if place > 0 || !task.inputs.is_empty() {
                    " → "
                } else {
                    ""
                };
                write!(f, "{arrow}{operator}")?;
            }
        }
        Ok(())
    }
}
