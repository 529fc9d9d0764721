//! DeleteTopics (20): versions 1 to 4.

use std::collections::BTreeMap;

use message_model::TopicName;
use wire_protocol::ErrorCode;
use wire_protocol::message::{DeletableTopicResult, DeleteTopicsRequest, DeleteTopicsResponse};

use crate::broker::Broker;
use crate::error::{Error, error_code};

/// Deletes topics with all their records; requests that wait for one are woken.
///
/// A name that comes twice is refused, once, as in Kafka. With a timeout of 0 or
/// less nothing is deleted.
pub async fn delete_topics(broker: &Broker, request: DeleteTopicsRequest) -> DeleteTopicsResponse {
    let mut times: BTreeMap<String, usize> = BTreeMap::new();
    for name in request.topic_names {
        *times.entry(name).or_default() += 1;
    }
    let mut responses = Vec::new();
    for (name, times) in times {
        tokio::task::consume_budget().await;
        let error_code = match times {
            1 if request.timeout_ms <= 0 => ErrorCode::REQUEST_TIMED_OUT,
            1 => delete_one(broker, &name).await,
            _ => ErrorCode::INVALID_REQUEST,
        };
        responses.push(DeletableTopicResult { name, error_code });
    }
    DeleteTopicsResponse {
        responses,
        ..DeleteTopicsResponse::default()
    }
}

async fn delete_one(broker: &Broker, name: &str) -> ErrorCode {
    let Ok(topic) = TopicName::new(name) else {
        return error_code(&Error::Unknown);
    };
    match broker.topics.delete(&topic).await {
        Ok(()) => {
            tracing::info!("deleted topic {name}");
            ErrorCode::NONE
        }
        Err(error) => error_code(&error),
    }
}
