//! OffsetForLeaderEpoch (23): where the records of a leader's epoch end.

use crate::error_code::ErrorCode;
use crate::schema::messages;

messages! {
    /// Asks where epochs end.
    OffsetForLeaderEpochRequest {
        /// -1: a consumer. -2: a tool, or a consumer of version 2. Else the broker that follows.
        replica_id: i32 [3.., ignorable] = -2;
        topics: Vec<OffsetForLeaderEpochTopic>;
    }
    /// A topic of an [`OffsetForLeaderEpochRequest`].
    OffsetForLeaderEpochTopic {
        topic: String;
        partitions: Vec<OffsetForLeaderEpochPartition>;
    }
    /// A partition of an [`OffsetForLeaderEpochTopic`].
    OffsetForLeaderEpochPartition {
        partition: i32;
        /// The leader epoch that the client knows; -1: none.
        current_leader_epoch: i32 [2.., ignorable] = -1;
        /// The epoch asked about.
        leader_epoch: i32;
    }
    /// The ends.
    OffsetForLeaderEpochResponse {
        /// Always 0: we do not throttle.
        throttle_time_ms: i32 [2.., ignorable];
        /// As in the request.
        topics: Vec<OffsetForLeaderEpochTopicResult>;
    }
    /// A topic of an [`OffsetForLeaderEpochResponse`].
    OffsetForLeaderEpochTopicResult {
        topic: String;
        partitions: Vec<EpochEndOffset>;
    }
    /// A partition of an [`OffsetForLeaderEpochTopicResult`].
    EpochEndOffset {
        error_code: ErrorCode;
        partition: i32;
        /// The latest epoch at or below the one asked about; -1: there is none.
        leader_epoch: i32 [1.., ignorable] = -1;
        /// The first offset that is not of that epoch; -1: there is none.
        end_offset: i64 = -1;
    }
}
