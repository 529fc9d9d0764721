//! AddOffsetsToTxn (25): a producer says of which group its transaction commits offsets.

use crate::error_code::ErrorCode;
use crate::schema::messages;

messages! {
    /// Asks the coordinator to add a group to the open transaction, or to open one: the
    /// partition of `__consumer_offsets` that has the group's offsets.
    AddOffsetsToTxnRequest {
        transactional_id: String;
        producer_id: i64;
        producer_epoch: i16;
        group_id: String;
    }
    /// Whether the group was added.
    AddOffsetsToTxnResponse {
        /// Always 0: we do not throttle.
        throttle_time_ms: i32;
        error_code: ErrorCode;
    }
}
