//! The producer of transactional messages.

use std::sync::Arc;
use std::time::Duration;

use client::Client;
use message_model::{Offset, PartitionIndex, TopicName};
use producer::{Acks, Producer, Record};
use record_batch::Header;

use crate::error::Error;
use crate::existing::exists;
use crate::group::Group;
use crate::part::Decision;
use crate::record::{ID_HEADER, TOPIC_HEADER, write_decision};

/// A message that is to be visible if a local transaction is committed.
#[derive(Debug, Clone, Copy)]
pub struct Message<'a> {
    /// The name of the local transaction: no other one of the group has it. The check asks for
    /// it, and consumers recognise copies by it.
    pub id: &'a str,
    /// The topic that it is meant for.
    pub topic: &'a TopicName,
    /// Its key.
    pub key: Option<&'a [u8]>,
    /// Its value.
    pub value: Option<&'a [u8]>,
    /// Its headers.
    pub headers: &'a [Header<'a>],
}

/// Sends messages that belong to local transactions. May be shared by reference or `Arc`.
#[derive(Debug)]
pub struct TransactionProducer {
    client: Arc<Client>,
    producer: Producer,
    group: Group,
}

impl TransactionProducer {
    /// Returns a producer of the group. Must be called inside a tokio runtime.
    #[must_use]
    pub fn new(client: Arc<Client>, group: Group) -> TransactionProducer {
        TransactionProducer {
            producer: producer(&client),
            client,
            group,
        }
    }

    /// Stores a half message, which no consumer of its topic sees, and returns its place when
    /// it is on disk. Then run the local transaction, and [`decide`](Self::decide).
    ///
    /// # Errors
    /// When the message's topic does not exist, or the half message is not stored, or not
    /// surely so. Do not run the local transaction then. If it was stored after all, a check
    /// will ask for it.
    // ANCHOR: prepare
    pub async fn prepare(&self, message: &Message<'_>) -> Result<Offset, Error> {
        if !exists(&self.client, message.topic).await? {
            return Err(Error::NoTopic(message.topic.clone()));
        }
        let mut headers = message.headers.to_vec();
        headers.extend([
            header(ID_HEADER, message.id),
            header(TOPIC_HEADER, message.topic.as_str()),
        ]);
        let half = Record {
            partition: Some(PartitionIndex(0)),
            timestamp: None,
            key: message.key,
            value: message.value,
            headers: &headers,
        };
        let delivered = self.producer.send(&self.group.half, half).await.await?;
        delivered.offset.ok_or(Error::NoOffset)
    }
    // ANCHOR_END: prepare

    /// Says what became of the local transaction. Not more than a courtesy: if it does not
    /// arrive, a check will ask.
    ///
    /// # Errors
    /// When it may not have arrived.
    pub async fn decide(&self, half: Offset, decision: Decision) -> Result<(), Error> {
        let key = half.to_string();
        let outcome = Record {
            partition: Some(PartitionIndex(0)),
            ..Record::of_key(key.as_bytes(), write_decision(decision).as_bytes())
        };
        self.producer
            .send(&self.group.outcomes, outcome)
            .await
            .await?;
        Ok(())
    }
}

fn header<'a>(key: &'a str, value: &'a str) -> Header<'a> {
    Header {
        key,
        value: Some(value.as_bytes()),
    }
}

/// A producer whose records are on disk when they are acknowledged, and wait for no others.
pub(crate) fn producer(client: &Arc<Client>) -> Producer {
    let patience = client.settings().patience;
    let settings = producer::Settings {
        acks: Acks::All,
        linger: Duration::ZERO,
        max_block: patience,
        delivery_timeout: patience,
        request_timeout: patience,
        ..producer::Settings::default()
    };
    Producer::new(Arc::clone(client), settings)
}
