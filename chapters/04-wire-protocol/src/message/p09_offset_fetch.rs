//! OffsetFetch (9): how far groups have read. Versions to 7 ask about one group,
//! later ones about several; each has fields of its own for that.

use crate::error_code::ErrorCode;
use crate::schema::messages;

messages! {
    /// Asks for the offsets that groups have committed.
    OffsetFetchRequest {
        group_id: String [0..=7];
        /// Null: all that the group has committed.
        topics: Option<Vec<OffsetFetchTopic>> [0..=7; null 2..];
        groups: Vec<OffsetFetchGroup> [8..];
        /// Whether to wait for transactions that are about to commit offsets.
        require_stable: bool [7..];
    }
    /// A topic of an [`OffsetFetchRequest`] or of an [`OffsetFetchGroup`].
    #[derive(PartialEq)]
    OffsetFetchTopic {
        name: String;
        partition_indexes: Vec<i32>;
    }
    /// A group of an [`OffsetFetchRequest`].
    #[derive(PartialEq)]
    OffsetFetchGroup {
        group_id: String [8..];
        /// Null: all that the group has committed.
        topics: Option<Vec<OffsetFetchTopic>> [8..];
    }
    /// The offsets.
    OffsetFetchResponse {
        /// Always 0: we do not throttle.
        throttle_time_ms: i32 [3.., ignorable];
        topics: Vec<OffsetFetchTopicResponse> [0..=7];
        /// An error of the group as a whole.
        error_code: ErrorCode [2..=7, ignorable];
        /// As in the request.
        groups: Vec<OffsetFetchGroupResponse> [8..];
    }
    /// A group of an [`OffsetFetchResponse`].
    #[derive(PartialEq)]
    OffsetFetchGroupResponse {
        group_id: String [8..];
        topics: Vec<OffsetFetchTopicResponse> [8..];
        /// An error of the group as a whole.
        error_code: ErrorCode [8..];
    }
    /// A topic of an [`OffsetFetchResponse`] or of an [`OffsetFetchGroupResponse`].
    #[derive(PartialEq)]
    OffsetFetchTopicResponse {
        name: String;
        partitions: Vec<OffsetFetchPartitionResponse>;
    }
    /// A partition of an [`OffsetFetchTopicResponse`].
    #[derive(PartialEq)]
    OffsetFetchPartitionResponse {
        partition_index: i32;
        /// The next offset to read; -1: none is committed.
        committed_offset: i64 = -1;
        /// The leader epoch of the record before it; -1: not known.
        committed_leader_epoch: i32 [5.., ignorable] = -1;
        /// What the consumer wanted to keep with it.
        metadata: Option<String>;
        error_code: ErrorCode;
    }
}
