//! FindCoordinator (10): which broker coordinates a group or a transaction.

use crate::error_code::ErrorCode;
use crate::schema::messages;

messages! {
    /// Asks which broker coordinates a group or a transaction; from version 4 on
    /// several of one kind at a time.
    FindCoordinatorRequest {
        /// The group id or the transactional id.
        key: String [0..=3];
        /// 0: groups. 1: transactions.
        key_type: i8 [1..];
        /// The group ids or the transactional ids.
        coordinator_keys: Vec<String> [4..];
    }
    /// The coordinators' addresses.
    FindCoordinatorResponse {
        /// Always 0: we do not throttle.
        throttle_time_ms: i32 [1.., ignorable];
        error_code: ErrorCode [0..=3];
        error_message: Option<String> [1..=3, ignorable];
        node_id: i32 [0..=3] = -1;
        host: String [0..=3];
        port: i32 [0..=3] = -1;
        /// One for each key of the request.
        coordinators: Vec<Coordinator> [4..];
    }
    /// The coordinator of one key.
    #[derive(PartialEq)]
    Coordinator {
        /// The group id or the transactional id.
        key: String [4..];
        node_id: i32 [4..] = -1;
        host: String [4..];
        port: i32 [4..] = -1;
        error_code: ErrorCode [4..];
        error_message: Option<String> [4.., ignorable];
    }
}
