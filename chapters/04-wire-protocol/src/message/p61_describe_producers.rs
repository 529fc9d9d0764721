//! DescribeProducers (61): the producers that have written to partitions lately.

use crate::error_code::ErrorCode;
use crate::schema::messages;

messages! {
    /// Asks the leader of some partitions for their producers.
    DescribeProducersRequest {
        topics: Vec<DescribeProducersTopic>;
    }
    /// A topic of a [`DescribeProducersRequest`].
    DescribeProducersTopic {
        name: String;
        partition_indexes: Vec<i32>;
    }
    /// The producers.
    DescribeProducersResponse {
        /// Always 0: we do not throttle.
        throttle_time_ms: i32;
        /// As in the request.
        topics: Vec<DescribeProducersTopicResponse>;
    }
    /// A topic of a [`DescribeProducersResponse`].
    DescribeProducersTopicResponse {
        name: String;
        partitions: Vec<DescribeProducersPartitionResponse>;
    }
    /// A partition of a [`DescribeProducersTopicResponse`].
    DescribeProducersPartitionResponse {
        partition_index: i32;
        error_code: ErrorCode;
        error_message: Option<String>;
        active_producers: Vec<ProducerState>;
    }
    /// A producer of a [`DescribeProducersPartitionResponse`].
    ProducerState {
        producer_id: i64;
        producer_epoch: i32;
        /// The sequence number of its last record; -1: not known.
        last_sequence: i32 = -1;
        /// When its last batch came; -1: not known.
        last_timestamp: i64 = -1;
        /// That of the coordinator which wrote its last marker; -1: there is none.
        coordinator_epoch: i32;
        /// The first offset of its open transaction; -1: none is open.
        current_txn_start_offset: i64 = -1;
    }
}
