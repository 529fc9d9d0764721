//! What can go wrong for a consumer.

use message_model::TopicPartition;
use wire_protocol::Malformed;

use crate::part::Problem;

/// Why a consumer cannot go on, or cannot do what it was asked for.
#[derive(Debug, Clone, thiserror::Error)]
pub enum Error {
    /// A call failed.
    #[error(transparent)]
    Client(#[from] client::Error),
    /// A record could not be sent to the retry topic or to the dead letters, or it is not
    /// known whether it was.
    #[error(transparent)]
    Producer(#[from] producer::Error),
    /// What a member sent to the group's leader, or the leader to a member, cannot be
    /// understood.
    #[error("what another member sent cannot be read: {0}")]
    Protocol(#[from] Malformed),
    /// The consumer is no member of its group any more, for good.
    #[error("the consumer was put out of its group: {0:?}")]
    PutOut(Problem),
    /// The partition is not one that this consumer reads now.
    #[error("{0} is not assigned to this consumer")]
    NotAssigned(TopicPartition),
    /// There is no committed offset, and `auto.offset.reset` is `none`; or the position is
    /// outside of what the partition has.
    #[error("{0} has no offset to go on from")]
    NoOffset(TopicPartition),
    /// The group chose an assignor that this consumer did not offer.
    #[error("the group uses an assignor that this consumer does not know")]
    UnknownAssignor,
    /// Without a group there is nothing to commit to, and nothing to subscribe in.
    #[error("the consumer has no group")]
    NoGroup,
    /// It takes longer than the deadline allows.
    #[error("not done in time")]
    TimedOut,
}
