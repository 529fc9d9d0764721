//! FindCoordinator (10): which broker coordinates a group or a transaction.

use crate::error_code::ErrorCode;
use crate::schema::messages;

messages! {
    /// Asks which broker coordinates `key`.
    FindCoordinatorRequest {
        /// The group id or the transactional id.
        key: String;
        /// 0: a group. 1: a transaction.
        key_type: i8 [1..];
    }
    /// The coordinator's address.
    FindCoordinatorResponse {
        /// Always 0: we do not throttle.
        throttle_time_ms: i32 [1.., ignorable];
        error_code: ErrorCode;
        error_message: Option<String> [1.., ignorable];
        node_id: i32 = -1;
        host: String;
        port: i32 = -1;
    }
}
