//! ElectLeaders (43): let other replicas lead.

use crate::error_code::ErrorCode;
use crate::schema::messages;

messages! {
    /// Asks for elections.
    ElectLeadersRequest {
        /// 0: the preferred replica. 1: any replica, even one that is behind.
        election_type: i8 [1..];
        /// Null: all partitions.
        topic_partitions: Option<Vec<ElectLeadersTopic>>;
        /// How long the broker may take, in milliseconds.
        timeout_ms: i32 = 60_000;
    }
    /// A topic of an [`ElectLeadersRequest`].
    ElectLeadersTopic {
        topic: String;
        partitions: Vec<i32>;
    }
    /// What became of each partition.
    ElectLeadersResponse {
        /// Always 0: we do not throttle.
        throttle_time_ms: i32;
        /// An error of the request as a whole.
        error_code: ErrorCode [1..];
        replica_election_results: Vec<ElectLeadersTopicResult>;
    }
    /// A topic of an [`ElectLeadersResponse`].
    ElectLeadersTopicResult {
        topic: String;
        partition_result: Vec<ElectLeadersPartitionResult>;
    }
    /// A partition of an [`ElectLeadersTopicResult`].
    ElectLeadersPartitionResult {
        partition_id: i32;
        error_code: ErrorCode;
        error_message: Option<String>;
    }
}
