//! CreatePartitions (37): give topics more partitions.

use crate::error_code::ErrorCode;
use crate::schema::messages;

messages! {
    /// Asks for more partitions.
    CreatePartitionsRequest {
        topics: Vec<CreatePartitionsTopic>;
        /// How long the broker may take, in milliseconds.
        timeout_ms: i32;
        /// Only check whether it could be done.
        validate_only: bool;
    }
    /// A topic of a [`CreatePartitionsRequest`].
    CreatePartitionsTopic {
        name: String;
        /// How many partitions the topic is to have, old and new.
        count: i32;
        /// Which brokers get which new partition; null: as the broker likes.
        assignments: Option<Vec<CreatePartitionsAssignment>>;
    }
    /// The brokers of one new partition.
    CreatePartitionsAssignment {
        broker_ids: Vec<i32>;
    }
    /// What became of each topic.
    CreatePartitionsResponse {
        /// Always 0: we do not throttle.
        throttle_time_ms: i32;
        /// As in the request.
        results: Vec<CreatePartitionsTopicResult>;
    }
    /// A topic of a [`CreatePartitionsResponse`].
    CreatePartitionsTopicResult {
        name: String;
        error_code: ErrorCode;
        error_message: Option<String>;
    }
}
