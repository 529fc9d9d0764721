//! WriteTxnMarkers (27): version 1.

use std::future::Future;
use std::sync::Arc;

use message_model::{PartitionIndex, TopicName, TopicPartition};
use record_batch::{EndTransaction, Marker};
use wire_protocol::ErrorCode;
use wire_protocol::message::{
    WritableTxnMarker, WritableTxnMarkerPartitionResult, WritableTxnMarkerResult,
    WritableTxnMarkerTopicResult, WriteTxnMarkersRequest, WriteTxnMarkersResponse,
};

use super::names::instance;
use crate::common::Common;
use crate::coordinator::Coordinator;

/// Writes markers, one after the other, whatever a coordinator knows of the transactions. An
/// operator ends a transaction so that nobody else can end.
///
/// The response comes when they are on disk.
pub fn write_txn_markers(
    coordinator: &Coordinator,
    request: WriteTxnMarkersRequest,
) -> impl Future<Output = WriteTxnMarkersResponse> + Send + use<> {
    let common = Arc::clone(&coordinator.common);
    // A client that goes away does not cut the work off: what a marker ends must not be half
    // ended.
    let written = coordinator.common.runtime.spawn(async move {
        let mut markers = Vec::with_capacity(request.markers.len());
        for marker in request.markers {
            markers.push(write(&common, marker).await);
        }
        WriteTxnMarkersResponse { markers }
    });
    // An error is a panic, which ends the broker, or the end of the runtime.
    async move { written.await.unwrap_or_default() }
}

async fn write(common: &Common, marker: WritableTxnMarker) -> WritableTxnMarkerResult {
    let end = EndTransaction {
        marker: match marker.transaction_result {
            true => Marker::Commit,
            false => Marker::Abort,
        },
        coordinator_epoch: marker.coordinator_epoch,
    };
    let producer = instance(marker.producer_id, marker.producer_epoch);
    let mut topics = Vec::with_capacity(marker.topics.len());
    for topic in marker.topics {
        let name = TopicName::new(&topic.name).ok();
        let mut partitions = Vec::with_capacity(topic.partition_indexes.len());
        for partition_index in topic.partition_indexes {
            let partition = name.clone().map(|topic| TopicPartition {
                topic,
                partition: PartitionIndex(partition_index),
            });
            let error_code = match partition {
                _ if marker.producer_id < 0 || marker.producer_epoch < 0 => {
                    ErrorCode::INVALID_REQUEST
                }
                None => ErrorCode::UNKNOWN_TOPIC_OR_PARTITION,
                Some(partition) => match common.write_marker(&partition, producer, end).await {
                    Ok(()) => ErrorCode::NONE,
                    Err(error) => broker::error_code(&error),
                },
            };
            partitions.push(WritableTxnMarkerPartitionResult {
                partition_index,
                error_code,
            });
        }
        topics.push(WritableTxnMarkerTopicResult {
            name: topic.name,
            partitions,
        });
    }
    WritableTxnMarkerResult {
        producer_id: marker.producer_id,
        topics,
    }
}
