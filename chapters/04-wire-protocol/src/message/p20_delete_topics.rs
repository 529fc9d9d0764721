//! DeleteTopics (20): delete topics with all their records.

use crate::error_code::ErrorCode;
use crate::schema::messages;

messages! {
    /// Asks for topics to be deleted.
    DeleteTopicsRequest {
        /// Their names.
        topic_names: Vec<String> [0..];
        /// How long the broker may take, in milliseconds.
        timeout_ms: i32 [0..] = 60_000;
    }
    /// What became of each.
    DeleteTopicsResponse {
        /// Always 0: we do not throttle.
        throttle_time_ms: i32 [1..];
        /// The topics, as in the request.
        responses: Vec<DeletableTopicResult> [0..];
    }
    /// What became of a topic to delete.
    DeletableTopicResult {
        /// Its name.
        name: String [0..];
        /// Why it was not deleted.
        error_code: ErrorCode [0..];
    }
}
