//! A compacted topic with names: a record for each heartbeat, and a null value when a server
//! stops.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use client::{Client, FetchLimits, OffsetSpec, Target, records};
use message_model::{Offset, PartitionIndex, Timestamp, TopicName, TopicPartition};
use producer::{Producer, Record};
use tokio::time::sleep;
use wire_protocol::ErrorCode;

use crate::board::Seen;
use crate::error::Error;

/// Heartbeats of 10 minutes ago are compacted; servers that were killed are not there for ever.
const CONFIGS: [(&str, &str); 3] = [
    ("cleanup.policy", "compact,delete"),
    ("segment.ms", "600000"),
    ("retention.ms", "3600000"),
];

#[derive(Debug)]
pub(crate) struct Topic {
    client: Arc<Client>,
    producer: Producer,
    /// All names are in this one.
    partition: TopicPartition,
    /// Whether this has written to it.
    was_there: AtomicBool,
}

impl Topic {
    /// Connects to the broker at `HOST:PORT/TOPIC`. `patience` is for each call.
    pub(crate) async fn connect(place: &str, patience: Duration) -> Result<Topic, Error> {
        let (bootstrap, topic) = place.rsplit_once('/').ok_or(Error::UnknownUri)?;
        let topic = TopicName::new(topic).map_err(|_| Error::UnknownUri)?;
        let settings = client::Settings {
            patience,
            ..client::Settings::default()
        };
        let client = Arc::new(Client::connect(bootstrap, settings).await?);
        let partition = PartitionIndex(0);
        Ok(Topic {
            producer: Producer::new(Arc::clone(&client), producer::Settings::default()),
            client,
            partition: TopicPartition { topic, partition },
            was_there: AtomicBool::new(false),
        })
    }

    async fn create(&self) -> Result<(), client::Error> {
        let topic = &self.partition.topic;
        let create = || self.client.create_topic(topic, 1, &CONFIGS);
        let deadline = self.client.deadline();
        let created = self.client.retry(&Target::Controller, deadline, create);
        match created.await {
            Err(error) if error.code() == Some(ErrorCode::TOPIC_ALREADY_EXISTS) => Ok(()),
            created => created,
        }
    }

    /// Writes when the lease of a server ends, into a new topic if there is none. `None`: the
    /// server stops.
    pub(crate) async fn put(&self, offer: &str, end: Option<Timestamp>) -> Result<(), Error> {
        // A producer would wait for the topic.
        let (target, deadline) = (Target::Any, self.client.deadline());
        let topic = &self.partition.topic;
        let is_gone = || self.client.is_missing(topic);
        if self.client.retry(&target, deadline, is_gone).await? {
            if end.is_none() {
                return Ok(());
            }
            self.create().await?;
            if self.was_there.load(Ordering::Relaxed) {
                tracing::warn!("the topic {topic} was gone, and is created again with {offer}");
            }
        }
        let end = end.map(|end| end.to_string());
        let record = Record {
            partition: Some(self.partition.partition),
            key: Some(offer.as_bytes()),
            value: end.as_ref().map(String::as_bytes),
            ..Record::default()
        };
        let sent = self.producer.send(&self.partition.topic, record).await;
        sent.await?;
        // Relaxed: it decides on a warning only.
        self.was_there.store(true, Ordering::Relaxed);
        Ok(())
    }

    /// Reads to the end, as far as it is known with the last fetch. A topic that is not there
    /// has nothing to read; it is created when a server registers.
    pub(crate) async fn read(&self, seen: &mut Seen, wait: Duration) -> Result<(), Error> {
        let mut limits = FetchLimits {
            max_wait: wait,
            min_bytes: 1,
            max_bytes: 1024 * 1024,
        };
        let (of, deadline) = (&self.partition, self.client.deadline());
        let mut from = match seen.next {
            Some(next) => next,
            None if self.client.is_missing(&self.partition.topic).await? => {
                sleep(wait).await;
                return Ok(());
            }
            None => {
                let found = self.client.find_offset(of, OffsetSpec::Earliest, deadline);
                found.await?.unwrap_or(Offset::ZERO)
            }
        };
        loop {
            let fetched = self.client.fetch(of, from, limits).await?;
            let mut records = records(fetched.batches, from);
            for record in &mut records {
                let record = record?;
                let text = |bytes| String::from_utf8_lossy(bytes).into_owned();
                let offer = record.key.as_deref().map(text).unwrap_or_default();
                let end = record.value.as_deref().map(text).unwrap_or_default();
                // Null, and what another program has written, is not the end of a lease.
                match end.parse() {
                    Ok(end) => seen.ends.insert(offer, Timestamp(end)),
                    Err(_) => seen.ends.remove(&offer),
                };
            }
            let has_more = records.next_offset() > from;
            from = records.next_offset();
            if !has_more || from >= fetched.high_watermark {
                seen.next = Some(from);
                return Ok(());
            }
            limits.max_wait = Duration::ZERO;
        }
    }
}
