//! CreateTopics (19): create topics.

use crate::error_code::ErrorCode;
use crate::schema::messages;

messages! {
    /// Asks for new topics.
    CreateTopicsRequest {
        topics: Vec<CreatableTopic>;
        /// How long the broker may take, in milliseconds.
        timeout_ms: i32 = 60_000;
        /// Only check whether it could be done.
        validate_only: bool [1..];
    }
    /// A topic to create.
    CreatableTopic {
        name: String;
        /// -1: as many as the assignments say, or without any the broker's default
        /// (clients send it in versions below 4 too, and Kafka takes it).
        num_partitions: i32;
        /// How many copies of each partition; -1 as above.
        replication_factor: i16;
        /// Which broker gets which partition, if that is to be chosen by hand.
        assignments: Vec<CreatableReplicaAssignment>;
        /// Settings that differ from the broker's.
        configs: Vec<CreatableTopicConfig>;
    }
    /// The brokers of a partition to create.
    CreatableReplicaAssignment {
        partition_index: i32;
        broker_ids: Vec<i32>;
    }
    /// A setting of a topic to create.
    CreatableTopicConfig {
        name: String;
        value: Option<String>;
    }
    /// What became of each topic.
    CreateTopicsResponse {
        /// Always 0: we do not throttle.
        throttle_time_ms: i32 [2.., ignorable];
        /// As in the request.
        topics: Vec<CreatableTopicResult>;
    }
    /// What became of a topic to create.
    CreatableTopicResult {
        name: String;
        error_code: ErrorCode;
        error_message: Option<String> [1.., ignorable];
        /// -1 with an error.
        num_partitions: i32 [5.., ignorable] = -1;
        /// -1 with an error.
        replication_factor: i16 [5.., ignorable] = -1;
        /// The settings that the topic has; null with an error.
        configs: Option<Vec<CreatableTopicSetting>> [5.., ignorable];
    }
    /// A setting of a topic that was created.
    CreatableTopicSetting {
        name: String [5..];
        value: Option<String> [5..];
        read_only: bool [5..];
        /// As in [`DescribeConfigsEntry::config_source`](super::DescribeConfigsEntry::config_source).
        config_source: i8 [5.., ignorable] = -1;
        is_sensitive: bool [5..];
    }
}
