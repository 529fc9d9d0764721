//! DeleteRecords (21): forget the records below an offset.

use crate::error_code::ErrorCode;
use crate::schema::messages;

messages! {
    /// Asks for records to be deleted.
    DeleteRecordsRequest {
        topics: Vec<DeleteRecordsTopic>;
        /// How long the broker may take, in milliseconds.
        timeout_ms: i32;
    }
    /// A topic of a [`DeleteRecordsRequest`].
    DeleteRecordsTopic {
        name: String;
        partitions: Vec<DeleteRecordsPartition>;
    }
    /// A partition of a [`DeleteRecordsTopic`].
    DeleteRecordsPartition {
        partition_index: i32;
        /// The first offset to keep; -1: the high watermark.
        offset: i64;
    }
    /// What became of each partition.
    DeleteRecordsResponse {
        /// Always 0: we do not throttle.
        throttle_time_ms: i32;
        /// As in the request.
        topics: Vec<DeleteRecordsTopicResult>;
    }
    /// A topic of a [`DeleteRecordsResponse`].
    DeleteRecordsTopicResult {
        name: String;
        partitions: Vec<DeleteRecordsPartitionResult>;
    }
    /// A partition of a [`DeleteRecordsTopicResult`].
    DeleteRecordsPartitionResult {
        partition_index: i32;
        /// The first offset that the partition still has; -1 with an error.
        low_watermark: i64 = -1;
        error_code: ErrorCode;
    }
}
