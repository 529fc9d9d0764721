//! ListGroups (16): the groups of a broker.

use crate::error_code::ErrorCode;
use crate::schema::messages;

messages! {
    /// Asks for the groups.
    ListGroupsRequest {
        /// Which states; empty: all.
        states_filter: Vec<String> [4..];
        /// Which types, such as `classic`; empty: all.
        types_filter: Vec<String> [5..];
    }
    /// The groups.
    ListGroupsResponse {
        /// Always 0: we do not throttle.
        throttle_time_ms: i32 [1.., ignorable];
        error_code: ErrorCode;
        groups: Vec<ListedGroup>;
    }
    /// A group of a [`ListGroupsResponse`].
    ListedGroup {
        group_id: String;
        protocol_type: String;
        group_state: String [4.., ignorable];
        /// `classic`: JoinGroup and SyncGroup make it.
        group_type: String [5.., ignorable];
    }
}
