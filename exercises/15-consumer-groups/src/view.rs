//! A group as operators see it, and as it is stored.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;

use crate::nouns::{Client, InstanceId, MemberId};
use crate::standing::State;

/// A group, as DescribeGroups shows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Description {
    /// The state that operators are shown.
    pub state: State,
    /// What kind of group it is; empty if nobody has joined yet.
    pub protocol_type: Arc<str>,
    /// The selected protocol; empty unless the group is stable.
    pub protocol: Arc<str>,
    /// The members, by id.
    pub members: Vec<MemberDescription>,
}

/// A member, as DescribeGroups shows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MemberDescription {
    /// The id that the coordinator gave the member.
    pub member: MemberId,
    /// Its instance id, if it is static.
    pub instance: Option<InstanceId>,
    /// The program that it runs in.
    pub client: Client,
    /// What it said under the selected protocol; empty unless the group is stable.
    pub metadata: Bytes,
    /// Its share of the last generation in which the group was stable.
    pub assignment: Bytes,
}

/// A group as it is stored: Kafka's GroupMetadata record without its time.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredGroup {
    /// The number of the generation.
    pub generation: i32,
    /// What kind of group this is; empty if nobody has ever joined.
    pub protocol_type: Arc<str>,
    /// The selected protocol; `None` if there are no members.
    pub protocol: Option<Arc<str>>,
    /// The member that shares out the partitions; `None` if there are no members.
    pub leader: Option<MemberId>,
    /// The members, by id.
    pub members: Vec<StoredMember>,
}

/// A member of a [`StoredGroup`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredMember {
    /// The id that the coordinator gave the member.
    pub member: MemberId,
    /// Its instance id, if it is static.
    pub instance: Option<InstanceId>,
    /// The program that it runs in.
    pub client: Client,
    /// After so long without a sign of life the member is removed.
    pub session_timeout: Duration,
    /// How long it may take to join again.
    pub rebalance_timeout: Duration,
    /// What it said under the selected protocol.
    pub metadata: Bytes,
    /// The bytes of its share, as the leader sent them.
    pub assignment: Bytes,
}
