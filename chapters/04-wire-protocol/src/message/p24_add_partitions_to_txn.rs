//! AddPartitionsToTxn (24): a producer says to which partitions its transaction writes.

use crate::error_code::ErrorCode;
use crate::schema::messages;

messages! {
    /// Asks the coordinator to add partitions to the open transaction, or to open one.
    AddPartitionsToTxnRequest {
        transactional_id: String;
        producer_id: i64;
        producer_epoch: i16;
        topics: Vec<AddPartitionsToTxnTopic>;
    }
    /// A topic of an [`AddPartitionsToTxnRequest`].
    AddPartitionsToTxnTopic {
        name: String;
        partitions: Vec<i32>;
    }
    /// Whether each of the partitions was added.
    AddPartitionsToTxnResponse {
        /// Always 0: we do not throttle.
        throttle_time_ms: i32;
        /// As in the request.
        results_by_topic: Vec<AddPartitionsToTxnTopicResult>;
    }
    /// A topic of an [`AddPartitionsToTxnResponse`].
    AddPartitionsToTxnTopicResult {
        name: String;
        results_by_partition: Vec<AddPartitionsToTxnPartitionResult>;
    }
    /// A partition of an [`AddPartitionsToTxnTopicResult`].
    AddPartitionsToTxnPartitionResult {
        partition_index: i32;
        partition_error_code: ErrorCode;
    }
}
