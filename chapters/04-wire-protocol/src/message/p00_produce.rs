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
        acks: i16;
        /// How long the broker may wait for the acknowledgement, in milliseconds.
        timeout_ms: i32;
        topics: Vec<ProduceTopic>;
    }
    /// A topic of a [`ProduceRequest`].
    ProduceTopic {
        name: String;
        partitions: Vec<ProducePartition>;
    }
    /// A partition of a [`ProduceTopic`].
    ProducePartition {
        index: i32;
        /// What to append; one batch from version 3 on.
        records: Records;
    }
    /// Says at which offsets the batches are.
    ProduceResponse {
        /// As in the request.
        topics: Vec<ProduceTopicResponse>;
        /// Always 0: we do not throttle.
        throttle_time_ms: i32 [1.., ignorable];
    }
    /// A topic of a [`ProduceResponse`].
    ProduceTopicResponse {
        name: String;
        partitions: Vec<ProducePartitionResponse>;
    }
    /// A partition of a [`ProduceTopicResponse`].
    ProducePartitionResponse {
        index: i32;
        error_code: ErrorCode;
        /// The offset of the batch's first record; -1 with an error.
        base_offset: i64 = -1;
        /// -1: the records keep the producer's timestamps.
        log_append_time_ms: i64 [2.., ignorable] = -1;
        /// The first offset that the partition still has; -1 with an error.
        log_start_offset: i64 [5.., ignorable] = -1;
        /// The records that the batch was refused for.
        record_errors: Vec<ProduceRecordError> [8.., ignorable];
        /// Why the batch was refused, in words.
        error_message: Option<String> [8.., ignorable];
    }
    /// A record that its batch was refused for.
    ProduceRecordError {
        /// Its place in the batch, from 0.
        batch_index: i32 [8..];
        batch_index_error_message: Option<String> [8..];
    }
}
