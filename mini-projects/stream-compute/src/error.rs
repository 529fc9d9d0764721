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
    /// A line was not delivered.
    #[error("a line was not delivered")]
    Line(#[from] producer::Error),
    /// Lines or rows cannot be read from their topic.
    #[error("a topic cannot be read")]
    Topic(#[from] consumer::Error),
    /// A transaction could not be committed.
    #[error("rows could not be committed")]
    Rows(#[source] exactly_once_client::Error),
    /// Another instance of the same job has begun.
    #[error(
        "another ip-count has taken over the topic {0}, or a transaction was open for too long"
    )]
    Fenced(TopicName),
    /// The queue did not answer for as long as we are prepared to wait.
    #[error("the queue did not answer for {} s", .0.as_secs())]
    GaveUp(Duration),
    /// It has records, and no job has committed that it goes on there.
    #[error("topic {0} is not empty; name another one, or delete it")]
    TopicInUse(TopicName),
    /// What was committed is of something else, or of a job that counts differently.
    #[error("topic {0} is counted with other windows or another --out-of-order; name other topics")]
    OtherJob(TopicName),
    /// The topic has a line that the input does not have at its place.
    #[error("line {0} of the input is not line {0} in the topic; resume with the same input")]
    OtherInput(u64),
    /// What was fetched is no batch, or none of ours, or no row.
    #[error("the topic {0} has a record that is none of this job")]
    Record(TopicName, #[source] Option<ReadError>),
}
