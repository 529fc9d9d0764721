//! ListOffsets (2): find offsets by time, and the ends.

use crate::error_code::ErrorCode;
use crate::schema::messages;

messages! {
    /// Asks for offsets by timestamp; -1 asks for the end, -2 for the start.
    ListOffsetsRequest {
        /// -1: a consumer.
        replica_id: i32 [0..] = -1;
        /// 0: the end is the high watermark. 1: the last stable offset.
        isolation_level: i8 [2..];
        /// The topics.
        topics: Vec<ListOffsetsTopic> [0..];
    }
    /// A topic of a [`ListOffsetsRequest`].
    ListOffsetsTopic {
        /// Its name.
        name: String [0..];
        /// Its partitions.
        partitions: Vec<ListOffsetsPartition> [0..];
    }
    /// A partition of a [`ListOffsetsTopic`].
    ListOffsetsPartition {
        /// Its index.
        partition_index: i32 [0..];
        /// Milliseconds since 1970, or -1 (end), or -2 (start).
        timestamp: i64 [0..];
    }
    /// The offsets.
    ListOffsetsResponse {
        /// Always 0: we do not throttle.
        throttle_time_ms: i32 [2..];
        /// The topics, as in the request.
        topics: Vec<ListOffsetsTopicResponse> [0..];
    }
    /// A topic of a [`ListOffsetsResponse`].
    ListOffsetsTopicResponse {
        /// Its name.
        name: String [0..];
        /// Its partitions.
        partitions: Vec<ListOffsetsPartitionResponse> [0..];
    }
    /// A partition of a [`ListOffsetsTopicResponse`].
    ListOffsetsPartitionResponse {
        /// Its index.
        partition_index: i32 [0..];
        /// Why there is no offset.
        error_code: ErrorCode [0..];
        /// The record's timestamp; -1 if there is none.
        timestamp: i64 [1..] = -1;
        /// The offset; -1 if no record is that late.
        offset: i64 [1..] = -1;
    }
}
