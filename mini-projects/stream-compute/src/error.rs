//! What ends the job early.

use std::io;
use std::path::PathBuf;
use std::time::Duration;

use client::ReadError;
use message_model::TopicName;

/// Why the job could not go on.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The log, or what the directory of checkpoints says of the job, cannot be read.
    #[error("cannot read {}", path.display())]
    Input {
        /// The file or directory.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// The screen, or the file of the side output, cannot be written. The source says which.
    #[error("the job has ended, because it cannot write")]
    Report(#[from] io::Error),
    /// The web page cannot be written. The job itself is done, and has said its verdict.
    #[error("the verdict holds, but the page {} cannot be written", .0.display())]
    Page(PathBuf, #[source] io::Error),
    /// The queue lets no transaction be open for so long.
    #[error(
        "the queue lets no transaction be open for {} s: give --transaction-timeout less, at most the queue's transaction.max.timeout.ms (15m if it is not set), or set that higher",
        .0.as_secs_f64()
    )]
    TransactionTimeout(Duration),
    /// A call was refused, for a reason that does not pass.
    #[error("the queue said no")]
    Queue(#[from] client::Error),
    /// A line or a row was not delivered.
    #[error("a line or a row was not delivered")]
    NotDelivered(#[from] producer::Error),
    /// Lines or rows cannot be fetched.
    #[error("a topic cannot be read")]
    Topic(#[from] consumer::Error),
    /// The engine ended the job: for example a checkpoint cannot be stored or read, or a task has
    /// failed too often.
    #[error("the job failed")]
    Job(#[from] stream_engine::Error),
    /// Another instance of the same job has begun.
    #[error("another ip-count has taken over the topic {0}: this one has nothing more to do")]
    Fenced(TopicName),
    /// The queue has aborted a transaction: the job goes on from its last checkpoint.
    #[error(
        "a transaction of the topic {0} was aborted: it was open for longer than --transaction-timeout, or another ip-count has taken over"
    )]
    Aborted(TopicName),
    /// A topic does not have what the last checkpoint says.
    #[error(
        "topic {0} has lost what the last checkpoint says: it is another topic, or the queue has aborted a part of the rows, or does not know any more what became of them; count the log again, into other topics"
    )]
    Lost(TopicName),
    /// The queue did not answer for as long as we are prepared to wait.
    #[error("the queue did not answer for {} s", .0.as_secs())]
    GaveUp(Duration),
    /// It has records, and no checkpoint says of which job.
    #[error(
        "topic {0} is not empty; name another one, delete it, or resume its job with --checkpoint-dir"
    )]
    TopicInUse(TopicName),
    /// The directory is of a job with other topics, or of one that counts differently.
    #[error("{} has the checkpoints of a job with {found}, not with {wanted}", path.display())]
    OtherJob {
        /// The file `job` in the directory.
        path: PathBuf,
        /// The settings that it was begun with.
        found: String,
        /// The settings that were given now.
        wanted: String,
    },
    /// The newest checkpoint is damaged.
    #[error(
        "{} is no whole checkpoint. Do not delete it: the job would go on from the one before, and commit rows twice. Bring the file back from a copy; or count the log again, into other topics and with another --checkpoint-dir",
        .0.display()
    )]
    Damaged(PathBuf),
    /// The topic has a line that the input does not have at its place.
    #[error("line {0} of the input is not line {0} in the topic; resume with the same input")]
    OtherInput(u64),
    /// Of several files, those that were read have other lines now.
    #[error(
        "before the line at which the job goes on there are {found} lines, of which it has counted {counted}: name the files that it had, and of new ones those that begin later; of these files only the last may have grown. Count other lines into other topics"
    )]
    OtherFiles {
        /// How many lines the job has counted.
        counted: u64,
        /// How many lines there are in the same place.
        found: u64,
    },
    /// The line that is to be read next is in no file of the log.
    #[error(
        "line {line}, which the topic has last, is in no file beside {}: its file was compressed, removed or cut after the log was rotated. Decompress the file in its folder (gunzip keeps its time) and start again; if it is gone, its other lines are lost: count what is left into other topics",
        path.display()
    )]
    Rotated {
        /// Counted from 1, over all files of the log.
        line: u64,
        /// The name under which the log is followed.
        path: PathBuf,
    },
    /// A file was compressed before it was read.
    #[error(
        "{} is compressed, and has lines that are to be read: decompress it in its folder (gunzip keeps its time) and start again",
        .0.display()
    )]
    Compressed(PathBuf),
    /// Its lines would be counted twice.
    #[error("{} and {} are the same file: name it once", .0.display(), .1.display())]
    SameFile(PathBuf, PathBuf),
    /// What was fetched is no batch, or none of ours, or no row.
    #[error("the topic {0} has a record that is none of this job")]
    Record(TopicName, #[source] Option<ReadError>),
}

impl Error {
    /// Whether the job may go on from its last checkpoint: the queue answers, but has given up a
    /// transaction. If the queue does not answer, the job has waited for it already.
    pub(crate) fn is_worth_another_try(&self) -> bool {
        use producer::Error::{Fatal, Refused};
        matches!(
            self,
            Error::Aborted(_) | Error::NotDelivered(Refused(_) | Fatal(_))
        )
    }
}
