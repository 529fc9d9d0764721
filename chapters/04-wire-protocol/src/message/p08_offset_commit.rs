//! OffsetCommit (8): store how far a group has read.

use crate::error_code::ErrorCode;
use crate::schema::messages;

messages! {
    /// Asks for offsets of a group to be stored.
    OffsetCommitRequest {
        group_id: String;
        /// The generation of the member that commits; -1: the group has no members.
        generation_id: i32 [1.., ignorable] = -1;
        /// The member that commits; empty: the group has no members.
        member_id: String [1.., ignorable];
        /// The name that a static member keeps when it restarts.
        group_instance_id: Option<String> [7..];
        /// How long to keep the offsets, in milliseconds; -1: as the broker likes.
        retention_time_ms: i64 [2..=4, ignorable] = -1;
        topics: Vec<OffsetCommitTopic>;
    }
    /// A topic of an [`OffsetCommitRequest`].
    OffsetCommitTopic {
        name: String;
        partitions: Vec<OffsetCommitPartition>;
    }
    /// A partition of an [`OffsetCommitTopic`].
    OffsetCommitPartition {
        partition_index: i32;
        /// The next offset to read.
        committed_offset: i64;
        /// The leader epoch of the record before it; -1: not known.
        committed_leader_epoch: i32 [6.., ignorable] = -1;
        /// Whatever the consumer wants to keep with it.
        committed_metadata: Option<String>;
    }
    /// What became of each offset.
    OffsetCommitResponse {
        /// Always 0: we do not throttle.
        throttle_time_ms: i32 [3.., ignorable];
        /// As in the request.
        topics: Vec<OffsetCommitTopicResponse>;
    }
    /// A topic of an [`OffsetCommitResponse`].
    OffsetCommitTopicResponse {
        name: String;
        partitions: Vec<OffsetCommitPartitionResponse>;
    }
    /// A partition of an [`OffsetCommitTopicResponse`].
    OffsetCommitPartitionResponse {
        partition_index: i32;
        error_code: ErrorCode;
    }
}
