//! A member of a group, for programs that commit offsets in the consumer's place.

use std::sync::Arc;

use crate::group_member::GroupMember;

/// A group, and the member of it that a consumer is: a transaction that commits offsets in the
/// consumer's place names both, so that the coordinator can refuse what is not its to commit.
#[derive(Debug, Clone)]
pub struct GroupMetadata {
    pub(crate) group: Arc<str>,
    pub(crate) instance: Option<String>,
    pub(crate) member: Option<Arc<GroupMember>>,
}

impl GroupMetadata {
    /// Returns the group's id.
    #[must_use]
    pub fn group(&self) -> &Arc<str> {
        &self.group
    }

    /// Returns the name of a static member.
    #[must_use]
    pub fn instance(&self) -> Option<&str> {
        self.instance.as_deref()
    }

    /// Returns the member's id and its generation, as they are now: each rebalance changes
    /// them. Without a membership, an empty id and -1.
    #[must_use]
    pub fn identity(&self) -> (String, i32) {
        let member = self.member.as_ref();
        member.map_or((String::new(), -1), |member| member.identity())
    }
}
