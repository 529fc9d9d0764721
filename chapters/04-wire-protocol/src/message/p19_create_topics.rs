//! CreateTopics (19): create topics.

use crate::error_code::ErrorCode;
use crate::schema::messages;

messages! {
    /// Asks for new topics.
    CreateTopicsRequest {
        /// Them.
        topics: Vec<CreatableTopic> [0..];
        /// How long the broker may take, in milliseconds.
        timeout_ms: i32 [0..] = 60_000;
        /// Only check whether it could be done.
        validate_only: bool [1..];
    }
    /// A topic to create.
    CreatableTopic {
        /// Its name.
        name: String [0..];
        /// How many partitions; -1 with assignments (and, from version 4 on, for the default).
        num_partitions: i32 [0..];
        /// How many copies; -1 with assignments (and, from version 4 on, for the default).
        replication_factor: i16 [0..];
        /// Which broker gets which partition, if that is to be chosen by hand.
        assignments: Vec<CreatableReplicaAssignment> [0..];
        /// Settings that differ from the broker's.
        configs: Vec<CreatableTopicConfig> [0..];
    }
    /// The brokers of a partition to create.
    CreatableReplicaAssignment {
        /// The partition.
        partition_index: i32 [0..];
        /// Its brokers.
        broker_ids: Vec<i32> [0..];
    }
    /// A setting of a topic to create.
    CreatableTopicConfig {
        /// Its name.
        name: String [0..];
        /// Its value.
        value: Option<String> [0..];
    }
    /// What became of each.
    CreateTopicsResponse {
        /// Always 0: we do not throttle.
        throttle_time_ms: i32 [2..];
        /// The topics, as in the request.
        topics: Vec<CreatableTopicResult> [0..];
    }
    /// What became of a topic to create.
    CreatableTopicResult {
        /// Its name.
        name: String [0..];
        /// Why it was not created.
        error_code: ErrorCode [0..];
        /// The same in words.
        error_message: Option<String> [1..];
    }
}
