//! Heartbeat (12): say that a member is alive, and hear of rebalances.

use crate::error_code::ErrorCode;
use crate::schema::messages;

messages! {
    /// Says that a member is alive.
    HeartbeatRequest {
        group_id: String;
        generation_id: i32;
        member_id: String;
        /// The name that a static member keeps when it restarts.
        group_instance_id: Option<String> [3..];
    }
    /// Says whether the generation is still the group's.
    HeartbeatResponse {
        /// Always 0: we do not throttle.
        throttle_time_ms: i32 [1.., ignorable];
        error_code: ErrorCode;
    }
}
