//! CreateTopics (19): version 3.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;
use std::time::Duration;

use async_model::Clock;
use message_model::TopicName;
use wire_protocol::ErrorCode;
use wire_protocol::message::{
    CreatableTopic, CreatableTopicResult, CreateTopicsRequest, CreateTopicsResponse,
};

use crate::error::{Error, error_code};
use crate::serving::on_blocking_pool;
use crate::topics::Topics;

/// The longest that one request may keep the disk busy.
const TIME_MAX: Duration = Duration::from_secs(60);

/// Why a topic is not created: the code, and what it is about in words.
type Refused = (ErrorCode, String);

/// Creates topics.
pub async fn create_topics(
    topics: &Arc<Topics>,
    clock: Clock,
    request: CreateTopicsRequest,
) -> CreateTopicsResponse {
    let time = Duration::from_millis(u64::try_from(request.timeout_ms).unwrap_or(0));
    let deadline = clock.now().plus(time.min(TIME_MAX));
    let topics = Arc::clone(topics);
    on_blocking_pool(move || {
        let mut times: HashMap<String, usize> = HashMap::new();
        for topic in &request.topics {
            *times.entry(topic.name.clone()).or_default() += 1;
        }
        let create = |topic: CreatableTopic| {
            let name = topic.name.clone();
            let created = if times.get(&name).is_some_and(|times| *times > 1) {
                Err(refused(ErrorCode::INVALID_REQUEST, "it is named twice"))
            } else if clock.now() > deadline {
                Err(refused(ErrorCode::REQUEST_TIMED_OUT, "no time was left"))
            } else {
                create_one(&topics, topic, request.validate_only)
            };
            result(name, created)
        };
        CreateTopicsResponse {
            topics: request.topics.into_iter().map(create).collect(),
            ..CreateTopicsResponse::default()
        }
    })
    .await
}

fn create_one(topics: &Topics, topic: CreatableTopic, validate_only: bool) -> Result<(), Refused> {
    let name = TopicName::new(&topic.name).map_err(|error| said(error.into()))?;
    if !topic.assignments.is_empty() {
        let reason = "there is one broker: leave the choice of brokers to it";
        return Err(refused(ErrorCode::INVALID_REPLICA_ASSIGNMENT, reason));
    }
    if topic.replication_factor != 1 {
        let reason = "there is one broker: the replication factor is 1";
        return Err(refused(ErrorCode::INVALID_REPLICATION_FACTOR, reason));
    }
    let mut overrides = BTreeMap::new();
    for config in topic.configs {
        let value = config.value.unwrap_or_default();
        // One at a time, to say which one is wrong.
        let one = BTreeMap::from([(config.name.clone(), value.clone())]);
        if let Err(error) = topics.check_new(1, one) {
            let reason = format!("{}={value}: {error}", config.name);
            return Err((error_code(&error), reason));
        }
        overrides.insert(config.name, value);
    }
    let partitions = u32::try_from(topic.num_partitions).unwrap_or(0);
    if validate_only {
        topics.check_new(partitions, overrides).map_err(said)?;
        return match topics.get(&name) {
            Some(_) => Err(said(Error::Exists)),
            None => Ok(()),
        };
    }
    topics.create(&name, partitions, overrides).map_err(said)?;
    Ok(())
}

fn refused(code: ErrorCode, reason: &str) -> Refused {
    (code, reason.to_owned())
}

fn said(error: Error) -> Refused {
    (error_code(&error), error.to_string())
}

fn result(name: String, created: Result<(), Refused>) -> CreatableTopicResult {
    let (error_code, error_message) = match created {
        Ok(()) => {
            tracing::info!("created topic {name}");
            (ErrorCode::NONE, None)
        }
        Err((code, reason)) => {
            // Quoted: the name and the reason may hold whatever the client sent.
            tracing::info!("topic {name:?} is not created: {reason:?}");
            (code, Some(reason))
        }
    };
    CreatableTopicResult {
        name,
        error_code,
        error_message,
    }
}
