//! Fetch (1): read batches, waiting for them if asked to.

use crate::error_code::ErrorCode;
use crate::records::Records;
use crate::schema::messages;

messages! {
    /// Asks for the batches from some offsets on.
    FetchRequest {
        /// -1: a consumer. Else the broker that follows.
        replica_id: i32 [0..] = -1;
        /// How long to wait for `min_bytes`, in milliseconds.
        max_wait_ms: i32 [0..];
        /// How many bytes are worth answering with.
        min_bytes: i32 [0..];
        /// The most bytes to answer with; the first batch is returned even if it is larger.
        max_bytes: i32 [3..] = i32::MAX;
        /// 0: read everything. 1: read only what is committed.
        isolation_level: i8 [4..];
        /// The fetch session; we never open one.
        session_id: i32 [7..];
        /// -1: no session.
        session_epoch: i32 [7..] = -1;
        /// The topics.
        topics: Vec<FetchTopic> [0..];
        /// What to drop from the session.
        forgotten_topics_data: Vec<ForgottenTopic> [7..];
        /// Where the client is.
        rack_id: String [11..];
    }
    /// A topic of a [`FetchRequest`].
    FetchTopic {
        /// Its name.
        topic: String [0..];
        /// Its partitions.
        partitions: Vec<FetchPartition> [0..];
    }
    /// A partition of a [`FetchTopic`].
    FetchPartition {
        /// Its index.
        partition: i32 [0..];
        /// The leader epoch that the client knows; -1: none.
        current_leader_epoch: i32 [9..] = -1;
        /// The first offset wanted.
        fetch_offset: i64 [0..];
        /// A follower's own log start; -1 for consumers.
        log_start_offset: i64 [5..] = -1;
        /// The most bytes for this partition.
        partition_max_bytes: i32 [0..];
    }
    /// A topic that leaves the session.
    ForgottenTopic {
        /// Its name.
        topic: String [7..];
        /// Its partitions.
        partitions: Vec<i32> [7..];
    }
    /// The batches.
    FetchResponse {
        /// Always 0: we do not throttle.
        throttle_time_ms: i32 [1..];
        /// An error of the request as a whole.
        error_code: ErrorCode [7..];
        /// 0: no session.
        session_id: i32 [7..];
        /// The topics, as in the request.
        responses: Vec<FetchTopicResponse> [0..];
    }
    /// A topic of a [`FetchResponse`].
    FetchTopicResponse {
        /// Its name.
        topic: String [0..];
        /// Its partitions.
        partitions: Vec<FetchPartitionResponse> [0..];
    }
    /// A partition of a [`FetchTopicResponse`].
    FetchPartitionResponse {
        /// Its index.
        partition_index: i32 [0..];
        /// Why there are no batches.
        error_code: ErrorCode [0..];
        /// Everything below it may be read; -1 with an error.
        high_watermark: i64 [0..] = -1;
        /// Everything below it belongs to no open transaction; -1 with an error.
        last_stable_offset: i64 [4..] = -1;
        /// The first offset that the partition still has; -1 with an error.
        log_start_offset: i64 [5..] = -1;
        /// Transactions in the range that were aborted; null for readers of everything.
        aborted_transactions: Option<Vec<AbortedTransaction>> [4..];
        /// -1: read from the leader.
        preferred_read_replica: i32 [11..] = -1;
        /// Whole batches, the first of which holds the fetch offset.
        records: Records [0..];
    }
    /// A transaction whose records the client must drop.
    AbortedTransaction {
        /// Whose.
        producer_id: i64 [4..];
        /// Its first offset.
        first_offset: i64 [4..];
    }
}
