//! Servers and clients over topics of the queue.

use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context as _, Result};
use message_model::{PartitionIndex, TopicName, TopicPartition};
use rpc::{Client, Server, ServerSettings, Service};
use rpc_queue::{CallerSettings, OverQueue, TopicSettings, serve_topic};
use wire_protocol::ErrorCode;

use crate::serve::stop;

/// Returns the topic of this name, which is created with one partition if there is none.
///
/// # Errors
/// If the queue cannot be reached, or refuses.
pub async fn create_topic(bootstrap: &str, name: &str) -> Result<TopicName> {
    let topic = TopicName::new(name)?;
    let connected = client::Client::connect(bootstrap, client::Settings::default()).await;
    let queue = connected.context("the queue")?;
    match queue.create_topic(&topic, 1, &[]).await {
        Err(client::Error::Broker(ErrorCode::TOPIC_ALREADY_EXISTS)) => Ok(topic),
        created => created.map(|()| topic).context(name.to_owned()),
    }
}

/// Answers the requests in the service's topic until Ctrl-C, together with other servers of
/// the service.
///
/// # Errors
/// If the queue cannot be reached, or the topic cannot be read any more.
pub async fn serve_over<S: Service>(bootstrap: &str, service: S) -> Result<()> {
    let requests = create_topic(bootstrap, &requests_of(S::NAME)).await?;
    let server = Server::new(ServerSettings::default()).with_service(service)?;
    let settings = TopicSettings {
        group: requests.to_string(),
        requests,
        running_max: 64,
        patience_max: Duration::from_secs(60),
        session_timeout: Duration::from_secs(6),
        remembered_bytes_max: 1 << 20,
    };
    println!("{} is ready on {}", S::NAME, settings.requests);
    serve_topic(Arc::new(server), bootstrap, settings, stop()).await?;
    println!("stopped");
    Ok(())
}

/// Returns a client whose requests go into the service's topic. Its replies come in a topic
/// that all clients of the service share.
///
/// # Errors
/// If the queue cannot be reached.
pub async fn call_over(
    bootstrap: &str,
    service: &str,
    patience: Duration,
) -> Result<Client<OverQueue>> {
    let requests = create_topic(bootstrap, &requests_of(service)).await?;
    let replies = create_topic(bootstrap, &format!("{service}-replies")).await?;
    let settings = CallerSettings {
        requests,
        replies: TopicPartition {
            topic: replies,
            partition: PartitionIndex(0),
        },
        name: format!("{:016x}", fastrand::u64(..)),
        in_flight_max: 64,
    };
    let transport = OverQueue::connect(bootstrap, settings).await?;
    Ok(Client::over(transport, patience))
}

fn requests_of(service: &str) -> String {
    format!("{service}-requests")
}
