//! Requests and answers in a line of the trace.

use record_batch::{Batches, decode_records};
use wire_protocol::ErrorCode;
use wire_protocol::message::{FetchRequest, FetchTopic, ProduceRequest};

use crate::request::{Request, Response};

/// Returns the values of the batch in a Produce.
pub(crate) fn values(request: &ProduceRequest) -> Vec<u64> {
    let Some(bytes) = batch(request) else {
        return Vec::new();
    };
    let records = decode_records(&bytes).unwrap_or_default();
    let values = records.iter().filter_map(|record| record.value);
    let values = values.filter_map(|value| value.try_into().ok());
    values.map(u64::from_be_bytes).collect()
}

/// Returns the one batch in a Produce.
pub(crate) fn batch(request: &ProduceRequest) -> Option<bytes::Bytes> {
    let partition = request.topics.first()?.partitions.first()?;
    Some(partition.records.clone().into_bytes())
}

/// Returns a request in a few words. Member ids, which are random, are left out but for the
/// name of the client in front.
pub(crate) fn request(request: &Request) -> String {
    match request {
        Request::Produce(body) => produce(body),
        Request::Fetch(body) => fetch(body),
        Request::InitProducerId(body) => format!(
            "InitProducerId {} from {}/{}",
            body.transactional_id.as_deref().unwrap_or("-"),
            body.producer_id,
            body.producer_epoch
        ),
        Request::AddPartitions(body) => {
            let topics = body.topics.iter().map(|one| (&one.name, &one.partitions));
            let topics: Vec<_> = topics.collect();
            let (id, epoch) = (&body.transactional_id, body.producer_epoch);
            format!("AddPartitionsToTxn {id} epoch {epoch}: {topics:?}")
        }
        Request::AddOffsets(body) => {
            let (id, epoch) = (&body.transactional_id, body.producer_epoch);
            format!("AddOffsetsToTxn {id} epoch {epoch}")
        }
        Request::EndTxn(body) => {
            let how = if body.committed { "commit" } else { "abort" };
            let (id, epoch) = (&body.transactional_id, body.producer_epoch);
            format!("EndTxn {id} epoch {epoch}: {how}")
        }
        Request::TxnOffsetCommit(body) => {
            let topics = body.topics.iter().flat_map(|topic| &topic.partitions);
            let offsets = topics.map(|one| (one.partition_index, one.committed_offset));
            let offsets: Vec<_> = offsets.collect();
            let (id, epoch) = (&body.transactional_id, body.producer_epoch);
            let generation = body.generation_id;
            format!("TxnOffsetCommit {id} epoch {epoch} generation {generation}: {offsets:?}")
        }
        of_group => group_request(of_group),
    }
}

fn group_request(request: &Request) -> String {
    match request {
        Request::OffsetCommit(body) => {
            let topics = body.topics.iter().flat_map(|topic| &topic.partitions);
            let offsets = topics.map(|one| (one.partition_index, one.committed_offset));
            let offsets: Vec<_> = offsets.collect();
            let (group, generation) = (&body.group_id, body.generation_id);
            format!("OffsetCommit {group} generation {generation}: {offsets:?}")
        }
        Request::OffsetFetch(body) => format!("OffsetFetch {}", body.group_id),
        Request::JoinGroup(body, name) => format!("JoinGroup {} by {name}", body.group_id),
        Request::SyncGroup(body) => {
            let (member, generation) = (name_of(&body.member_id), body.generation_id);
            format!(
                "SyncGroup {} generation {generation} by {member}",
                body.group_id
            )
        }
        Request::Heartbeat(body) => {
            let (member, generation) = (name_of(&body.member_id), body.generation_id);
            format!(
                "Heartbeat {} generation {generation} by {member}",
                body.group_id
            )
        }
        Request::LeaveGroup(body) => {
            format!(
                "LeaveGroup {} by {}",
                body.group_id,
                name_of(&body.member_id)
            )
        }
        _ => String::new(),
    }
}

fn produce(body: &ProduceRequest) -> String {
    let place = body.topics.first().map(|topic| {
        let partition = topic.partitions.first().map_or(-1, |one| one.index);
        format!("{}-{partition}", topic.name)
    });
    let header = batch(body).and_then(|bytes| {
        let (header, _) = Batches::new(&bytes).next()?.ok()?;
        Some(format!(
            "producer {} epoch {} number {}",
            header.producer_id.0, header.producer_epoch.0, header.base_sequence
        ))
    });
    let (place, header) = (place.unwrap_or_default(), header.unwrap_or_default());
    format!("Produce to {place}, {header}: {:?}", values(body))
}

fn fetch(body: &FetchRequest) -> String {
    let of = |topic: &FetchTopic| {
        let partitions = topic.partitions.iter();
        let partitions = partitions.map(|one| (one.partition, one.fetch_offset));
        format!("{} {:?}", topic.topic, partitions.collect::<Vec<_>>())
    };
    let topics: Vec<_> = body.topics.iter().map(of).collect();
    format!(
        "Fetch {} (isolation {})",
        topics.join(", "),
        body.isolation_level
    )
}

/// Returns an answer in a few words.
pub(crate) fn response(response: &Response) -> String {
    match response {
        Response::Produce(ErrorCode::NONE, base) => format!("appended at {base}"),
        Response::Produce(code, _) => format!("not appended: code {}", code.0),
        Response::Fetch(all) => {
            let of = |one: &crate::request::Fetched| {
                format!(
                    "{}-{} code {} {} bytes, stable {} of {}",
                    one.topic,
                    one.partition,
                    one.error_code.0,
                    one.batches.len(),
                    one.last_stable,
                    one.high_watermark
                )
            };
            let all: Vec<_> = all.iter().map(of).collect();
            format!("fetched {}", all.join("; "))
        }
        Response::Done(code) => format!("code {}", code.0),
        Response::OffsetFetch(all) => {
            let all: Vec<_> = all
                .iter()
                .map(|(one, code, offset)| (one, code.0, offset))
                .collect();
            format!("offsets {all:?}")
        }
        Response::JoinGroup(body) => format!(
            "joined generation {} as {}, led by {}, code {}",
            body.generation_id,
            name_of(&body.member_id),
            name_of(&body.leader),
            body.error_code.0
        ),
        Response::SyncGroup(body) => {
            format!(
                "assigned {:?}, code {}",
                &body.assignment[..],
                body.error_code.0
            )
        }
        Response::InitProducerId(body) => format!(
            "producer {} epoch {}, code {}",
            body.producer_id, body.producer_epoch, body.error_code.0
        ),
    }
}

/// Returns the name of the client in a member id.
fn name_of(member: &str) -> &str {
    member.split('-').next().unwrap_or_default()
}
