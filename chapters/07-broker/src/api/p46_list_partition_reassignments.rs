//! ListPartitionReassignments (46): version 0.

use wire_protocol::message::ListPartitionReassignmentsResponse;

/// No partition is on its way anywhere: there is no other broker. A topic that is not
/// there is not moving either, and Kafka's answer is the same.
#[must_use]
pub fn list_partition_reassignments() -> ListPartitionReassignmentsResponse {
    ListPartitionReassignmentsResponse::default()
}
