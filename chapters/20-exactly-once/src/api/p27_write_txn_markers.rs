//! WriteTxnMarkers (27): version 1.

use std::collections::BTreeMap;
use std::future::Future;
use std::sync::Arc;

use broker::Partition;
use futures_util::future::join_all;
use message_model::{Offset, PartitionIndex, TopicName, TopicPartition};
use record_batch::{EndTransaction, Marker};
use wire_protocol::ErrorCode;
use wire_protocol::message::{
    WritableTxnMarker, WritableTxnMarkerPartitionResult, WritableTxnMarkerResult,
    WritableTxnMarkerTopicResult, WriteTxnMarkersRequest, WriteTxnMarkersResponse,
};

use super::names::instance;
use crate::common::Common;
use crate::coordinator::Coordinator;

/// Writes markers, whatever a coordinator knows of the transactions. An operator ends a
/// transaction so that nobody else can end.
///
/// They are appended one after the other, and then each partition is synced once for all of
/// its markers. The response comes when they are on disk. A request with more of them than a
/// transaction may have partitions is refused as a whole.
pub fn write_txn_markers(
    coordinator: &Coordinator,
    request: WriteTxnMarkersRequest,
) -> impl Future<Output = WriteTxnMarkersResponse> + Send + use<> {
    let common = Arc::clone(&coordinator.common);
    // A client that goes away does not cut the work off: what a marker ends must not be half
    // ended.
    let written = coordinator.common.runtime.spawn(async move {
        let mut appended = Appended::default();
        let is_too_long = is_too_long(&common, &request);
        let mut markers = Vec::with_capacity(request.markers.len());
        for marker in request.markers {
            markers.push(append(&common, marker, is_too_long, &mut appended).await);
        }
        appended.make_durable(&common, &mut markers).await;
        WriteTxnMarkersResponse { markers }
    });
    // An error is a panic, which ends the broker, or the end of the runtime.
    async move { written.await.unwrap_or_default() }
}

/// Markers that are in the log, and perhaps not on disk.
#[derive(Default)]
struct Appended {
    /// Each partition with the end of its last marker.
    ends: BTreeMap<TopicPartition, (Arc<Partition>, Offset)>,
    /// Where each marker is answered: the marker, the topic and the partition in the request.
    places: Vec<(TopicPartition, [usize; 3])>,
    /// How many markers of the request are done.
    markers: usize,
}

impl Appended {
    /// Waits until all are on disk, and answers those with an error that are not.
    async fn make_durable(self, common: &Common, markers: &mut [WritableTxnMarkerResult]) {
        let deadline = common.write_deadline();
        let syncs = self.ends.iter().map(|(name, (partition, end))| async move {
            let error = partition.durable(*end, deadline).await.err()?;
            Some((name, broker::error_code(&error)))
        });
        let failed: BTreeMap<_, _> = join_all(syncs).await.into_iter().flatten().collect();
        for (name, [marker, topic, partition]) in &self.places {
            if let Some(code) = failed.get(name) {
                markers[*marker].topics[*topic].partitions[*partition].error_code = *code;
            }
        }
    }
}

/// Whether a request has more markers than a transaction may have partitions.
fn is_too_long(common: &Common, request: &WriteTxnMarkersRequest) -> bool {
    let topics = request.markers.iter().flat_map(|marker| &marker.topics);
    let partitions: usize = topics.map(|topic| topic.partition_indexes.len()).sum();
    partitions > common.of_transactions.partitions_max
}

/// Appends a marker to all its partitions, or to none if the request `is_too_long`.
async fn append(
    common: &Common,
    marker: WritableTxnMarker,
    is_too_long: bool,
    appended: &mut Appended,
) -> WritableTxnMarkerResult {
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
                _ if is_too_long => ErrorCode::POLICY_VIOLATION,
                None => ErrorCode::UNKNOWN_TOPIC_OR_PARTITION,
                Some(partition) => match common.append_marker(&partition, producer, end).await {
                    Ok(written) => {
                        let place = [appended.markers, topics.len(), partitions.len()];
                        appended.places.push((partition.clone(), place));
                        appended.ends.insert(partition, written);
                        ErrorCode::NONE
                    }
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
    appended.markers += 1;
    WritableTxnMarkerResult {
        producer_id: marker.producer_id,
        topics,
    }
}
