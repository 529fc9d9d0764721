//! DeleteTopics (20): version 1.

use std::sync::Arc;

use message_model::TopicName;
use wire_protocol::ErrorCode;
use wire_protocol::message::{DeletableTopicResult, DeleteTopicsRequest, DeleteTopicsResponse};

use crate::error::{Error, error_code};
use crate::serving::on_blocking_pool;
use crate::topics::{Topic, Topics};
use crate::waits::Waits;

/// Deletes topics with all their records; who waits for one is woken.
pub async fn delete_topics(
    topics: &Arc<Topics>,
    waits: &Waits,
    request: DeleteTopicsRequest,
) -> DeleteTopicsResponse {
    let mut responses = Vec::new();
    for name in request.topic_names {
        let deleted = delete_one(topics, &name).await;
        if let Ok(topic) = &deleted {
            tracing::info!("deleted topic {name}");
            for partition in &topic.partitions {
                waits.gone(partition.name());
            }
        }
        let error_code = deleted.map_or_else(|error| error_code(&error), |_| ErrorCode::NONE);
        responses.push(DeletableTopicResult { name, error_code });
    }
    DeleteTopicsResponse {
        responses,
        ..DeleteTopicsResponse::default()
    }
}

async fn delete_one(topics: &Arc<Topics>, name: &str) -> Result<Arc<Topic>, Error> {
    let name = TopicName::new(name).map_err(|_| Error::Unknown)?;
    let topics = Arc::clone(topics);
    on_blocking_pool(move || topics.delete(&name)).await
}
