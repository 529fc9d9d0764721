//! CreateTopics (19): versions 2 to 5.

use std::collections::HashMap;
use std::time::Duration;

use message_model::{BrokerId, TopicName};
use networking::Peer;
use wire_protocol::ErrorCode;
use wire_protocol::message::{
    CreatableReplicaAssignment, CreatableTopic, CreatableTopicConfig, CreatableTopicResult,
    CreatableTopicSetting, CreateTopicsRequest, CreateTopicsResponse, DescribeConfigsEntry,
};

use super::p32_describe_configs::{RESOURCES_MAX, entries_of_topic};
use crate::broker::Broker;
use crate::error::{Error, error_code};
use crate::topics::TopicConfig;

/// The longest that one request may create topics.
const TIME_MAX: Duration = Duration::from_secs(60);
/// In place of a number: the broker's default.
const DEFAULT: i32 = -1;
/// How much of a name and a reason goes into the log, in characters.
const LOGGED: usize = 200;

/// Why a topic is not created: the code, and what it is about in words.
type Refusal = (ErrorCode, String);

/// What a topic has that was created, or could be.
struct Created {
    partitions: u32,
    config: TopicConfig,
}

/// The first version whose answer says what was created.
const DESCRIBED_SINCE: i16 = 5;

/// Creates topics, one after the other, until the time is over or the client is gone.
pub async fn create_topics(
    broker: &Broker,
    peer: &Peer,
    version: i16,
    request: CreateTopicsRequest,
) -> CreateTopicsResponse {
    let clock = broker.services.clock;
    let time = Duration::from_millis(u64::try_from(request.timeout_ms).unwrap_or(0));
    let deadline = clock.now().plus(time.min(TIME_MAX));
    let mut times: HashMap<String, usize> = HashMap::new();
    for topic in &request.topics {
        *times.entry(topic.name.clone()).or_default() += 1;
    }
    let mut topics = Vec::new();
    for topic in request.topics {
        tokio::task::consume_budget().await;
        let name = topic.name.clone();
        let created = match times.get_mut(&name) {
            // One answer for a name, however often it comes.
            Some(0) => continue,
            Some(times) if *times > 1 => {
                *times = 0;
                Err(refusal(
                    ErrorCode::INVALID_REQUEST,
                    "the request names it twice",
                ))
            }
            _ if clock.now() > deadline || peer.is_gone() => {
                Err(refusal(ErrorCode::REQUEST_TIMED_OUT, "no time was left"))
            }
            _ => create_one(broker, topic, request.validate_only).await,
        };
        let described = match &created {
            // As with DescribeConfigs: a short request could make us build a huge response.
            Ok(created) if version >= DESCRIBED_SINCE && topics.len() < RESOURCES_MAX => {
                describe(broker, created)
            }
            _ => undescribed(),
        };
        topics.push(result(name, created, described));
    }
    CreateTopicsResponse {
        topics,
        ..CreateTopicsResponse::default()
    }
}

/// In Kafka's order: that the topic exists is said before anything else about it,
/// for the sake of programs that create it unless it exists.
async fn create_one(
    broker: &Broker,
    topic: CreatableTopic,
    validate_only: bool,
) -> Result<Created, Refusal> {
    let name = TopicName::new(&topic.name).map_err(|error| because(error.into()))?;
    if broker.topics.get(&name).is_some() {
        return Err(because(Error::Exists));
    }
    let partitions = partitions(broker, &topic)?;
    let mut settings = broker.topics.new_config();
    for CreatableTopicConfig { name, value } in topic.configs {
        let no_value = || refusal(ErrorCode::INVALID_CONFIG, "a setting has a value");
        let value = value.ok_or_else(no_value)?;
        settings.set(&name, &value).map_err(|error| {
            let (code, reason) = because(error.into());
            (code, format!("{name}={value}: {reason}"))
        })?;
    }
    let fits = settings.settings.check();
    fits.map_err(|error| because(error.into()))?;
    let created = Created {
        partitions,
        config: settings.clone(),
    };
    if validate_only {
        broker
            .topics
            .check_partitions(partitions)
            .map_err(because)?;
        return Ok(created);
    }
    let topic = broker.topics.create(&name, partitions, settings).await;
    topic.map(|_| created).map_err(because)
}

/// What the answer says of a topic of which it says no more.
fn undescribed() -> CreatableTopicResult {
    CreatableTopicResult {
        configs: Some(Vec::new()),
        ..CreatableTopicResult::default()
    }
}

/// What the answer says of a topic beside that it was created.
fn describe(broker: &Broker, created: &Created) -> CreatableTopicResult {
    let settings = entries_of_topic(&created.config, &broker.settings).into_iter();
    let setting = |entry: DescribeConfigsEntry| CreatableTopicSetting {
        name: entry.name,
        value: entry.value,
        config_source: entry.config_source,
        ..CreatableTopicSetting::default()
    };
    CreatableTopicResult {
        num_partitions: i32::try_from(created.partitions).unwrap_or(i32::MAX),
        replication_factor: 1,
        configs: Some(settings.map(setting).collect()),
        ..CreatableTopicResult::default()
    }
}

/// How many partitions the topic gets.
fn partitions(broker: &Broker, topic: &CreatableTopic) -> Result<u32, Refusal> {
    if !topic.assignments.is_empty() {
        if topic.num_partitions != DEFAULT || i32::from(topic.replication_factor) != DEFAULT {
            let reason = "give either assignments or numbers, and -1 for the other";
            return Err(refusal(ErrorCode::INVALID_REQUEST, reason));
        }
        return assigned(&topic.assignments, broker.info.id);
    }
    let partitions = match topic.num_partitions {
        DEFAULT => broker.partitions_default,
        // 0 partitions and fewer are refused with the limit in the message.
        number => u32::try_from(number).unwrap_or(0),
    };
    broker
        .topics
        .check_partitions(partitions)
        .map_err(because)?;
    if !matches!(topic.replication_factor, -1 | 1) {
        let reason = "there is one broker, so the replication factor is 1";
        return Err(refusal(ErrorCode::INVALID_REPLICATION_FACTOR, reason));
    }
    Ok(partitions)
}

/// The number of partitions that are assigned by hand: 0, 1, 2 … each to this broker.
fn assigned(assignments: &[CreatableReplicaAssignment], broker: BrokerId) -> Result<u32, Refusal> {
    let mut indexes: Vec<i32> = assignments.iter().map(|one| one.partition_index).collect();
    indexes.sort_unstable();
    let consecutive = indexes
        .iter()
        .zip(0..)
        .all(|(index, wanted)| *index == wanted);
    let to_us = assignments.iter().all(|one| one.broker_ids == [broker.0]);
    if !consecutive || !to_us {
        let reason = format!("assign the partitions 0, 1, 2 and so on, each to broker {broker}");
        return Err((ErrorCode::INVALID_REPLICA_ASSIGNMENT, reason));
    }
    Ok(u32::try_from(indexes.len()).unwrap_or(u32::MAX))
}

fn refusal(code: ErrorCode, reason: &str) -> Refusal {
    (code, reason.to_owned())
}

fn because(error: Error) -> Refusal {
    (error_code(&error), error.to_string())
}

fn result(
    name: String,
    created: Result<Created, Refusal>,
    described: CreatableTopicResult,
) -> CreatableTopicResult {
    let (error_code, error_message) = match created {
        Ok(_) => {
            tracing::info!("created topic {name}");
            (ErrorCode::NONE, None)
        }
        Err((code, reason)) => {
            // Quoted and cut: the name and the reason may hold whatever the client sent.
            let cut = |text: &str| text.chars().take(LOGGED).collect::<String>();
            tracing::info!("topic {:?} is not created: {:?}", cut(&name), cut(&reason));
            (code, Some(reason))
        }
    };
    CreatableTopicResult {
        name,
        error_code,
        error_message,
        ..described
    }
}
