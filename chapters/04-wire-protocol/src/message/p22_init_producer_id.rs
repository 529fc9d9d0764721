//! InitProducerId (22): a producer id for an idempotent producer.

use crate::error_code::ErrorCode;
use crate::schema::messages;

messages! {
    /// Asks for a producer id.
    InitProducerIdRequest {
        /// Null unless the producer is transactional.
        transactional_id: Option<String> [0..];
        /// After how long an open transaction may be aborted, in milliseconds.
        transaction_timeout_ms: i32 [0..];
    }
    /// The producer id.
    InitProducerIdResponse {
        /// Always 0: we do not throttle.
        throttle_time_ms: i32 [0..];
        /// Why there is none.
        error_code: ErrorCode [0..];
        /// It.
        producer_id: i64 [0..] = -1;
        /// Its epoch.
        producer_epoch: i16 [0..] = -1;
    }
}
