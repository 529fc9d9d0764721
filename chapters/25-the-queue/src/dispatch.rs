//! Which handler answers which API. Read down the match: it is the queue's plan.

use std::sync::Arc;

use broker::api::{self, Acknowledgement};
use broker::{Answer, Request, sync_on_blocking_pool};
use wire_protocol::{ApiKey, Malformed};

use crate::queue::Queue;

/// Answers one request.
///
/// One line per API: what is decoded is of the type that its handler takes.
/// Versions that are advertised but not served ([`wire_protocol::CANARIES`]) have
/// a line of their own.
///
/// # Errors
/// When the body is not such a request; the connection is to be closed then.
#[rustfmt::skip]
pub async fn answer(queue: Arc<Queue>, request: Request) -> Result<Answer, Malformed> {
    let Queue { topics, waits, clock, .. } = &*queue;
    let clock = *clock;
    let r = &request;
    Ok(match (r.api, r.is_served()) {
        (ApiKey::Produce, true) => told(r, api::produce(topics, waits, clock, sync_on_blocking_pool, r.decode()?).await),
        (ApiKey::Produce, false) => told(r, api::refuse_produce(r.decode()?)),
        (ApiKey::Fetch, true) => r.answer(&api::fetch(topics, waits, clock, queue.fetch_limits, r.decode()?).await),
        (ApiKey::Fetch, false) => r.answer(&api::refuse_fetch(r.decode()?)),
        (ApiKey::ListOffsets, true) => r.answer(&api::list_offsets(topics, r.decode()?).await),
        (ApiKey::ListOffsets, false) => r.answer(&api::refuse_list_offsets(r.decode()?)),
        (ApiKey::Metadata, _) => r.answer(&api::metadata(topics, &queue.info, queue.auto_create, r.decode()?).await),
        (ApiKey::FindCoordinator, _) => r.answer(&api::find_coordinator(&r.decode()?)),
        (ApiKey::ApiVersions, _) => r.answer(&api::api_versions()),
        (ApiKey::CreateTopics, _) => r.answer(&api::create_topics(topics, clock, r.decode()?).await),
        (ApiKey::DeleteTopics, _) => r.answer(&api::delete_topics(topics, waits, r.decode()?).await),
        (ApiKey::InitProducerId, _) => r.answer(&api::init_producer_id(&queue.producer_ids, r.decode()?).await),
        (ApiKey::DescribeConfigs, _) => r.answer(&api::describe_configs(topics, queue.info.id, &queue.settings, r.decode()?)),
    })
}

/// Producers may have asked for no answer, and then an error can only be told by closing.
fn told(request: &Request, acknowledgement: Acknowledgement) -> Answer {
    match acknowledgement {
        Acknowledgement::Response(response) => request.answer(&response),
        Acknowledgement::Silence => Answer::Silence,
        Acknowledgement::Close => Answer::Close,
    }
}
