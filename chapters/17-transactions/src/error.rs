//! What can go wrong with a transactional message.

use message_model::{InvalidTopicName, Offset, TopicName};

/// Why a producer or a keeper cannot go on.
#[derive(Debug, Clone, thiserror::Error)]
pub enum Error {
    /// A name is none for a topic.
    #[error("no name for a topic: {0}")]
    Name(#[from] InvalidTopicName),
    /// The topic of a message does not exist.
    #[error("there is no topic {0}")]
    NoTopic(TopicName),
    /// A call failed.
    #[error(transparent)]
    Client(#[from] client::Error),
    /// A record could not be sent, or it is not known whether it was.
    #[error(transparent)]
    Producer(#[from] producer::Error),
    /// Records could not be read.
    #[error(transparent)]
    Consumer(#[from] consumer::Error),
    /// A batch is broken.
    #[error(transparent)]
    Batch(#[from] client::ReadError),
    /// The half message is stored, and the queue does not say where, so nothing can be said
    /// about it. A check will ask.
    #[error("the queue does not say where the half message is")]
    NoOffset,
    /// The record of a half message is not there any more, so it cannot be copied.
    #[error("half message {0} has been deleted")]
    Deleted(Offset),
}
