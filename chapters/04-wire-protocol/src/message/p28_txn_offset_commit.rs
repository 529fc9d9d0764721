//! TxnOffsetCommit (28): store how far a group has read, if the transaction commits.

use crate::error_code::ErrorCode;
use crate::schema::messages;

messages! {
    /// Asks for offsets of a group to be stored as part of a transaction: they count
    /// when it commits.
    TxnOffsetCommitRequest {
        transactional_id: String;
        group_id: String;
        producer_id: i64;
        producer_epoch: i16;
        /// The generation of the member that has read the records; -1: it does not say.
        generation_id: i32 [3..] = -1;
        /// That member; empty: it does not say.
        member_id: String [3..];
        /// The name that a static member keeps when it restarts.
        group_instance_id: Option<String> [3..];
        topics: Vec<TxnOffsetCommitRequestTopic>;
    }
    /// A topic of a [`TxnOffsetCommitRequest`].
    TxnOffsetCommitRequestTopic {
        name: String;
        partitions: Vec<TxnOffsetCommitRequestPartition>;
    }
    /// A partition of a [`TxnOffsetCommitRequestTopic`].
    TxnOffsetCommitRequestPartition {
        partition_index: i32;
        /// The next offset to read.
        committed_offset: i64;
        /// The leader epoch of the record before it; -1: not known.
        committed_leader_epoch: i32 [2.., ignorable] = -1;
        /// Whatever the consumer wants to keep with it.
        committed_metadata: Option<String>;
    }
    /// What became of each offset.
    TxnOffsetCommitResponse {
        /// Always 0: we do not throttle.
        throttle_time_ms: i32;
        /// As in the request.
        topics: Vec<TxnOffsetCommitResponseTopic>;
    }
    /// A topic of a [`TxnOffsetCommitResponse`].
    TxnOffsetCommitResponseTopic {
        name: String;
        partitions: Vec<TxnOffsetCommitResponsePartition>;
    }
    /// A partition of a [`TxnOffsetCommitResponseTopic`].
    TxnOffsetCommitResponsePartition {
        partition_index: i32;
        error_code: ErrorCode;
    }
}
