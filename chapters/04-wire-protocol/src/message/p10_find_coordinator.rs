//! FindCoordinator (10): which broker coordinates a group or a transaction.

use crate::error_code::ErrorCode;
use crate::schema::messages;

messages! {
    /// Asks who coordinates `key`.
    FindCoordinatorRequest {
        /// The group id or the transactional id.
        key: String [0..];
        /// 0: a group. 1: a transaction.
        key_type: i8 [1..];
    }
    /// The coordinator's address.
    FindCoordinatorResponse {
        /// Always 0: we do not throttle.
        throttle_time_ms: i32 [1..];
        /// Why there is none.
        error_code: ErrorCode [0..];
        /// The same in words.
        error_message: Option<String> [1..];
        /// The broker.
        node_id: i32 [0..] = -1;
        /// Where clients reach it.
        host: String [0..];
        /// Where clients reach it.
        port: i32 [0..] = -1;
    }
}
