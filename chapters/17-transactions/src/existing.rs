//! Whether a topic exists.

use std::time::Duration;

use client::Client;
use message_model::TopicName;
use wire_protocol::ErrorCode;

use crate::error::Error;

/// For how long a topic may be unknown that was just created: brokers hear of it one by one.
const UNKNOWN_MAX: Duration = Duration::from_secs(5);
/// The pause between two questions.
const PAUSE: Duration = Duration::from_millis(100);

/// Returns whether the topic exists. That it does not is only believed after a while, at
/// most the client's patience.
///
/// # Errors
/// When the cluster cannot be asked.
pub(crate) async fn exists(client: &Client, topic: &TopicName) -> Result<bool, Error> {
    let clock = client.clock();
    let patience = client.settings().patience.min(UNKNOWN_MAX);
    let believed_at = clock.now().plus(patience);
    loop {
        match client.topic(topic, client.deadline()).await {
            Ok(_) => return Ok(true),
            Err(error) if error.code() == Some(ErrorCode::UNKNOWN_TOPIC_OR_PARTITION) => {}
            Err(error) => return Err(error.into()),
        }
        let now = clock.now();
        if now >= believed_at {
            return Ok(false);
        }
        clock.sleep_until(now.plus(PAUSE)).await;
    }
}
