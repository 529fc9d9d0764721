//! What members ask of a group, and what they are answered.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;

use crate::nouns::{CallId, Client, Identity, InstanceId, MemberId, Protocol, Refusal, StoreId};
use crate::view::StoredGroup;

/// A JoinGroup request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Join {
    /// What the consumer says it is.
    pub identity: Identity,
    /// A member id that nobody has had, which the consumer gets if it needs one.
    pub fresh_id: MemberId,
    /// Whether a dynamic consumer without a member id only gets one, and has to join again
    /// with it: from version 4 on.
    pub id_first: bool,
    /// The program that it runs in.
    pub client: Client,
    /// After so long without a sign of life the member is removed.
    pub session_timeout: Duration,
    /// How long it may take to join again. In version 0 the session timeout.
    pub rebalance_timeout: Duration,
    /// What kind of group this is, such as `consumer`.
    pub protocol_type: Arc<str>,
    /// The protocols that it knows, the one that it prefers first.
    pub protocols: Vec<Protocol>,
}

/// A SyncGroup request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sync {
    /// The names and the generation that decide whether the call counts.
    pub identity: Identity,
    /// The generation that it has joined.
    pub generation: i32,
    /// The protocol type that it has joined with; `None` below version 5.
    pub protocol_type: Option<Arc<str>>,
    /// The protocol that was selected; `None` below version 5.
    pub protocol: Option<Arc<str>>,
    /// What each member gets, from the leader; empty from the others.
    pub assignments: Vec<(MemberId, Bytes)>,
}

/// What the caller of [`Group`](crate::Group) has to do, in this order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Effect {
    /// A JoinGroup is answered.
    Joined {
        /// The call that was passed with the request.
        call: CallId,
        /// The member id in the answer, also if it is a refusal.
        member: MemberId,
        /// The generation that the member is in now, or why it is in none.
        answer: Result<Joined, Refusal>,
    },
    /// A SyncGroup is answered.
    Synced {
        /// The call that was passed with the request.
        call: CallId,
        /// The member's share, or why it gets none.
        answer: Result<Synced, Refusal>,
    },
    /// The group is written to disk. When that is done, or has failed, [`Group::stored`]
    /// is called with `id`. Stores are written in the order in which they were returned.
    ///
    /// [`Group::stored`]: crate::Group::stored
    Store {
        /// The number with which the end of this store is reported.
        id: StoreId,
        /// The group as it has to come back after a restart.
        group: StoredGroup,
    },
}

/// A generation, as one member of it joins.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Joined {
    /// The number of the generation.
    pub generation: i32,
    /// What kind of group this is.
    pub protocol_type: Arc<str>,
    /// The selected protocol.
    pub protocol: Arc<str>,
    /// The member that shares out the partitions.
    pub leader: MemberId,
    /// All members, if the answer is for the leader; else empty.
    pub members: Vec<JoinedMember>,
}

/// A member, as the leader sees it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct JoinedMember {
    /// The id of the member that is meant.
    pub member: MemberId,
    /// Its instance id, if it is static.
    pub instance: Option<InstanceId>,
    /// What it said under the selected protocol.
    pub metadata: Bytes,
}

/// A member's share of a generation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Synced {
    /// What kind of group this is.
    pub protocol_type: Arc<str>,
    /// The selected protocol.
    pub protocol: Arc<str>,
    /// The bytes that the leader has sent for this member.
    pub assignment: Bytes,
}
