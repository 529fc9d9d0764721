//! DeleteTopics (20): delete topics with all their records.

use crate::error_code::ErrorCode;
use crate::schema::messages;

messages! {
    /// Asks for topics to be deleted.
    DeleteTopicsRequest {
        topic_names: Vec<String>;
        /// How long the broker may take, in milliseconds.
        timeout_ms: i32 = 60_000;
    }
    /// What became of each topic.
    DeleteTopicsResponse {
        /// Always 0: we do not throttle.
        throttle_time_ms: i32 [1.., ignorable];
        /// As in the request.
        responses: Vec<DeletableTopicResult>;
    }
    /// What became of a topic to delete.
    DeletableTopicResult {
        name: String;
        error_code: ErrorCode;
    }
}
