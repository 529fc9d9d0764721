//! Which handler answers which API. Read down the match: it is the queue's plan.

use std::sync::Arc;

use broker::api::{self, Acknowledgement};
use broker::{Reply, Request};
use consumer_groups::api as groups;
use exactly_once::api as transactions;
use networking::{Answer, Chunk};
use wire_protocol::message::{
    ApiVersionsRequest, CreateTopicsRequest, DescribeConfigsRequest,
    ListPartitionReassignmentsRequest,
};
use wire_protocol::{ApiKey, Malformed};

use crate::queue::{Queue, delete_topics};

/// The answer to one request, which has taken effect when this completes.
///
/// One line per API: what is decoded is of the type that its handler takes.
/// Versions that are advertised but not served ([`wire_protocol::CANARIES`]) have
/// a line of their own.
///
/// # Errors
/// When the body is not such a request; the connection is to be closed then.
#[rustfmt::skip]
pub async fn answer(queue: Arc<Queue>, request: Request) -> Result<Answer<Vec<Chunk>>, Malformed> {
    let broker = Arc::clone(&queue.broker);
    let (b, g, t) = (&*broker, &queue.groups, &queue.transactions);
    Ok(match (request.api, request.is_served()) {
        (ApiKey::Produce, true) => { let (body, reply) = request.decode()?; acknowledge(reply, api::produce(b, body).await) }
        (ApiKey::Produce, false) => { let (body, reply) = request.decode()?; acknowledge(reply, api::refuse_produce(body)) }
        (ApiKey::Fetch, _) => { let (body, reply) = request.decode()?; reply.later_with_share(|share| async move { api::fetch(&broker, body, share).await }) }
        (ApiKey::ListOffsets, _) => { let (body, reply) = request.decode()?; let version = reply.version(); reply.later(async move { api::list_offsets(&broker, version, body).await }) }
        (ApiKey::Metadata, _) => { let (body, mut reply) = request.decode()?; reply.room(api::metadata_size(b, &body)).await; let response = api::metadata(b, &reply.peer, body).await; reply.now(&response) }
        (ApiKey::OffsetCommit, _) => { let (body, reply) = request.decode()?; let response = groups::offset_commit(g, body).await; reply.later(response) }
        (ApiKey::OffsetFetch, _) => { let (body, mut reply) = request.decode()?; reply.room(groups::offset_fetch_size(&body) + groups::committed_size(g, reply.version(), &body)).await; let response = groups::offset_fetch(g, reply.version(), body); reply.later(response) }
        (ApiKey::FindCoordinator, _) => { let (body, reply) = request.decode()?; let response = transactions::find_coordinator(t, g, reply.version(), body).await; reply.now(&response) }
        (ApiKey::JoinGroup, _) => { let (body, reply) = request.decode()?; let response = groups::join_group(g, reply.version(), &reply.sender, body); reply.later_with_room(response, groups::join_group_size) }
        (ApiKey::Heartbeat, _) => { let (body, reply) = request.decode()?; reply.now(&groups::heartbeat(g, &body)) }
        (ApiKey::LeaveGroup, _) => { let (body, reply) = request.decode()?; let response = groups::leave_group(g, reply.version(), body); reply.now(&response) }
        (ApiKey::SyncGroup, _) => { let (body, reply) = request.decode()?; let response = groups::sync_group(g, reply.version(), body); reply.later_with_room(response, groups::sync_group_size) }
        (ApiKey::DescribeGroups, _) => { let (body, mut reply) = request.decode()?; reply.room(groups::describe_groups_size(g, &body)).await; reply.now(&groups::describe_groups(g, body)) }
        (ApiKey::ListGroups, _) => { let (body, mut reply) = request.decode()?; reply.room(groups::list_groups_size(g)).await; reply.now(&groups::list_groups(g, &body)) }
        (ApiKey::ApiVersions, _) => { let (_, reply) = request.decode::<ApiVersionsRequest>()?; reply.now(&api::api_versions()) }
        (ApiKey::CreateTopics, _) => { let (body, mut reply) = request.decode::<CreateTopicsRequest>()?; reply.room(api::settings_size(body.topics.len())).await; let response = api::create_topics(b, &reply.peer, reply.version(), body).await; reply.now(&response) }
        (ApiKey::DeleteTopics, _) => { let (body, reply) = request.decode()?; reply.now(&delete_topics(&queue, body).await) }
        (ApiKey::DeleteRecords, _) => { let (body, reply) = request.decode()?; let response = api::delete_records(b, &reply.peer, body).await; reply.now(&response) }
        (ApiKey::InitProducerId, _) => { let (body, reply) = request.decode()?; let response = transactions::init_producer_id(t, reply.version(), body).await; reply.later(response) }
        (ApiKey::OffsetForLeaderEpoch, _) => { let (body, reply) = request.decode()?; reply.now(&api::offset_for_leader_epoch(b, body).await) }
        (ApiKey::AddPartitionsToTxn, _) => { let (body, reply) = request.decode()?; let response = transactions::add_partitions_to_txn(t, reply.version(), body); reply.later(response) }
        (ApiKey::AddOffsetsToTxn, _) => { let (body, reply) = request.decode()?; let response = transactions::add_offsets_to_txn(t, reply.version(), body).await; reply.later(response) }
        (ApiKey::EndTxn, _) => { let (body, reply) = request.decode()?; let response = transactions::end_txn(t, reply.version(), &body); reply.later(response) }
        (ApiKey::WriteTxnMarkers, _) => { let (body, reply) = request.decode()?; let response = transactions::write_txn_markers(t, body); reply.later(response) }
        (ApiKey::TxnOffsetCommit, _) => { let (body, reply) = request.decode()?; let response = groups::txn_offset_commit(g, body).await; reply.later(response) }
        (ApiKey::DescribeConfigs, _) => { let (body, mut reply) = request.decode::<DescribeConfigsRequest>()?; reply.room(api::settings_size(body.resources.len())).await; reply.now(&api::describe_configs(b, body)) }
        (ApiKey::AlterConfigs, _) => { let (body, reply) = request.decode()?; reply.now(&api::alter_configs(b, body).await) }
        (ApiKey::DescribeLogDirs, _) => { let (body, mut reply) = request.decode()?; reply.room(api::log_dirs_size(b)).await; reply.now(&api::describe_log_dirs(b, body).await) }
        (ApiKey::CreatePartitions, _) => { let (body, reply) = request.decode()?; let response = api::create_partitions(b, &reply.peer, body).await; reply.now(&response) }
        (ApiKey::DeleteGroups, _) => { let (body, reply) = request.decode()?; let response = groups::delete_groups(g, body).await; reply.later(response) }
        (ApiKey::ElectLeaders, _) => { let (body, reply) = request.decode()?; let response = api::elect_leaders(b, reply.version(), body).await; reply.now(&response) }
        (ApiKey::IncrementalAlterConfigs, _) => { let (body, reply) = request.decode()?; reply.now(&api::incremental_alter_configs(b, body).await) }
        (ApiKey::ListPartitionReassignments, _) => { let (_, reply) = request.decode::<ListPartitionReassignmentsRequest>()?; reply.now(&api::list_partition_reassignments()) }
        (ApiKey::OffsetDelete, _) => { let (body, reply) = request.decode()?; let response = groups::offset_delete(g, body).await; reply.later(response) }
        (ApiKey::DescribeCluster, _) => { let (body, reply) = request.decode()?; reply.now(&api::describe_cluster(b, &body)) }
        (ApiKey::DescribeProducers, _) => { let (body, mut reply) = request.decode()?; reply.room(transactions::describe_producers_size(t, &body).await).await; let response = transactions::describe_producers(t, body).await; reply.now(&response) }
        (ApiKey::DescribeTransactions, _) => { let (body, mut reply) = request.decode()?; reply.room(transactions::describe_transactions_size(t, &body)).await; reply.now(&transactions::describe_transactions(t, body)) }
        (ApiKey::ListTransactions, _) => { let (body, mut reply) = request.decode()?; reply.room(transactions::list_transactions_size(t)).await; reply.now(&transactions::list_transactions(t, body)) }
    })
}

/// A producer may want no answer, and then closing is the only way to report an error.
fn acknowledge(reply: Reply, acknowledgement: Acknowledgement) -> Answer<Vec<Chunk>> {
    match acknowledgement {
        Acknowledgement::Now(response) => reply.now(&response),
        Acknowledgement::Later(response) => reply.later(response),
        Acknowledgement::Silence => Answer::Silence,
        Acknowledgement::Close => Answer::Close,
    }
}
