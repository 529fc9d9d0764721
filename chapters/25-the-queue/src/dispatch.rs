//! Which handler answers which API. Read down the match: it is the queue's plan.

use std::sync::Arc;

use broker::api::{self, Acknowledgement};
use broker::{Broker, Reply, Request};
use networking::{Answer, Chunk};
use wire_protocol::message::ApiVersionsRequest;
use wire_protocol::{ApiKey, Malformed};

/// The answer to one request, which has taken effect when this completes.
///
/// One line per API: what is decoded is of the type that its handler takes.
/// Versions that are advertised but not served ([`wire_protocol::CANARIES`]) have
/// a line of their own.
///
/// # Errors
/// When the body is not such a request; the connection is to be closed then.
#[rustfmt::skip]
pub async fn answer(broker: Arc<Broker>, request: Request) -> Result<Answer<Vec<Chunk>>, Malformed> {
    let b = &*broker;
    Ok(match (request.api, request.is_served()) {
        (ApiKey::Produce, true) => { let (body, reply) = request.decode()?; acknowledge(reply, api::produce(b, body).await) }
        (ApiKey::Produce, false) => { let (body, reply) = request.decode()?; acknowledge(reply, api::refuse_produce(body)) }
        (ApiKey::Fetch, _) => { let (body, reply) = request.decode()?; reply.later_with_share(|share| async move { api::fetch(&broker, body, share).await }) }
        (ApiKey::ListOffsets, _) => { let (body, reply) = request.decode()?; reply.later(async move { api::list_offsets(&broker, body).await }) }
        (ApiKey::Metadata, _) => { let (body, reply) = request.decode()?; let response = api::metadata(b, &reply.peer, body).await; reply.now(&response) }
        (ApiKey::FindCoordinator, _) => { let (body, reply) = request.decode()?; reply.now(&api::find_coordinator(&body)) }
        (ApiKey::ApiVersions, _) => { let (_, reply) = request.decode::<ApiVersionsRequest>()?; reply.now(&api::api_versions()) }
        (ApiKey::CreateTopics, _) => { let (body, reply) = request.decode()?; let response = api::create_topics(b, &reply.peer, body).await; reply.now(&response) }
        (ApiKey::DeleteTopics, _) => { let (body, reply) = request.decode()?; reply.now(&api::delete_topics(b, body).await) }
        (ApiKey::InitProducerId, _) => { let (body, reply) = request.decode()?; reply.now(&api::init_producer_id(b, body).await) }
        (ApiKey::DescribeConfigs, _) => { let (body, reply) = request.decode()?; reply.now(&api::describe_configs(b, body)) }
    })
}

/// A producer may want no answer, and then closing is the only way to report an error.
fn acknowledge(reply: Reply, acknowledgement: Acknowledgement) -> Answer<Vec<Chunk>> {
    match acknowledgement {
        Acknowledgement::Now(response) => reply.now(&response),
        Acknowledgement::Later(response) => reply.later(response),
        Acknowledgement::Silence => Answer::Silence,
        Acknowledgement::Close => Answer::Close,
    }
}
