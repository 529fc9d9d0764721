//! Produce (0): append batches.

use crate::error_code::ErrorCode;
use crate::records::Records;
use crate::schema::messages;

messages! {
    /// Asks the leader of some partitions to append batches.
    ProduceRequest {
        /// Set by a transactional producer.
        transactional_id: Option<String> [3..];
        /// 0: no answer. 1: written by the leader. -1: on disk, and on the in-sync set.
        acks: i16 [0..];
        /// How long the broker may wait for the acknowledgement, in milliseconds.
        timeout_ms: i32 [0..];
        /// The topics.
        topics: Vec<ProduceTopic> [0..];
    }
    /// A topic of a [`ProduceRequest`].
    ProduceTopic {
        /// Its name.
        name: String [0..];
        /// Its partitions.
        partitions: Vec<ProducePartition> [0..];
    }
    /// A partition of a [`ProduceTopic`].
    ProducePartition {
        /// Its index.
        index: i32 [0..];
        /// What to append; one batch from version 3 on.
        records: Records [0..];
    }
    /// Says at which offsets the batches are.
    ProduceResponse {
        /// The topics, as in the request.
        topics: Vec<ProduceTopicResponse> [0..];
        /// Always 0: we do not throttle.
        throttle_time_ms: i32 [1..];
    }
    /// A topic of a [`ProduceResponse`].
    ProduceTopicResponse {
        /// Its name.
        name: String [0..];
        /// Its partitions.
        partitions: Vec<ProducePartitionResponse> [0..];
    }
    /// A partition of a [`ProduceTopicResponse`].
    ProducePartitionResponse {
        /// Its index.
        index: i32 [0..];
        /// Why the batch was not appended.
        error_code: ErrorCode [0..];
        /// The offset of the batch's first record.
        base_offset: i64 [0..] = -1;
        /// -1: the records keep the producer's timestamps.
        log_append_time_ms: i64 [2..] = -1;
        /// The first offset that the partition still has.
        log_start_offset: i64 [5..] = -1;
    }
}
