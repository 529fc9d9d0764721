//! Requests with their answers, as the broker had them, as far as a law asks.

use record_batch::Batches;
use wire_protocol::ErrorCode;
use wire_protocol::message::JoinGroupResponse;

use crate::batch::Instance;
use crate::request::{Request, Response};
use crate::show;

/// A request and its answer, as the broker had them.
#[derive(Debug)]
pub(crate) struct Exchange {
    /// The number of the moment when the request arrived.
    pub(crate) arrived: u64,
    /// The number of the moment when the answer left.
    pub(crate) left: u64,
    /// What it was.
    pub(crate) what: Exchanged,
}

/// What an exchange was, as far as a law asks.
#[derive(Debug)]
pub(crate) enum Exchanged {
    /// A call of an instance, and its answer.
    OfInstance {
        instance: Instance,
        call: String,
        code: ErrorCode,
    },
    /// A new instance of a transactional id.
    Init {
        id: String,
        instance: Instance,
        /// Whether it goes on after an error.
        goes_on: bool,
    },
    /// A generation that was joined.
    Joined { group: String, generation: i32 },
    /// The partitions that a member got in a generation.
    Assigned {
        group: String,
        generation: i32,
        member: String,
        partitions: Vec<u8>,
    },
    /// Offsets that a member committed, in a transaction or not.
    Committed {
        group: String,
        generation: i32,
        offsets: Vec<(i32, i64)>,
        in_transaction: bool,
    },
    /// Offsets that were read.
    Offsets {
        group: String,
        offsets: Vec<(i32, i64)>,
    },
    /// Nothing that a law asks for.
    Other,
}

impl Exchange {
    pub(crate) fn new(when: (u64, u64), request: Request, response: &Response) -> Exchange {
        Exchange {
            arrived: when.0,
            left: when.1,
            what: exchanged(request, response),
        }
    }
}

fn exchanged(request: Request, response: &Response) -> Exchanged {
    let of = |producer: (i64, i16), request: &Request, code: ErrorCode| Exchanged::OfInstance {
        instance: Instance {
            id: producer.0,
            epoch: producer.1,
        },
        call: show::request(request),
        code,
    };
    match (&request, response) {
        (Request::Produce(body), Response::Produce(code, _)) => match show::batch(body) {
            Some(bytes) => match Batches::new(&bytes).next() {
                Some(Ok((header, _))) => of(
                    (header.producer_id.0, header.producer_epoch.0),
                    &request,
                    *code,
                ),
                _ => Exchanged::Other,
            },
            None => Exchanged::Other,
        },
        (Request::AddPartitions(body), Response::Done(code)) => {
            of((body.producer_id, body.producer_epoch), &request, *code)
        }
        (Request::AddOffsets(body), Response::Done(code)) => {
            of((body.producer_id, body.producer_epoch), &request, *code)
        }
        (Request::EndTxn(body), Response::Done(code)) => {
            of((body.producer_id, body.producer_epoch), &request, *code)
        }
        (Request::InitProducerId(body), Response::InitProducerId(answer)) => {
            match (&body.transactional_id, answer.error_code) {
                (Some(id), ErrorCode::NONE) => Exchanged::Init {
                    id: id.clone(),
                    instance: Instance {
                        id: answer.producer_id,
                        epoch: answer.producer_epoch,
                    },
                    goes_on: body.producer_id >= 0,
                },
                _ => Exchanged::Other,
            }
        }
        _ => of_group(request, response),
    }
}

fn of_group(request: Request, response: &Response) -> Exchanged {
    match (request, response) {
        (
            Request::JoinGroup(body, _),
            Response::JoinGroup(JoinGroupResponse {
                error_code: ErrorCode::NONE,
                generation_id,
                ..
            }),
        ) => Exchanged::Joined {
            group: body.group_id,
            generation: *generation_id,
        },
        (Request::SyncGroup(body), Response::SyncGroup(answer))
            if answer.error_code == ErrorCode::NONE =>
        {
            Exchanged::Assigned {
                group: body.group_id,
                generation: body.generation_id,
                member: body.member_id,
                partitions: answer.assignment.to_vec(),
            }
        }
        (Request::OffsetCommit(body), Response::Done(ErrorCode::NONE)) => Exchanged::Committed {
            group: body.group_id,
            generation: body.generation_id,
            offsets: body
                .topics
                .iter()
                .flat_map(|topic| &topic.partitions)
                .map(|one| (one.partition_index, one.committed_offset))
                .collect(),
            in_transaction: false,
        },
        (Request::TxnOffsetCommit(body), Response::Done(ErrorCode::NONE)) => Exchanged::Committed {
            group: body.group_id,
            generation: body.generation_id,
            offsets: body
                .topics
                .iter()
                .flat_map(|topic| &topic.partitions)
                .map(|one| (one.partition_index, one.committed_offset))
                .collect(),
            in_transaction: true,
        },
        (Request::OffsetFetch(body), Response::OffsetFetch(all)) => Exchanged::Offsets {
            group: body.group_id,
            offsets: all
                .iter()
                .filter(|(_, code, _)| *code == ErrorCode::NONE)
                .map(|(partition, _, offset)| (*partition, *offset))
                .collect(),
        },
        _ => Exchanged::Other,
    }
}
