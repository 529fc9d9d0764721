//! Produce (0): versions 3 to 9; versions 0 to 2 are canaries.

use std::sync::Arc;
use std::time::Duration;

use futures_util::future::{BoxFuture, join_all};
use message_model::{Moment, Timestamp};
use networking::Chunk;
use record_batch::BatchHeader;
use wire_protocol::message::{
    ProducePartition, ProducePartitionResponse, ProduceRecordError, ProduceRequest,
    ProduceResponse, ProduceTopic, ProduceTopicResponse,
};
use wire_protocol::{ErrorCode, Records};

use super::{code_of, find_partition};
use crate::broker::Broker;
use crate::error::{Error, Unfit};
use crate::internal_topics::is_internal;
use crate::partition::{Appended, Partition, Produced, is_compressed, validate_produced};
use crate::services::once;

/// The longest that an acknowledgement waits for the disk, whatever the producer allows.
const WAIT_MAX: Duration = Duration::from_secs(300);

/// What a producer hears, once its batches are in the log.
pub enum Acknowledgement {
    /// A response.
    Now(ProduceResponse),
    /// A response when the batches are on disk (`acks=all`).
    Later(BoxFuture<'static, ProduceResponse>),
    /// Nothing: it asked for `acks=0`, and all went well.
    Silence,
    /// The end of the connection: the only way to tell a producer with
    /// `acks=0` that something went wrong.
    Close,
}

/// What an acknowledgement says about the records.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Acks {
    /// `acks=0`: nothing, and it is not sent.
    None,
    /// `acks=1`: they are in the page cache, and survive the end of this process.
    Leader,
    /// `acks=-1` or `all`: they are on disk, and survive the loss of power.
    All,
}

/// What became of one partition's batch.
struct Outcome {
    index: i32,
    appended: Result<(Arc<Partition>, Appended), Error>,
}

/// Appends a batch to each of some partitions. Completes when all are in the
/// page cache; the acknowledgement may come later.
// ANCHOR: produce
pub async fn produce(broker: &Broker, request: ProduceRequest) -> Acknowledgement {
    let clock = broker.services.clock;
    let acks = match request.acks {
        0 => Acks::None,
        1 => Acks::Leader,
        -1 => Acks::All,
        _ => return Acknowledgement::Now(refuse(request, ErrorCode::INVALID_REQUIRED_ACKS)),
    };
    if let Some(code) = refused_transaction(broker, &request) {
        return acknowledge_all(acks, refuse(request, code));
    }
    let timeout = Duration::from_millis(u64::try_from(request.timeout_ms).unwrap_or(0));
    let deadline = clock.now().plus(timeout.min(WAIT_MAX));
    let mut outcomes = Vec::with_capacity(request.topics.len());
    for topic in request.topics {
        let mut partitions = Vec::with_capacity(topic.partitions.len());
        for wanted in topic.partitions {
            let index = wanted.index;
            let appended = append(broker, clock.wall(), &topic.name, wanted).await;
            partitions.push(Outcome { index, appended });
        }
        outcomes.push((topic.name, partitions));
    }
    if acks == Acks::All {
        return Acknowledgement::Later(Box::pin(when_durable(deadline, outcomes)));
    }
    acknowledge_all(acks, encode(outcomes))
}
// ANCHOR_END: produce

async fn append(
    broker: &Broker,
    now: Timestamp,
    topic: &str,
    wanted: ProducePartition,
) -> Result<(Arc<Partition>, Appended), Error> {
    let partition = find_partition(&broker.topics, topic, wanted.index)?;
    if is_internal(topic) {
        return Err(Error::Rejected(ErrorCode::INVALID_TOPIC_EXCEPTION));
    }
    let produced = validate(broker, now, &partition, wanted.records).await?;
    let appended = partition.append(now, produced).await?;
    Ok((partition, appended))
}

/// As [`validate_produced`]. What must be opened is opened on a lane: a few kilobytes may
/// keep a thread busy for a tenth of a second.
async fn validate(
    broker: &Broker,
    now: Timestamp,
    partition: &Partition,
    records: Records,
) -> Result<Produced, Error> {
    let settings = partition.settings();
    let opening = broker.services.opening;
    if opening.is_none() || !is_compressed(&records) {
        return validate_produced(now, &settings, opening, records);
    }
    let lane = &broker.services.lanes.openings;
    let key = Arc::clone(partition.shared_name());
    once(lane, key, move || {
        validate_produced(now, &settings, opening, records)
    })
    .await
}

/// A transactional batch needs a transactional id. Without rules for producers it is
/// refused: its transaction would never end.
fn refused_transaction(broker: &Broker, request: &ProduceRequest) -> Option<ErrorCode> {
    let refusal = match (&request.transactional_id, &broker.services.producers) {
        (None, _) => ErrorCode::TRANSACTIONAL_ID_AUTHORIZATION_FAILED,
        (Some(_), None) => ErrorCode::INVALID_PRODUCER_ID_MAPPING,
        (Some(_), Some(_)) => return None,
    };
    let mut partitions = request.topics.iter().flat_map(|topic| &topic.partitions);
    let is_transactional = |wanted: &ProducePartition| match wanted.records.chunks.first() {
        Some(Chunk::Bytes(batch)) => {
            BatchHeader::read(batch).is_ok_and(|header| header.is_transactional())
        }
        _ => false,
    };
    partitions.any(is_transactional).then_some(refusal)
}

/// The response when every batch that was appended is on disk, or `deadline` has come.
async fn when_durable(
    deadline: Moment,
    mut outcomes: Vec<(String, Vec<Outcome>)>,
) -> ProduceResponse {
    let all = outcomes.iter_mut().flat_map(|(_, partitions)| partitions);
    // A future for each batch, not for each entry of the request: an entry may be
    // of eight bytes, and a future that waits is of hundreds.
    let appended = all.filter(|outcome| outcome.appended.is_ok());
    join_all(appended.map(|outcome| async move {
        if let Ok((partition, appended)) = &outcome.appended
            && let Err(error) = partition.durable(appended.range.end, deadline).await
        {
            outcome.appended = Err(error);
        }
    }))
    .await;
    encode(outcomes)
}

fn encode(outcomes: Vec<(String, Vec<Outcome>)>) -> ProduceResponse {
    let topic = |(name, partitions): (String, Vec<Outcome>)| ProduceTopicResponse {
        partitions: partitions
            .into_iter()
            .map(|outcome| encode_partition(&name, outcome))
            .collect(),
        name,
    };
    ProduceResponse {
        topics: outcomes.into_iter().map(topic).collect(),
        ..ProduceResponse::default()
    }
}

fn encode_partition(topic: &str, outcome: Outcome) -> ProducePartitionResponse {
    let index = outcome.index;
    match outcome.appended {
        Ok((_, appended)) => ProducePartitionResponse {
            index,
            base_offset: appended.range.start.0,
            log_append_time_ms: appended.log_append_time.0,
            log_start_offset: appended.ends.log_start.0,
            ..ProducePartitionResponse::default()
        },
        Err(error) => ProducePartitionResponse {
            index,
            error_code: code_of(topic, index, &error),
            record_errors: record_errors(&error),
            error_message: message(&error),
            ..ProducePartitionResponse::default()
        },
    }
}

/// The records that a batch was refused for, as far as they are known.
fn record_errors(error: &Error) -> Vec<ProduceRecordError> {
    let Error::Unfit(unfit @ Unfit::Keyless { records }) = error else {
        return Vec::new();
    };
    let of = |index: &i32| ProduceRecordError {
        batch_index: *index,
        batch_index_error_message: Some(unfit.to_string()),
    };
    records.iter().map(of).collect()
}

/// Why a batch was refused, in words, if that is for some of its records.
fn message(error: &Error) -> Option<String> {
    let is_about_records = matches!(error, Error::Unfit(Unfit::Keyless { .. }));
    is_about_records.then(|| error.to_string())
}

fn acknowledge_all(acks: Acks, response: ProduceResponse) -> Acknowledgement {
    if acks != Acks::None {
        return Acknowledgement::Now(response);
    }
    let mut partitions = response.topics.iter().flat_map(|topic| &topic.partitions);
    if partitions.all(|partition| partition.error_code == ErrorCode::NONE) {
        Acknowledgement::Silence
    } else {
        Acknowledgement::Close
    }
}

/// Answers a version that is advertised and not served.
#[must_use]
pub fn refuse_produce(request: ProduceRequest) -> Acknowledgement {
    if request.acks == 0 {
        return Acknowledgement::Close;
    }
    Acknowledgement::Now(refuse(request, ErrorCode::UNSUPPORTED_VERSION))
}

/// The same error for every partition.
fn refuse(request: ProduceRequest, error_code: ErrorCode) -> ProduceResponse {
    let partition = |wanted: ProducePartition| ProducePartitionResponse {
        index: wanted.index,
        error_code,
        ..ProducePartitionResponse::default()
    };
    let topic = |wanted: ProduceTopic| ProduceTopicResponse {
        name: wanted.name,
        partitions: wanted.partitions.into_iter().map(partition).collect(),
    };
    ProduceResponse {
        topics: request.topics.into_iter().map(topic).collect(),
        ..ProduceResponse::default()
    }
}
