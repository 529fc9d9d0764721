//! What ends the job early.

use std::io;
use std::path::PathBuf;
use std::time::Duration;

use client::ReadError;
use message_model::TopicName;

/// Why the job could not go on.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The log cannot be read.
    #[error("cannot read {}", path.display())]
    Input {
        /// Which file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// The screen, or the file of the side output, cannot be written.
    #[error("cannot write the report")]
    Report(#[from] io::Error),
    /// The queue said no, for good.
    #[error("the queue said no")]
    Queue(#[from] client::Error),
    /// The queue did not answer for as long as we are prepared to wait.
    #[error("the queue did not answer for {} s: {last}", waited.as_secs())]
    GaveUp {
        /// How long.
        waited: Duration,
        /// What came last.
        last: client::Error,
    },
    /// The job counts lines from 1, so its topics must be its own.
    #[error("topic {0} is not empty; name another one, or delete it")]
    TopicInUse(TopicName),
    /// What was fetched is no batch, or none of ours.
    #[error("the queue returned a batch that cannot be read")]
    Batch(#[from] ReadError),
    /// A record in the output topic is not a row.
    #[error("topic {0} has a record that is no row")]
    NotARow(TopicName),
}
