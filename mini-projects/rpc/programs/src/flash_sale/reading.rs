//! How both ends read the queue.

use std::collections::BTreeSet;
use std::marker::PhantomData;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Result;
use client::Client;
use consumer::{Consumer, OffsetReset, SeekTo};
use message_model::{PartitionIndex, Timestamp, TopicPartition};
use serde::de::DeserializeOwned;

use crate::topics::{Configs, create_topic, created_again};

/// How long a poll waits. Any news ends it earlier.
const POLL: Duration = Duration::from_secs(10);
/// The pause after the topic could not be read.
const PAUSE: Duration = Duration::from_millis(500);

/// The `T`s of a topic with one partition. If the topic goes, it is created again.
pub(super) struct Reading<T> {
    consumer: Consumer,
    pub(super) client: Arc<Client>,
    pub(super) partition: TopicPartition,
    configs: &'static Configs,
    /// What to do when the topic was gone.
    advice: &'static str,
    values: PhantomData<T>,
}

impl<T: DeserializeOwned> Reading<T> {
    /// Reads all that the topic has. `configs` are those with which it is created, and `advice`
    /// is for when it has gone.
    pub(super) async fn of_all(
        bootstrap: &str,
        topic: &str,
        configs: &'static Configs,
        advice: &'static str,
    ) -> Result<Reading<T>> {
        let topic = create_topic(bootstrap, topic, configs).await?;
        let client = Arc::new(Client::connect(bootstrap, client::Settings::default()).await?);
        let settings = consumer::Settings {
            // A topic that was created again is read from its beginning.
            reset: OffsetReset::Earliest,
            ..consumer::Settings::default()
        };
        let mut consumer = Consumer::new(Arc::clone(&client), settings);
        let partition = TopicPartition {
            topic,
            partition: PartitionIndex(0),
        };
        consumer.assign(BTreeSet::from([partition.clone()])).await?;
        Ok(Reading {
            consumer,
            client,
            partition,
            configs,
            advice,
            values: PhantomData,
        })
    }

    /// Reads what comes from now on.
    pub(super) async fn of_new(
        bootstrap: &str,
        topic: &str,
        advice: &'static str,
    ) -> Result<Reading<T>> {
        let mut reading = Reading::of_all(bootstrap, topic, &[], advice).await?;
        let partition = reading.partition.clone();
        reading.consumer.seek(&partition, SeekTo::End).await?;
        Ok(reading)
    }

    /// Returns what comes next, in order, each with its time. What is no `T` is left out.
    pub(super) async fn next(&mut self) -> Vec<(Timestamp, T)> {
        let topic = &self.partition.topic;
        let before = self.consumer.position(&self.partition);
        let polled = tokio::select! {
            polled = self.consumer.poll(POLL) => polled,
            () = created_again(&self.client, topic, self.configs) => {
                let begin = self.consumer.seek(&self.partition, SeekTo::Beginning);
                begin.await.map(|()| None)
            }
        };
        // Also if another process has created it.
        if self.consumer.position(&self.partition) < before {
            tracing::warn!("{topic} was gone and begins anew: {}", self.advice);
        }
        if let Err(error) = &polled {
            tracing::warn!("the queue cannot be read now: {error}");
            let clock = self.client.clock();
            clock.sleep_until(clock.now().plus(PAUSE)).await;
        }
        let polled = polled.into_iter().flatten();
        let records = polled.flat_map(|polled| polled.records).flatten();
        let value = |record: client::ConsumedRecord| {
            let value = serde_json::from_slice(record.value.as_deref()?).ok()?;
            Some((record.timestamp, value))
        };
        records.filter_map(value).collect()
    }
}
