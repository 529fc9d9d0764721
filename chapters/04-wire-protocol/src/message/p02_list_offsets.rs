//! ListOffsets (2): find offsets by time, and the ends.

use crate::error_code::ErrorCode;
use crate::schema::messages;

messages! {
    /// Asks for offsets by timestamp.
    ListOffsetsRequest {
        /// -1: a consumer.
        replica_id: i32 = -1;
        /// 0: the end is the high watermark. 1: the last stable offset.
        isolation_level: i8 [2..];
        topics: Vec<ListOffsetsTopic>;
    }
    /// A topic of a [`ListOffsetsRequest`].
    ListOffsetsTopic {
        name: String;
        partitions: Vec<ListOffsetsPartition>;
    }
    /// A partition of a [`ListOffsetsTopic`].
    ListOffsetsPartition {
        partition_index: i32;
        /// The leader epoch that the client knows; -1: none.
        current_leader_epoch: i32 [4.., ignorable] = -1;
        /// Milliseconds since 1970; or -1 (end), -2 (start), -3 (the record with the
        /// largest timestamp, from version 7 on), -4 (the first offset on this
        /// broker's own disk, from 8 on), -5 (the last one on remote storage, from 9 on).
        timestamp: i64;
    }
    /// The offsets.
    ListOffsetsResponse {
        /// Always 0: we do not throttle.
        throttle_time_ms: i32 [2.., ignorable];
        /// As in the request.
        topics: Vec<ListOffsetsTopicResponse>;
    }
    /// A topic of a [`ListOffsetsResponse`].
    ListOffsetsTopicResponse {
        name: String;
        partitions: Vec<ListOffsetsPartitionResponse>;
    }
    /// A partition of a [`ListOffsetsTopicResponse`].
    ListOffsetsPartitionResponse {
        partition_index: i32;
        error_code: ErrorCode;
        /// The record's timestamp; -1 if there is none.
        timestamp: i64 [1..] = -1;
        /// -1 if no record is that late.
        offset: i64 [1..] = -1;
        /// The leader epoch of the record; -1: not known.
        leader_epoch: i32 [4..] = -1;
    }
}
