//! Which broker a request is for, and over which of its connections it goes.

use std::sync::Arc;

use message_model::{BrokerId, TopicPartition};
use wire_protocol::ApiKey;

/// Which broker a request is for.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Target {
    /// Any broker that can be reached.
    Any,
    /// The broker that topics are created by.
    Controller,
    /// The broker with this id.
    Node(BrokerId),
    /// The leader of a partition.
    Leader(TopicPartition),
    /// The coordinator of the group with this id.
    Coordinator(Arc<str>),
    /// The coordinator of the transactions of the producer with this transactional id.
    Transactions(Arc<str>),
}

/// What a connection is for. A broker answers one connection's requests in their
/// order, so a request that waits holds up those behind it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Role {
    /// Fetches: they wait for records.
    Fetch,
    /// Produce requests: they wait for the disk.
    Produce,
    /// Joining a group, and the assignment: both wait for the other members.
    Join,
    /// A group's heartbeats and commits, which must not wait for the above.
    Group,
    /// Everything else.
    Rest,
}

impl Role {
    /// The connection that requests of `api` use.
    pub(crate) fn of(api: ApiKey) -> Role {
        match api as i16 {
            0 => Role::Produce,
            1 => Role::Fetch,
            // JoinGroup and SyncGroup.
            11 | 14 => Role::Join,
            // OffsetCommit, OffsetFetch, Heartbeat, LeaveGroup and TxnOffsetCommit.
            8 | 9 | 12 | 13 | 28 => Role::Group,
            _ => Role::Rest,
        }
    }
}
