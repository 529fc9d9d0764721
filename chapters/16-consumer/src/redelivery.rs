//! What becomes of a record that cannot be processed.

use std::sync::Arc;
use std::time::Duration;

use client::{Client, ConsumedRecord};
use message_model::{TopicName, TopicPartition};
use producer::{Acks, Producer, Record};
use record_batch::Header;

use crate::error::Error;

/// How often the record was tried, in decimal.
const TRIES: &str = "redelivery-tries";
/// The partition and the offset at which it was first.
const ORIGIN: &str = "redelivery-origin";

/// Takes records out of the way that cannot be processed, so that those behind them can.
///
/// A record that fails goes to `NAME.retry`, which the same consumers read: other records
/// have their turn meanwhile. After `tries_max` tries it goes to `NAME.dlq`, the *dead
/// letter queue*, which people read. The order of records with the same key is lost.
#[derive(Debug, Clone)]
pub struct Redelivery {
    producer: Arc<Producer>,
    tries_max: u32,
}

/// The topic that a failed record was sent to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Sent {
    /// To the retry topic; it was tried so many times.
    ToRetry(TopicName, u32),
    /// To the dead letter queue.
    ToDeadLetters(TopicName),
}

impl Redelivery {
    /// Returns a redelivery that tries each record `tries_max` times. It sends with a
    /// [`Producer`] of its own, which waits for the disk and not for more records. Must be
    /// called inside a tokio runtime.
    #[must_use]
    pub fn new(client: Arc<Client>, tries_max: u32) -> Redelivery {
        let patience = client.settings().patience;
        let settings = producer::Settings {
            acks: Acks::All,
            linger: Duration::ZERO,
            max_block: patience,
            delivery_timeout: patience,
            request_timeout: patience,
            ..producer::Settings::default()
        };
        Redelivery {
            producer: Arc::new(Producer::new(client, settings)),
            tries_max,
        }
    }

    /// Returns the topic to which records of `topic` go that are to be tried again. It is
    /// subscribed to beside `topic`.
    ///
    /// # Errors
    /// When the name is too long.
    pub fn retry_topic(topic: &TopicName) -> Result<TopicName, Error> {
        named(topic, ".retry")
    }

    /// Returns the topic to which records of `topic` go that are not tried any more.
    ///
    /// # Errors
    /// When the name is too long.
    pub fn dead_letters(topic: &TopicName) -> Result<TopicName, Error> {
        named(topic, ".dlq")
    }

    /// Sends a record that could not be processed where it belongs, and returns where that
    /// is when it is on disk there: then the record is done.
    ///
    /// # Errors
    /// When it could not be sent, or may not have been: then the record is not done, and
    /// comes again. A record can therefore come to the retry topic twice.
    pub async fn failed(
        &self,
        from: &TopicPartition,
        record: &ConsumedRecord,
    ) -> Result<Sent, Error> {
        let tries = tries(record).saturating_add(1);
        let (topic, sent) = if tries < self.tries_max {
            let topic = Redelivery::retry_topic(&from.topic)?;
            (topic.clone(), Sent::ToRetry(topic, tries))
        } else {
            let topic = Redelivery::dead_letters(&from.topic)?;
            (topic.clone(), Sent::ToDeadLetters(topic))
        };
        let (count, origin) = (tries.to_string(), format!("{from}@{}", record.offset));
        let again = Record {
            partition: None,
            timestamp: Some(record.timestamp),
            key: record.key.as_deref(),
            value: record.value.as_deref(),
            headers: &headers(record, &count, &origin),
        };
        self.producer.send(&topic, again).await.await?;
        Ok(sent)
    }
}

/// Returns how often the record was tried before.
fn tries(record: &ConsumedRecord) -> u32 {
    let header = record.headers.iter().find(|(name, _)| name == TRIES);
    let value = header.and_then(|(_, value)| value.as_deref());
    let text = value.and_then(|value| std::str::from_utf8(value).ok());
    text.and_then(|text| text.parse().ok()).unwrap_or(0)
}

/// The record's headers, and those that count.
fn headers<'a>(record: &'a ConsumedRecord, tries: &'a str, origin: &'a str) -> Vec<Header<'a>> {
    let mut headers: Vec<Header<'_>> = record
        .headers
        .iter()
        .filter(|(name, _)| name != TRIES)
        .map(|(name, value)| Header {
            key: name,
            value: value.as_deref(),
        })
        .collect();
    headers.push(Header {
        key: TRIES,
        value: Some(tries.as_bytes()),
    });
    if !record.headers.iter().any(|(name, _)| name == ORIGIN) {
        headers.push(Header {
            key: ORIGIN,
            value: Some(origin.as_bytes()),
        });
    }
    headers
}

/// `NAME` and an ending, also for a topic that has an ending already.
fn named(topic: &TopicName, ending: &str) -> Result<TopicName, Error> {
    let name = topic.as_str();
    let base = name.strip_suffix(".retry").unwrap_or(name);
    TopicName::new(&format!("{base}{ending}")).map_err(|_| {
        let code = wire_protocol::ErrorCode::INVALID_TOPIC_EXCEPTION;
        Error::Client(client::Error::Broker(code))
    })
}
