//! DescribeGroups (15): the state and the members of groups.

use bytes::Bytes;

use crate::error_code::ErrorCode;
use crate::schema::messages;

messages! {
    /// Asks about groups.
    DescribeGroupsRequest {
        groups: Vec<String>;
        /// Whether to say what the client may do with each group.
        include_authorized_operations: bool [3..];
    }
    /// The groups.
    DescribeGroupsResponse {
        /// Always 0: we do not throttle.
        throttle_time_ms: i32 [1.., ignorable];
        /// As in the request.
        groups: Vec<DescribedGroup>;
    }
    /// A group of a [`DescribeGroupsResponse`].
    DescribedGroup {
        error_code: ErrorCode;
        group_id: String;
        /// `Stable`, `Empty` …; `Dead`: there is no such group.
        group_state: String;
        protocol_type: String;
        /// The protocol that was chosen.
        protocol_data: String;
        members: Vec<DescribedGroupMember>;
        /// A bit for each operation that the client may use; `i32::MIN`: not asked for.
        authorized_operations: i32 [3..] = i32::MIN;
    }
    /// A member of a [`DescribedGroup`].
    DescribedGroupMember {
        member_id: String;
        group_instance_id: Option<String> [4.., ignorable];
        client_id: String;
        /// Where its connection came from.
        client_host: String;
        /// What it sent with the protocol that was chosen.
        member_metadata: Bytes;
        /// What the leader assigned to it.
        member_assignment: Bytes;
    }
}
