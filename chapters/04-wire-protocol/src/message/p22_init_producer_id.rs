//! InitProducerId (22): a producer id for an idempotent producer.

use crate::error_code::ErrorCode;
use crate::schema::messages;

messages! {
    /// Asks for a producer id.
    InitProducerIdRequest {
        /// Null unless the producer is transactional.
        transactional_id: Option<String>;
        /// After how long an open transaction may be aborted, in milliseconds.
        transaction_timeout_ms: i32;
        /// The producer id that the producer has, whose epoch is to be raised; -1: none.
        producer_id: i64 [3..] = -1;
        /// The epoch that goes with it; -1: none.
        producer_epoch: i16 [3..] = -1;
    }
    /// The producer id.
    InitProducerIdResponse {
        /// Always 0: we do not throttle.
        throttle_time_ms: i32 [0.., ignorable];
        error_code: ErrorCode;
        producer_id: i64 = -1;
        producer_epoch: i16 = -1;
    }
}
