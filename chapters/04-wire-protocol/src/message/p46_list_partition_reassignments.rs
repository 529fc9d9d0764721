//! ListPartitionReassignments (46): the partitions that are on their way to other brokers.

use crate::error_code::ErrorCode;
use crate::schema::messages;

messages! {
    /// Asks which partitions are moving.
    ListPartitionReassignmentsRequest {
        /// How long the broker may take, in milliseconds.
        timeout_ms: i32 = 60_000;
        /// Null: all topics.
        topics: Option<Vec<ListPartitionReassignmentsTopic>>;
    }
    /// A topic of a [`ListPartitionReassignmentsRequest`].
    ListPartitionReassignmentsTopic {
        name: String;
        partition_indexes: Vec<i32>;
    }
    /// The partitions that are moving.
    ListPartitionReassignmentsResponse {
        /// Always 0: we do not throttle.
        throttle_time_ms: i32;
        error_code: ErrorCode;
        error_message: Option<String>;
        topics: Vec<OngoingTopicReassignment>;
    }
    /// A topic of a [`ListPartitionReassignmentsResponse`].
    OngoingTopicReassignment {
        name: String;
        partitions: Vec<OngoingPartitionReassignment>;
    }
    /// A partition of an [`OngoingTopicReassignment`].
    OngoingPartitionReassignment {
        partition_index: i32;
        replicas: Vec<i32>;
        adding_replicas: Vec<i32>;
        removing_replicas: Vec<i32>;
    }
}
