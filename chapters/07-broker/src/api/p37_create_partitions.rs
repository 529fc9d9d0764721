//! CreatePartitions (37): versions 0 to 3.

use std::collections::HashMap;
use std::time::Duration;

use message_model::{BrokerId, TopicName};
use networking::Peer;
use wire_protocol::ErrorCode;
use wire_protocol::message::{
    CreatePartitionsRequest, CreatePartitionsResponse, CreatePartitionsTopic,
    CreatePartitionsTopicResult,
};

use super::refusal::{Refusal, answer_and_log};
use crate::broker::Broker;
use crate::error::Error;
use crate::internal_topics::is_internal;

/// The longest that one request may create partitions.
const TIME_MAX: Duration = Duration::from_secs(60);

/// Gives topics more partitions, one topic after the other, until the time is over
/// or the client is gone. The partitions that a topic has go on meanwhile.
///
/// A topic that comes twice is refused, once, as in Kafka. With a timeout of 0 or
/// less nothing is done.
pub async fn create_partitions(
    broker: &Broker,
    peer: &Peer,
    request: CreatePartitionsRequest,
) -> CreatePartitionsResponse {
    let clock = broker.services.clock;
    let time = Duration::from_millis(u64::try_from(request.timeout_ms).unwrap_or(0));
    let deadline = clock.now().plus(time.min(TIME_MAX));
    let mut times: HashMap<String, usize> = HashMap::new();
    for topic in &request.topics {
        *times.entry(topic.name.clone()).or_default() += 1;
    }
    let mut results = Vec::new();
    for topic in request.topics {
        tokio::task::consume_budget().await;
        let grown = match times.get_mut(&topic.name) {
            // One answer for a name, however often it comes.
            Some(0) => continue,
            Some(times) if *times > 1 => {
                *times = 0;
                let reason = "the request names it twice";
                Err(Refusal::new(ErrorCode::INVALID_REQUEST, reason))
            }
            _ if time.is_zero() || clock.now() > deadline || peer.is_gone() => {
                let reason = "no time was left";
                Err(Refusal::new(ErrorCode::REQUEST_TIMED_OUT, reason))
            }
            _ => grow_one(broker, &topic, request.validate_only).await,
        };
        let (error_code, error_message) = answer_and_log("more partitions for", &topic.name, grown);
        results.push(CreatePartitionsTopicResult {
            name: topic.name,
            error_code,
            error_message,
        });
    }
    CreatePartitionsResponse {
        results,
        ..CreatePartitionsResponse::default()
    }
}

async fn grow_one(
    broker: &Broker,
    topic: &CreatePartitionsTopic,
    validate_only: bool,
) -> Result<(), Refusal> {
    let topics = &broker.topics;
    // A name that no topic can have is an unknown topic's, as in Kafka.
    let name = TopicName::new(&topic.name).map_err(|_| Error::Unknown)?;
    if is_internal(&topic.name) {
        // Kafka lets it grow, and then looks for groups and transactions where they are not.
        let reason = "groups and transactions are looked for in as many partitions as it has";
        return Err(Refusal::new(ErrorCode::INVALID_TOPIC_EXCEPTION, reason));
    }
    let present = topics.get(&name).ok_or(Error::Unknown)?.partitions.len();
    let count = match u32::try_from(topic.count) {
        Ok(count) if count as usize > present => count,
        _ => {
            let reason = format!("{name} has {present} partitions already, and loses none");
            return Err(Refusal::new(ErrorCode::INVALID_PARTITIONS, reason));
        }
    };
    check_assignments(topic, count as usize - present, broker.info.id)?;
    if validate_only {
        return Ok(topics.check_growth(&name, count).await?);
    }
    Ok(topics.grow(&name, count).await?)
}

/// New partitions that are assigned by hand: as many as are wanted, each to this broker.
fn check_assignments(
    topic: &CreatePartitionsTopic,
    wanted: usize,
    broker: BrokerId,
) -> Result<(), Refusal> {
    let Some(assignments) = &topic.assignments else {
        return Ok(());
    };
    let to_us = assignments.iter().all(|one| one.broker_ids == [broker.0]);
    if assignments.len() != wanted || !to_us {
        let reason = format!("assign each of the {wanted} new partitions to broker {broker}");
        return Err(Refusal::new(ErrorCode::INVALID_REPLICA_ASSIGNMENT, reason));
    }
    Ok(())
}
