//! Servers and clients over topics of the queue.

use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context as _, Result, anyhow};
use message_model::{PartitionIndex, TopicName, TopicPartition};
use rpc::{Client, Server, ServerSettings, Service};
use rpc_queue::{CallerSettings, OverQueue, TopicSettings, serve_topic};
use tokio::time::{sleep, timeout};
use wire_protocol::ErrorCode;

use crate::print::tell;
use crate::serve::stop;

/// How often a reader without news looks whether its topic is still there.
const LOOK: Duration = Duration::from_secs(1);

/// How many calls of a partition run at a time.
const RUNNING_MAX: usize = 64;
/// What the arguments of a request take in memory, if it is the largest of a queue with default
/// settings, and they are as large as in the request.
const REQUEST_BYTES: usize = 1 << 20;

/// The settings of a topic that are not the queue's own ones.
pub(crate) type Configs = [(&'static str, &'static str)];

/// Returns the topic of this name, which is created with one partition if there is none.
///
/// # Errors
/// If the queue cannot be reached, or refuses.
pub(crate) async fn create_topic(
    bootstrap: &str,
    name: &str,
    configs: &Configs,
) -> Result<TopicName> {
    let topic = TopicName::new(name)?;
    let connected = client::Client::connect(bootstrap, client::Settings::default()).await;
    let queue = connected.context("the queue")?;
    create_with(&queue, &topic, configs).await?;
    Ok(topic)
}

/// Creates the topic if there is none. Returns whether it was created.
async fn create_with(queue: &client::Client, topic: &TopicName, configs: &Configs) -> Result<bool> {
    match queue.create_topic(topic, 1, configs).await {
        Err(client::Error::Broker(ErrorCode::TOPIC_ALREADY_EXISTS)) => Ok(false),
        created => created.map(|()| true).context(topic.to_string()),
    }
}

/// Returns when the topic was gone, and this has created it again. May be dropped while it waits.
pub(crate) async fn created_again(queue: &client::Client, topic: &TopicName, configs: &Configs) {
    loop {
        sleep(LOOK).await;
        // If it does not answer, the next look asks again.
        if matches!(queue.is_missing(topic).await, Ok(true)) {
            match create_with(queue, topic, configs).await {
                Ok(true) => return,
                Ok(false) => {}
                Err(error) => tracing::warn!("a topic is gone, and cannot be created: {error:#}"),
            }
        }
    }
}

/// Answers the requests in the service's topic until Ctrl-C, together with other servers of
/// the service.
///
/// # Errors
/// If the queue cannot be reached, or the topic cannot be read any more.
pub async fn serve_over<S: Service>(bootstrap: &str, service: S) -> Result<()> {
    let requests = create_topic(bootstrap, &requests_of(S::NAME), &[]).await?;
    let server = Server::new(ServerSettings {
        calls_bytes_max: 2 * RUNNING_MAX * REQUEST_BYTES,
        ..ServerSettings::default()
    });
    let server = server.with_service(service)?;
    let settings = TopicSettings {
        group: requests.to_string(),
        requests,
        running_max: RUNNING_MAX,
        patience_max: Duration::from_secs(60),
        session_timeout: Duration::from_secs(6),
        remembered_bytes_max: 1 << 20,
    };
    tell(format_args!(
        "{} is ready on {}",
        S::NAME,
        settings.requests
    ));
    serve_topic(Arc::new(server), bootstrap, settings, stop()).await?;
    tell("stopped");
    Ok(())
}

/// Returns a client whose requests go into the service's topic. Its replies come in a topic
/// that all clients of the service share.
///
/// # Errors
/// If the queue cannot be reached within `patience`.
pub async fn call_over(
    bootstrap: &str,
    service: &str,
    patience: Duration,
) -> Result<Client<OverQueue>> {
    let connecting = async {
        let requests = create_topic(bootstrap, &requests_of(service), &[]).await?;
        let replies = create_topic(bootstrap, &format!("{service}-replies"), &[]).await?;
        let settings = CallerSettings {
            requests,
            replies: TopicPartition {
                topic: replies,
                partition: PartitionIndex(0),
            },
            name: format!("{:016x}", fastrand::u64(..)),
            in_flight_max: 64,
        };
        Ok(OverQueue::connect(bootstrap, settings).await?)
    };
    let connected = timeout(patience, connecting).await;
    let slow = || {
        Err(anyhow!(
            "the queue at {bootstrap} does not answer within --patience"
        ))
    };
    Ok(Client::over(
        connected.unwrap_or_else(|_| slow())?,
        patience,
    ))
}

fn requests_of(service: &str) -> String {
    format!("{service}-requests")
}
