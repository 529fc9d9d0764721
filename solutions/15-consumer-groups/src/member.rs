//! One member of a group.

use std::mem::size_of;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use message_model::Moment;

use crate::call::{Join, JoinedMember};
use crate::nouns::{CallId, Client, InstanceId, MemberId, Protocol};
use crate::view::{MemberDescription, StoredMember};

/// Whether a member has joined the generation that is being prepared.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Joining {
    /// It has not joined again.
    NotYet,
    /// It has, and its call is parked.
    Parked(CallId),
    /// It has, and its connection is gone. The member may come back with its id.
    Gone,
}

/// A member of a group.
#[derive(Debug, Clone)]
pub(crate) struct Member {
    /// Its instance id, if it is static.
    pub(crate) instance: Option<InstanceId>,
    pub(crate) client: Client,
    pub(crate) session_timeout: Duration,
    pub(crate) rebalance_timeout: Duration,
    /// What it knows, the preferred one first.
    pub(crate) protocols: Vec<Protocol>,
    /// Its share of the last stable generation.
    pub(crate) assignment: Bytes,
    pub(crate) joining: Joining,
    /// Its parked SyncGroup.
    pub(crate) syncing: Option<CallId>,
    /// Whether it has sent the SyncGroup of this generation.
    pub(crate) has_synced: bool,
    /// Whether it has never been in a generation.
    pub(crate) is_new: bool,
    /// Whether its consumer knows the member id: it has joined with it, or got it in an answer.
    pub(crate) knows_id: bool,
    /// When it is removed if nothing is heard of it; `None` while a call of it is parked.
    /// When the member is removed if nothing is heard of it. Only the roster changes it.
    pub(crate) expires: Option<Moment>,
}

impl Member {
    /// Returns the member that `join` asks for, which has not joined yet.
    pub(crate) fn new(join: &Join) -> Member {
        Member {
            instance: join.identity.instance.clone(),
            client: join.client.clone(),
            session_timeout: join.session_timeout,
            rebalance_timeout: join.rebalance_timeout,
            protocols: join.protocols.clone(),
            assignment: Bytes::new(),
            joining: Joining::NotYet,
            syncing: None,
            has_synced: false,
            is_new: true,
            knows_id: !join.identity.member.is_empty(),
            expires: None,
        }
    }

    /// Returns a member that was stored under the selected protocol `protocol`.
    pub(crate) fn restored(stored: StoredMember, protocol: &Arc<str>) -> Member {
        Member {
            instance: stored.instance,
            client: stored.client,
            session_timeout: stored.session_timeout,
            rebalance_timeout: stored.rebalance_timeout,
            protocols: vec![Protocol {
                name: protocol.clone(),
                metadata: stored.metadata,
            }],
            assignment: stored.assignment,
            joining: Joining::NotYet,
            syncing: None,
            has_synced: true,
            is_new: false,
            knows_id: true,
            expires: None,
        }
    }

    /// Returns whether it has joined the generation that is being prepared.
    pub(crate) fn has_joined(&self) -> bool {
        self.joining != Joining::NotYet
    }

    /// Returns whether its JoinGroup is parked, so that it can be answered.
    pub(crate) fn is_waiting(&self) -> bool {
        matches!(self.joining, Joining::Parked(_))
    }

    /// Returns what it said under `protocol`.
    pub(crate) fn metadata(&self, protocol: &str) -> Bytes {
        self.protocols
            .iter()
            .find(|known| &*known.name == protocol)
            .map_or_else(Bytes::new, |known| known.metadata.clone())
    }

    /// Returns the member as the leader sees it.
    pub(crate) fn joined(&self, id: &MemberId, protocol: &str) -> JoinedMember {
        JoinedMember {
            member: id.clone(),
            instance: self.instance.clone(),
            metadata: self.metadata(protocol),
        }
    }

    /// Returns the member as operators see it; without `protocol` its metadata is hidden.
    pub(crate) fn described(&self, id: &MemberId, protocol: Option<&str>) -> MemberDescription {
        MemberDescription {
            member: id.clone(),
            instance: self.instance.clone(),
            client: self.client.clone(),
            metadata: protocol.map_or_else(Bytes::new, |name| self.metadata(name)),
            assignment: self.assignment.clone(),
        }
    }

    /// Returns the member as it is stored, with `assignment`.
    pub(crate) fn stored(&self, id: &MemberId, protocol: &str, assignment: Bytes) -> StoredMember {
        StoredMember {
            member: id.clone(),
            instance: self.instance.clone(),
            client: self.client.clone(),
            session_timeout: self.session_timeout,
            rebalance_timeout: self.rebalance_timeout,
            metadata: self.metadata(protocol),
            assignment,
        }
    }

    /// Returns about how many bytes of memory it costs.
    pub(crate) fn bytes(&self) -> usize {
        let instance = self.instance.as_ref().map_or(0, |name| 2 * name.0.len());
        let client = self.client.id.len() + self.client.host.len();
        let protocols: usize = self.protocols.iter().map(protocol_bytes).sum();
        size_of::<Member>() + instance + client + protocols + self.assignment.len()
    }
}

/// Returns about how many bytes of memory `protocol` costs.
fn protocol_bytes(protocol: &Protocol) -> usize {
    size_of::<Protocol>() + protocol.name.len() + protocol.metadata.len()
}
