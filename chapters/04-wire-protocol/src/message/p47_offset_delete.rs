//! OffsetDelete (47): forget offsets that a group has committed. It has no flexible version.

use crate::error_code::ErrorCode;
use crate::schema::messages;

messages! {
    /// Asks for committed offsets to be deleted.
    OffsetDeleteRequest {
        group_id: String;
        topics: Vec<OffsetDeleteTopic>;
    }
    /// A topic of an [`OffsetDeleteRequest`].
    OffsetDeleteTopic {
        name: String;
        partitions: Vec<OffsetDeletePartition>;
    }
    /// A partition of an [`OffsetDeleteTopic`].
    OffsetDeletePartition {
        partition_index: i32;
    }
    /// What became of each offset.
    OffsetDeleteResponse {
        /// An error of the group as a whole.
        error_code: ErrorCode;
        /// Always 0: we do not throttle.
        throttle_time_ms: i32 [0.., ignorable];
        /// As in the request.
        topics: Vec<OffsetDeleteTopicResponse>;
    }
    /// A topic of an [`OffsetDeleteResponse`].
    OffsetDeleteTopicResponse {
        name: String;
        partitions: Vec<OffsetDeletePartitionResponse>;
    }
    /// A partition of an [`OffsetDeleteTopicResponse`].
    OffsetDeletePartitionResponse {
        partition_index: i32;
        error_code: ErrorCode;
    }
}
