//! WriteTxnMarkers (27): a coordinator ends transactions in their partitions.
//!
//! In a cluster brokers send it to each other. Of the clients only the tool that aborts a
//! hanging transaction does.

use crate::error_code::ErrorCode;
use crate::schema::messages;

messages! {
    /// Asks the leader of some partitions to append the markers of transactions that have ended.
    WriteTxnMarkersRequest {
        markers: Vec<WritableTxnMarker>;
    }
    /// A marker of a [`WriteTxnMarkersRequest`].
    WritableTxnMarker {
        producer_id: i64;
        producer_epoch: i16;
        /// Whether the transaction was committed; if not, it was aborted.
        transaction_result: bool;
        topics: Vec<WritableTxnMarkerTopic>;
        /// How often the coordinator's partition has changed its leader.
        coordinator_epoch: i32;
    }
    /// A topic of a [`WritableTxnMarker`].
    WritableTxnMarkerTopic {
        name: String;
        partition_indexes: Vec<i32>;
    }
    /// What became of each marker.
    WriteTxnMarkersResponse {
        /// As in the request.
        markers: Vec<WritableTxnMarkerResult>;
    }
    /// A marker of a [`WriteTxnMarkersResponse`].
    WritableTxnMarkerResult {
        producer_id: i64;
        topics: Vec<WritableTxnMarkerTopicResult>;
    }
    /// A topic of a [`WritableTxnMarkerResult`].
    WritableTxnMarkerTopicResult {
        name: String;
        partitions: Vec<WritableTxnMarkerPartitionResult>;
    }
    /// A partition of a [`WritableTxnMarkerTopicResult`].
    WritableTxnMarkerPartitionResult {
        partition_index: i32;
        error_code: ErrorCode;
    }
}
