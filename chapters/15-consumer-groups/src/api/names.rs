//! Names from requests.

use wire_protocol::ErrorCode;

use crate::part::{Identity, InstanceId, MemberId};

/// The most groups that are answered at a time; the client asks again for the rest. An
/// answer is far longer than a name.
pub(super) const ANSWERED_MAX: usize = 10_000;
/// The longest name that can be stored, in bytes.
pub(super) const NAME_MAX: usize = 32_767;

/// Checks the id of a group that members are in.
///
/// # Errors
/// `INVALID_GROUP_ID` if it is empty, or too long to be stored.
pub(super) fn check_group(id: &str) -> Result<(), ErrorCode> {
    match id.is_empty() {
        true => Err(ErrorCode::INVALID_GROUP_ID),
        false => check_group_length(id),
    }
}

/// Checks the id of a group that may be empty: consumers that choose their partitions
/// themselves commit under any id.
///
/// # Errors
/// `INVALID_GROUP_ID` if it is too long to be stored.
pub(super) fn check_group_length(id: &str) -> Result<(), ErrorCode> {
    match id.len() > NAME_MAX {
        true => Err(ErrorCode::INVALID_GROUP_ID),
        false => Ok(()),
    }
}

/// Returns the names that a member brings.
pub(super) fn identity(member: &str, instance: Option<&str>) -> Identity {
    Identity {
        member: MemberId::new(member),
        instance: instance.map(InstanceId::new),
    }
}
