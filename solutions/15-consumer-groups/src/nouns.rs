//! The names of a group's members and calls, and why a call is refused.

use std::fmt;
use std::sync::Arc;

use bytes::Bytes;

/// The name of a member, which the coordinator gives it when it joins. The empty one is
/// of a consumer that has none yet.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct MemberId(pub Arc<str>);

/// The name that a static member brings from its own configuration (`group.instance.id`).
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct InstanceId(pub Arc<str>);

/// The names that a call brings: what the caller says it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Identity {
    /// Its member id, which may be empty.
    pub member: MemberId,
    /// Its instance id, if it is a static member.
    pub instance: Option<InstanceId>,
}

/// A call whose answer may be parked. The caller of the group chooses the numbers, each once.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct CallId(pub u64);

/// One [`Store`](crate::Effect::Store) of a group: 1, 2, 3 …
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct StoreId(pub u64);

/// The program that a member runs in, as operators see it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Client {
    /// What the program calls itself.
    pub id: Arc<str>,
    /// The address that it connects from.
    pub host: Arc<str>,
}

/// A way to share out partitions that a member knows, such as `range`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Protocol {
    /// The protocol's name, such as `range`; the group selects by it.
    pub name: Arc<str>,
    /// What this member tells the leader under this protocol: a consumer's topics, and what
    /// it owns. The coordinator never reads it.
    pub metadata: Bytes,
}

/// Why a call is refused. Each is an error code of Kafka's, whose name and number it has.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Refusal {
    /// COORDINATOR_NOT_AVAILABLE (15): the group is deleted, or could not be stored.
    NotAvailable,
    /// ILLEGAL_GENERATION (22): the call is of another generation than the group's.
    IllegalGeneration,
    /// INCONSISTENT_GROUP_PROTOCOL (23): no protocol would be left that all members know.
    InconsistentProtocol,
    /// UNKNOWN_MEMBER_ID (25): the group has no such member.
    UnknownMember,
    /// INVALID_SESSION_TIMEOUT (26): the session timeout is outside of the settings' limits.
    InvalidSessionTimeout,
    /// REBALANCE_IN_PROGRESS (27): the member has to join again.
    RebalanceInProgress,
    /// NON_EMPTY_GROUP (68): a group with members is not deleted.
    NonEmptyGroup,
    /// GROUP_ID_NOT_FOUND (69): there is no such group.
    GroupNotFound,
    /// MEMBER_ID_REQUIRED (79): the consumer has got its member id, and has to join with it.
    MemberIdRequired,
    /// GROUP_MAX_SIZE_REACHED (81): the group has as many members, or bytes, as it may have.
    GroupFull,
    /// FENCED_INSTANCE_ID (82): a newer process has the same instance id.
    FencedInstance,
}

impl MemberId {
    /// Returns the member id `name`.
    #[must_use]
    pub fn new(name: &str) -> MemberId {
        MemberId(name.into())
    }

    /// Returns whether the consumer has no member id yet.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl InstanceId {
    /// Returns the instance id `name`.
    #[must_use]
    pub fn new(name: &str) -> InstanceId {
        InstanceId(name.into())
    }
}

impl Identity {
    /// Returns the names of a dynamic member.
    #[must_use]
    pub fn dynamic(member: MemberId) -> Identity {
        Identity {
            member,
            instance: None,
        }
    }
}

impl fmt::Debug for MemberId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl fmt::Display for MemberId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl fmt::Debug for InstanceId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}
