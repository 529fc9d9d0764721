//! DeleteGroups (42): forget groups and what they have committed.

use crate::error_code::ErrorCode;
use crate::schema::messages;

messages! {
    /// Asks for groups to be deleted.
    DeleteGroupsRequest {
        groups_names: Vec<String>;
    }
    /// What became of each group.
    DeleteGroupsResponse {
        /// Always 0: we do not throttle.
        throttle_time_ms: i32;
        results: Vec<DeletableGroupResult>;
    }
    /// A group of a [`DeleteGroupsResponse`].
    DeletableGroupResult {
        group_id: String;
        error_code: ErrorCode;
    }
}
