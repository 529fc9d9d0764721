//! EndTxn (26): a producer ends its transaction.

use crate::error_code::ErrorCode;
use crate::schema::messages;

messages! {
    /// Asks the coordinator to commit or abort the open transaction.
    EndTxnRequest {
        transactional_id: String;
        producer_id: i64;
        producer_epoch: i16;
        /// Whether to commit; if not, the transaction is aborted.
        committed: bool;
    }
    /// Whether the transaction has ended.
    EndTxnResponse {
        /// Always 0: we do not throttle.
        throttle_time_ms: i32;
        error_code: ErrorCode;
    }
}
