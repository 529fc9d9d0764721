//! LeaveGroup (13): members leave their group at once. Versions to 2 name one
//! member, later ones several.

use crate::error_code::ErrorCode;
use crate::schema::messages;

messages! {
    /// Says that members leave.
    LeaveGroupRequest {
        group_id: String;
        member_id: String [0..=2];
        members: Vec<LeavingMember> [3..];
    }
    /// A member of a [`LeaveGroupRequest`].
    #[derive(PartialEq)]
    LeavingMember {
        /// Empty: a static member, which its instance id names.
        member_id: String [3..];
        group_instance_id: Option<String> [3..];
    }
    /// What became of each.
    LeaveGroupResponse {
        /// Always 0: we do not throttle.
        throttle_time_ms: i32 [1.., ignorable];
        error_code: ErrorCode;
        /// As in the request.
        members: Vec<LeavingMemberResponse> [3..];
    }
    /// A member of a [`LeaveGroupResponse`].
    #[derive(PartialEq)]
    LeavingMemberResponse {
        member_id: String [3..];
        group_instance_id: Option<String> [3..];
        error_code: ErrorCode [3..];
    }
}
