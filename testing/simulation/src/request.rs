//! What clients ask a broker, and what it answers.

use std::future::ready;
use std::sync::Arc;

use broker::api::{self, Acknowledgement};
use broker::{Broker, Sender};
use consumer_groups::{Coordinator as Groups, api as groups};
use disk::ReadAt;
use exactly_once::{Coordinator as Transactions, api as transactions};
use futures_util::FutureExt as _;
use futures_util::future::BoxFuture;
use networking::Chunk;
use wire_protocol::message::*;
use wire_protocol::{ErrorCode, Records};

/// The newest version of each API that the simulation's clients speak.
const JOIN_GROUP: i16 = 7;
const SYNC_GROUP: i16 = 5;
const OFFSET_FETCH: i16 = 7;
const LEAVE_GROUP: i16 = 2;
const TRANSACTIONS: i16 = 4;
const OF_PARTITIONS: i16 = 3;

/// What a client asks.
#[derive(Debug, Clone)]
pub(crate) enum Request {
    Produce(ProduceRequest),
    Fetch(FetchRequest),
    OffsetCommit(OffsetCommitRequest),
    OffsetFetch(OffsetFetchRequest),
    JoinGroup(JoinGroupRequest, String),
    SyncGroup(SyncGroupRequest),
    Heartbeat(HeartbeatRequest),
    LeaveGroup(LeaveGroupRequest),
    InitProducerId(InitProducerIdRequest),
    AddPartitions(AddPartitionsToTxnRequest),
    AddOffsets(AddOffsetsToTxnRequest),
    EndTxn(EndTxnRequest),
    TxnOffsetCommit(TxnOffsetCommitRequest),
}

/// What a broker answers.
#[derive(Debug)]
pub(crate) enum Response {
    /// With the offset of the batch's first record.
    Produce(ErrorCode, i64),
    Fetch(Vec<Fetched>),
    /// The answers of those APIs that clients here only want to have succeeded: the first
    /// error, if there is one.
    Done(ErrorCode),
    /// By partition.
    OffsetFetch(Vec<(i32, ErrorCode, i64)>),
    JoinGroup(JoinGroupResponse),
    SyncGroup(SyncGroupResponse),
    InitProducerId(InitProducerIdResponse),
}

/// What a fetch found in one partition.
#[derive(Debug)]
pub(crate) struct Fetched {
    pub(crate) topic: String,
    pub(crate) partition: i32,
    pub(crate) error_code: ErrorCode,
    pub(crate) high_watermark: i64,
    pub(crate) last_stable: i64,
    /// Producer and first offset of each.
    pub(crate) aborted: Vec<(i64, i64)>,
    pub(crate) batches: Vec<u8>,
}

/// What answers requests, in one life of the broker.
#[derive(Debug, Clone)]
pub(crate) struct Served {
    pub(crate) broker: Arc<Broker>,
    pub(crate) groups: Arc<Groups>,
    pub(crate) transactions: Arc<Transactions>,
    /// Readers get only what is on disk.
    pub(crate) shows_durable: bool,
}

/// Takes a request. It has taken effect when this completes; its answer may come later.
pub(crate) async fn begin(served: &Served, request: Request) -> BoxFuture<'static, Response> {
    let Served {
        broker: b,
        groups: g,
        transactions: t,
        ..
    } = served;
    match request {
        Request::Produce(body) => match api::produce(b, body).await {
            Acknowledgement::Now(response) => ready(produced(response)).boxed(),
            Acknowledgement::Later(response) => response.map(produced).boxed(),
            Acknowledgement::Silence | Acknowledgement::Close => {
                ready(Response::Done(ErrorCode::NONE)).boxed()
            }
        },
        Request::Fetch(body) => fetch(served.clone(), body).boxed(),
        Request::OffsetCommit(body) => {
            let response = groups::offset_commit(g, body).await;
            response.map(committed).boxed()
        }
        Request::OffsetFetch(body) => {
            let response = groups::offset_fetch(g, OFFSET_FETCH, body);
            response.map(offsets).boxed()
        }
        Request::JoinGroup(body, name) => {
            let sender = Sender {
                client_id: Some(name),
                host: std::net::Ipv4Addr::LOCALHOST.into(),
            };
            let response = groups::join_group(g, JOIN_GROUP, &sender, body);
            response.map(Response::JoinGroup).boxed()
        }
        Request::SyncGroup(body) => {
            let response = groups::sync_group(g, SYNC_GROUP, body);
            response.map(Response::SyncGroup).boxed()
        }
        Request::Heartbeat(body) => done(groups::heartbeat(g, &body).error_code),
        Request::LeaveGroup(body) => done(groups::leave_group(g, LEAVE_GROUP, body).error_code),
        Request::InitProducerId(body) => {
            let response = transactions::init_producer_id(t, TRANSACTIONS, body).await;
            response.map(Response::InitProducerId).boxed()
        }
        Request::AddPartitions(body) => {
            let response = transactions::add_partitions_to_txn(t, OF_PARTITIONS, body);
            response.map(added).boxed()
        }
        Request::AddOffsets(body) => {
            let response = transactions::add_offsets_to_txn(t, OF_PARTITIONS, body).await;
            response.map(|one| Response::Done(one.error_code)).boxed()
        }
        Request::EndTxn(body) => {
            let response = transactions::end_txn(t, OF_PARTITIONS, &body);
            response.map(|one| Response::Done(one.error_code)).boxed()
        }
        Request::TxnOffsetCommit(body) => {
            let response = groups::txn_offset_commit(g, body).await;
            response.map(committed_in_transaction).boxed()
        }
    }
}

fn done(code: ErrorCode) -> BoxFuture<'static, Response> {
    ready(Response::Done(code)).boxed()
}

fn first_error(codes: impl IntoIterator<Item = ErrorCode>) -> Response {
    let mut codes = codes.into_iter();
    Response::Done(
        codes
            .find(|code| *code != ErrorCode::NONE)
            .unwrap_or(ErrorCode::NONE),
    )
}

fn produced(response: ProduceResponse) -> Response {
    let of_topics = response.topics.iter();
    let one = of_topics.flat_map(|topic| &topic.partitions).next();
    let (code, base) = one.map_or((ErrorCode::UNKNOWN_SERVER_ERROR, -1), |one| {
        (one.error_code, one.base_offset)
    });
    Response::Produce(code, base)
}

fn committed(response: OffsetCommitResponse) -> Response {
    let partitions = response.topics.iter().flat_map(|topic| &topic.partitions);
    first_error(partitions.map(|one| one.error_code))
}

fn committed_in_transaction(response: TxnOffsetCommitResponse) -> Response {
    let partitions = response.topics.iter().flat_map(|topic| &topic.partitions);
    first_error(partitions.map(|one| one.error_code))
}

fn added(response: AddPartitionsToTxnResponse) -> Response {
    let results = response.results_by_topic.iter();
    let results = results.flat_map(|topic| &topic.results_by_partition);
    first_error(results.map(|one| one.partition_error_code))
}

fn offsets(response: OffsetFetchResponse) -> Response {
    let partitions = response.topics.iter().flat_map(|topic| &topic.partitions);
    let of = |one: &OffsetFetchPartitionResponse| {
        let code = match response.error_code {
            ErrorCode::NONE => one.error_code,
            code => code,
        };
        (one.partition_index, code, one.committed_offset)
    };
    Response::OffsetFetch(partitions.map(of).collect())
}

async fn fetch(served: Served, request: FetchRequest) -> Response {
    let response = api::fetch(&served.broker, request, None).await;
    let mut all = Vec::new();
    for topic in response.responses {
        for one in topic.partitions {
            let mut fetched = Fetched {
                topic: topic.topic.clone(),
                partition: one.partition_index,
                error_code: one.error_code,
                high_watermark: one.high_watermark,
                last_stable: one.last_stable_offset,
                aborted: one
                    .aborted_transactions
                    .unwrap_or_default()
                    .iter()
                    .map(|one| (one.producer_id, one.first_offset))
                    .collect(),
                batches: bytes_of(&one.records),
            };
            if served.shows_durable {
                cut_undurable(&served, &mut fetched);
            }
            all.push(fetched);
        }
    }
    Response::Fetch(all)
}

/// Takes the batches away that are not on disk.
fn cut_undurable(served: &Served, fetched: &mut Fetched) {
    let name = crate::batch::partition(&fetched.topic, fetched.partition);
    let topics = &served.broker.topics;
    let ends = topics
        .partition(&name.topic, name.partition)
        .map(|one| one.ends());
    let durable = match ends {
        Ok(Ok(ends)) => ends.durable,
        _ => message_model::Offset::ZERO,
    };
    let mut size = 0;
    for (header, batch) in record_batch::Batches::new(&fetched.batches).flatten() {
        if header.range().end > durable {
            break;
        }
        size += batch.len();
    }
    fetched.batches.truncate(size);
}

fn bytes_of(records: &Records) -> Vec<u8> {
    let mut all = Vec::new();
    for chunk in &records.chunks {
        match chunk {
            Chunk::Bytes(bytes) => all.extend_from_slice(bytes),
            Chunk::File(range) => {
                let start = all.len();
                all.resize(start + range.length as usize, 0);
                let filled = read(&*range.file, &mut all[start..], range.position);
                all.truncate(start + filled);
            }
        }
    }
    all
}

fn read(file: &dyn ReadAt, buffer: &mut [u8], position: u64) -> usize {
    let mut filled = 0;
    while filled < buffer.len() {
        match file.read_at(&mut buffer[filled..], position + filled as u64) {
            Ok(count) if count > 0 => filled += count,
            _ => break,
        }
    }
    filled
}
