//! A response as fields.

use std::fmt::Debug;

use anyhow::{Context as _, Result, ensure};
use bytes::Bytes;
use kafka_protocol::messages::{
    AddOffsetsToTxnResponse, AddPartitionsToTxnResponse, AlterConfigsResponse, ApiKey,
    ApiVersionsResponse, CreatePartitionsResponse, CreateTopicsResponse, DeleteGroupsResponse,
    DeleteRecordsResponse, DeleteTopicsResponse, DescribeClusterResponse, DescribeConfigsResponse,
    DescribeGroupsResponse, DescribeLogDirsResponse, DescribeProducersResponse,
    DescribeTransactionsResponse, ElectLeadersResponse, EndTxnResponse, FetchResponse,
    FindCoordinatorResponse, HeartbeatResponse, IncrementalAlterConfigsResponse,
    InitProducerIdResponse, JoinGroupResponse, LeaveGroupResponse, ListGroupsResponse,
    ListOffsetsResponse, ListPartitionReassignmentsResponse, ListTransactionsResponse,
    MetadataResponse, OffsetCommitResponse, OffsetDeleteResponse, OffsetFetchResponse,
    OffsetForLeaderEpochResponse, ProduceResponse, ResponseHeader, SyncGroupResponse,
    TxnOffsetCommitResponse, WriteTxnMarkersResponse,
};
use kafka_protocol::protocol::{Decodable, HeaderVersion};
use serde_json::Value;

use super::exchange::CORRELATION_ID;
use super::fields::fields;
use super::normal::normalise;

/// The fields of the response in `frame` (without its length), normalised.
///
/// # Errors
/// When it is not a response of this API and version.
pub fn answer(api: i16, version: i16, frame: &[u8]) -> Result<Value> {
    let value = as_it_is(api, version, frame)?;
    Ok(normalise(
        ApiKey::try_from(api).ok().context("an API")?,
        value,
    ))
}

/// The fields of the response in `frame` (without its length).
///
/// # Errors
/// When it is not a response of this API and version.
pub(crate) fn as_it_is(api: i16, version: i16, frame: &[u8]) -> Result<Value> {
    let frame = Bytes::copy_from_slice(frame);
    let api = ApiKey::try_from(api).ok().context("an API of Kafka's")?;
    match api {
        ApiKey::Produce => decode::<ProduceResponse>(frame, version),
        ApiKey::Fetch => decode::<FetchResponse>(frame, version),
        ApiKey::ListOffsets => decode::<ListOffsetsResponse>(frame, version),
        ApiKey::Metadata => decode::<MetadataResponse>(frame, version),
        ApiKey::OffsetCommit => decode::<OffsetCommitResponse>(frame, version),
        ApiKey::OffsetFetch => decode::<OffsetFetchResponse>(frame, version),
        ApiKey::FindCoordinator => decode::<FindCoordinatorResponse>(frame, version),
        ApiKey::JoinGroup => decode::<JoinGroupResponse>(frame, version),
        ApiKey::Heartbeat => decode::<HeartbeatResponse>(frame, version),
        ApiKey::LeaveGroup => decode::<LeaveGroupResponse>(frame, version),
        ApiKey::SyncGroup => decode::<SyncGroupResponse>(frame, version),
        ApiKey::DescribeGroups => decode::<DescribeGroupsResponse>(frame, version),
        ApiKey::ListGroups => decode::<ListGroupsResponse>(frame, version),
        ApiKey::DeleteGroups => decode::<DeleteGroupsResponse>(frame, version),
        ApiKey::OffsetDelete => decode::<OffsetDeleteResponse>(frame, version),
        ApiKey::DescribeLogDirs => decode::<DescribeLogDirsResponse>(frame, version),
        ApiKey::CreateTopics => decode::<CreateTopicsResponse>(frame, version),
        ApiKey::DeleteTopics => decode::<DeleteTopicsResponse>(frame, version),
        ApiKey::DeleteRecords => decode::<DeleteRecordsResponse>(frame, version),
        ApiKey::AlterConfigs => decode::<AlterConfigsResponse>(frame, version),
        ApiKey::CreatePartitions => decode::<CreatePartitionsResponse>(frame, version),
        ApiKey::IncrementalAlterConfigs => {
            decode::<IncrementalAlterConfigsResponse>(frame, version)
        }
        ApiKey::InitProducerId => decode::<InitProducerIdResponse>(frame, version),
        ApiKey::AddPartitionsToTxn => decode::<AddPartitionsToTxnResponse>(frame, version),
        ApiKey::AddOffsetsToTxn => decode::<AddOffsetsToTxnResponse>(frame, version),
        ApiKey::EndTxn => decode::<EndTxnResponse>(frame, version),
        ApiKey::WriteTxnMarkers => decode::<WriteTxnMarkersResponse>(frame, version),
        ApiKey::TxnOffsetCommit => decode::<TxnOffsetCommitResponse>(frame, version),
        ApiKey::DescribeProducers => decode::<DescribeProducersResponse>(frame, version),
        ApiKey::DescribeTransactions => decode::<DescribeTransactionsResponse>(frame, version),
        ApiKey::ListTransactions => decode::<ListTransactionsResponse>(frame, version),
        ApiKey::DescribeConfigs => decode::<DescribeConfigsResponse>(frame, version),
        ApiKey::OffsetForLeaderEpoch => decode::<OffsetForLeaderEpochResponse>(frame, version),
        ApiKey::ElectLeaders => decode::<ElectLeadersResponse>(frame, version),
        ApiKey::ListPartitionReassignments => {
            decode::<ListPartitionReassignmentsResponse>(frame, version)
        }
        ApiKey::DescribeCluster => decode::<DescribeClusterResponse>(frame, version),
        // A version that the broker does not have is answered in version 0.
        ApiKey::ApiVersions => decode::<ApiVersionsResponse>(frame.clone(), version.clamp(0, 4))
            .or_else(|_| decode::<ApiVersionsResponse>(frame, 0)),
        _ => anyhow::bail!("{api:?} is not in the corpus"),
    }
}

fn decode<M: Decodable + HeaderVersion + Debug>(mut frame: Bytes, version: i16) -> Result<Value> {
    let header = ResponseHeader::decode(&mut frame, M::header_version(version))?;
    ensure!(
        header.correlation_id == CORRELATION_ID,
        "another correlation id"
    );
    let message = M::decode(&mut frame, version)?;
    ensure!(frame.is_empty(), "{} bytes left over", frame.len());
    Ok(fields(&format!("{message:?}")))
}
