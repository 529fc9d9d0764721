//! SyncGroup (14): the leader hands in the assignment, and each member gets its own.

use bytes::Bytes;

use crate::error_code::ErrorCode;
use crate::schema::messages;

messages! {
    /// Asks for the member's assignment; the leader sends everyone's.
    SyncGroupRequest {
        group_id: String;
        generation_id: i32;
        member_id: String;
        /// The name that a static member keeps when it restarts.
        group_instance_id: Option<String> [3..];
        protocol_type: Option<String> [5.., ignorable];
        protocol_name: Option<String> [5.., ignorable];
        /// Empty unless the member is the leader.
        assignments: Vec<SyncGroupAssignment>;
    }
    /// The assignment of one member.
    SyncGroupAssignment {
        member_id: String;
        /// For consumers, the partitions that they read.
        assignment: Bytes;
    }
    /// The member's assignment.
    SyncGroupResponse {
        /// Always 0: we do not throttle.
        throttle_time_ms: i32 [1.., ignorable];
        error_code: ErrorCode;
        protocol_type: Option<String> [5.., ignorable];
        protocol_name: Option<String> [5.., ignorable];
        /// As the leader sent it; empty with an error.
        assignment: Bytes;
    }
}
