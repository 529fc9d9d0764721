//! What becomes of a record that cannot be processed.

use std::sync::Arc;
use std::time::Duration;

use client::{Acks, Client, ConsumedRecord, Target};
use message_model::{PartitionIndex, TopicName, TopicPartition};
use record_batch::{BatchBuilder, Header, RecordToSend};

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
    client: Arc<Client>,
    tries_max: u32,
}

/// Where a record went.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Sent {
    /// To the retry topic; it was tried so many times.
    ToRetry(TopicName, u32),
    /// To the dead letter queue.
    ToDeadLetters(TopicName),
}

impl Redelivery {
    /// Returns a redelivery that tries each record `tries_max` times.
    #[must_use]
    pub fn new(client: Arc<Client>, tries_max: u32) -> Redelivery {
        Redelivery { client, tries_max }
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
        let batch = batch(from, record, tries);
        let to = TopicPartition {
            topic,
            partition: PartitionIndex(0),
        };
        let target = Target::Leader(to.clone());
        let deadline = self.client.deadline();
        let timeout = Duration::from_secs(30);
        let attempt = || self.client.produce(&to, batch.clone(), Acks::All, timeout);
        self.client.retry(&target, deadline, attempt).await?;
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

/// The record once more, with its headers, and those that count.
fn batch(from: &TopicPartition, record: &ConsumedRecord, tries: u32) -> Vec<u8> {
    let tries = tries.to_string();
    let origin = format!("{from}@{}", record.offset);
    let is_own = |name: &str| name == TRIES;
    let mut headers: Vec<Header<'_>> = record
        .headers
        .iter()
        .filter(|(name, _)| !is_own(name))
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
    let mut batch = BatchBuilder::new();
    batch.push(&RecordToSend {
        timestamp: record.timestamp,
        key: record.key.as_deref(),
        value: record.value.as_deref(),
        headers,
    });
    batch.build()
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
