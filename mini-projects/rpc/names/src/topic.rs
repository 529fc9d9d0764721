//! A compacted topic with names: a record for each heartbeat, and a null value when a server
//! stops.

use std::sync::Arc;
use std::time::Duration;

use client::{Client, FetchLimits, OffsetSpec, Target, records};
use message_model::{Offset, PartitionIndex, Timestamp, TopicName, TopicPartition};
use producer::{Producer, Record};
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
}

impl Topic {
    /// Connects to the broker at `HOST:PORT/TOPIC`, and makes the topic if there is none.
    /// `patience` is for each call.
    pub(crate) async fn connect(place: &str, patience: Duration) -> Result<Topic, Error> {
        let (bootstrap, topic) = place.rsplit_once('/').ok_or(Error::UnknownUri)?;
        let topic = TopicName::new(topic).map_err(|_| Error::UnknownUri)?;
        let settings = client::Settings {
            patience,
            ..client::Settings::default()
        };
        let client = Arc::new(Client::connect(bootstrap, settings).await?);
        let create = || client.create_topic(&topic, 1, &CONFIGS);
        let created = client.retry(&Target::Controller, client.deadline(), create);
        match created.await {
            Err(error) if error.code() == Some(ErrorCode::TOPIC_ALREADY_EXISTS) => {}
            created => created?,
        }
        let partition = PartitionIndex(0);
        Ok(Topic {
            producer: Producer::new(Arc::clone(&client), producer::Settings::default()),
            client,
            partition: TopicPartition { topic, partition },
        })
    }

    pub(crate) async fn put(&self, offer: &str, end: Option<Timestamp>) -> Result<(), Error> {
        let end = end.map(|end| end.to_string());
        let record = Record {
            partition: Some(self.partition.partition),
            key: Some(offer.as_bytes()),
            value: end.as_ref().map(String::as_bytes),
            ..Record::default()
        };
        let sent = self.producer.send(&self.partition.topic, record).await;
        sent.await?;
        Ok(())
    }

    /// Reads to the end, as far as it is known with the last fetch.
    pub(crate) async fn read(&self, seen: &mut Seen, wait: Duration) -> Result<(), Error> {
        let mut limits = FetchLimits {
            max_wait: wait,
            min_bytes: 1,
            max_bytes: 1024 * 1024,
        };
        let (of, deadline) = (&self.partition, self.client.deadline());
        let mut from = match seen.next {
            Some(next) => next,
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
