//! Fetch (1): read batches, waiting for them if asked to.

use crate::error_code::ErrorCode;
use crate::records::Records;
use crate::schema::messages;

messages! {
    /// Asks for the batches from some offsets on.
    FetchRequest {
        /// -1: a consumer. Else the broker that follows.
        replica_id: i32 = -1;
        /// How long to wait for `min_bytes`, in milliseconds.
        max_wait_ms: i32;
        /// How many bytes are worth answering with.
        min_bytes: i32;
        /// The most bytes to answer with; the first batch is returned even if it is larger.
        max_bytes: i32 [3.., ignorable] = i32::MAX;
        /// 0: read everything. 1: read only what is committed.
        isolation_level: i8 [4.., ignorable];
        /// The fetch session; 0: none. Versions below 7 have no sessions.
        session_id: i32 [7.., ignorable];
        /// -1: no session. 0: the request opens one.
        session_epoch: i32 [7.., ignorable] = -1;
        topics: Vec<FetchTopic>;
        /// What to drop from the session.
        forgotten_topics_data: Vec<ForgottenTopic> [7..];
        /// Where the client is; empty: it does not say.
        rack_id: String [11.., ignorable];
    }, tagged {
        /// The cluster that the client means; null: it does not say.
        0 cluster_id: Option<String> [12.., ignorable];
    }
    /// A topic of a [`FetchRequest`].
    FetchTopic {
        topic: String;
        partitions: Vec<FetchPartition>;
    }
    /// A partition of a [`FetchTopic`].
    FetchPartition {
        partition: i32;
        /// The leader epoch that the client knows; -1: none.
        current_leader_epoch: i32 [9.., ignorable] = -1;
        /// The first offset wanted.
        fetch_offset: i64;
        /// The leader epoch of the record before `fetch_offset`; -1: not known.
        last_fetched_epoch: i32 [12..] = -1;
        /// A follower's own log start; -1 for consumers.
        log_start_offset: i64 [5.., ignorable] = -1;
        /// The most bytes for this partition.
        partition_max_bytes: i32;
    }
    /// A topic that leaves the session.
    #[derive(PartialEq)]
    ForgottenTopic {
        topic: String [7.., ignorable];
        partitions: Vec<i32> [7..];
    }
    /// The batches.
    FetchResponse {
        /// Always 0: we do not throttle.
        throttle_time_ms: i32 [1.., ignorable];
        /// An error of the request as a whole.
        error_code: ErrorCode [7.., ignorable];
        /// 0: no session.
        session_id: i32 [7..];
        /// As in the request.
        responses: Vec<FetchTopicResponse>;
    }
    /// A topic of a [`FetchResponse`].
    FetchTopicResponse {
        topic: String;
        partitions: Vec<FetchPartitionResponse>;
    }
    /// A partition of a [`FetchTopicResponse`].
    FetchPartitionResponse {
        partition_index: i32;
        error_code: ErrorCode;
        /// Everything below it may be read; -1 with an error.
        high_watermark: i64 = -1;
        /// Everything below it belongs to no open transaction; -1 with an error.
        last_stable_offset: i64 [4.., ignorable] = -1;
        /// The first offset that the partition still has; -1 with an error.
        log_start_offset: i64 [5.., ignorable] = -1;
        /// Transactions in the range that were aborted; null for readers of everything.
        aborted_transactions: Option<Vec<AbortedTransaction>> [4.., ignorable];
        /// -1: read from the leader.
        preferred_read_replica: i32 [11..] = -1;
        /// Whole batches, the first of which holds the fetch offset.
        records: Records;
    }, tagged {
        /// Where the client's log and the leader's part, if they do.
        0 diverging_epoch: FetchEpochEndOffset [12..];
        /// The leader, if the client asked another broker.
        1 current_leader: FetchLeader [12..];
    }
    /// The end of the latest epoch that the client's log and the leader's share.
    #[derive(PartialEq)]
    FetchEpochEndOffset {
        epoch: i32 [12..] = -1;
        end_offset: i64 [12..] = -1;
    }
    /// The leader of a partition.
    #[derive(PartialEq)]
    FetchLeader {
        /// -1: not known.
        leader_id: i32 [12..] = -1;
        leader_epoch: i32 [12..] = -1;
    }
    /// A transaction whose records the client must drop.
    AbortedTransaction {
        producer_id: i64 [4..];
        first_offset: i64 [4..];
    }
}
