//! What can go wrong with a job.

use std::io;

use crate::operator_id::OperatorId;

/// Why a source or a sink cannot go on.
pub type Cause = Box<dyn std::error::Error + Send + Sync>;

/// Why a job cannot run, or has ended.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// Two operators have one name.
    #[error("two operators are called {0}: state is found by the name")]
    SameName(OperatorId),
    /// Nothing takes the records of an output.
    #[error("the records of {0} go nowhere: give them to a sink, or discard them")]
    GoesNowhere(OperatorId),
    /// More subtasks than key groups, or none.
    #[error("a parallelism from 1 to {groups}, the number of key groups, not {wanted}")]
    Parallelism {
        /// What was asked for.
        wanted: usize,
        /// How many key groups there are.
        groups: u16,
    },
    /// The checkpoint has state that no operator takes.
    #[error("the checkpoint has state of {0}, which the job has not: restore the name, or drop it")]
    StateOfNobody(OperatorId),
    /// The state of an operator is not what the operator keeps.
    #[error("the state of {0} in the checkpoint is not of its type")]
    State(OperatorId, #[source] postcard::Error),
    /// A checkpoint cannot be kept or found.
    #[error("checkpoint in {0}")]
    Store(std::path::PathBuf, #[source] io::Error),
    /// A file is no checkpoint, or a damaged one.
    #[error("{0} is no whole checkpoint")]
    Damaged(std::path::PathBuf),
    /// A source cannot go on.
    #[error("source {0}")]
    Source(OperatorId, #[source] Cause),
    /// A sink cannot go on.
    #[error("sink {0}")]
    Sink(OperatorId, #[source] Cause),
    /// The checkpoint that the job begins from names records that the sink has lost, and the job
    /// cannot go back to the checkpoint before: that is not known, or another sink has committed
    /// what it had prepared behind it.
    #[error(
        "sink {0} has lost the records of the last checkpoint, and the job cannot go back to the one before: begin it again, with new outputs"
    )]
    Aborted(OperatorId),
    /// A subtask panicked.
    #[error("a subtask of {0} panicked")]
    Panicked(OperatorId),
    /// Another task has ended, which is the cause.
    #[error("a neighbour of this task has ended")]
    Neighbour,
}
