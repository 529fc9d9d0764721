//! What reads a caller's replies.

use std::sync::Arc;
use std::time::Duration;

use client::{Client, OffsetSpec};
use consumer::{Consumer, SeekTo};
use message_model::{Timestamp, TopicPartition};
use rpc::Outcome;
use tokio::sync::mpsc;

use crate::in_flight::InFlight;
use crate::record::read_reply;

/// How long a poll waits. Any news ends it earlier.
const POLL: Duration = Duration::from_secs(10);
/// The pause after the replies could not be read.
const PAUSE: Duration = Duration::from_millis(500);

/// The replies of a caller.
pub(crate) struct Replies {
    pub(crate) consumer: Consumer,
    pub(crate) client: Arc<Client>,
    pub(crate) partition: TopicPartition,
    pub(crate) in_flight: Arc<InFlight<Arc<str>, Outcome>>,
}

impl Replies {
    /// Never returns: gives each reply to the call that waits for it.
    pub(crate) async fn read(mut self, mut asked: mpsc::Receiver<Timestamp>) {
        let clock = self.client.clock();
        loop {
            let polled = tokio::select! {
                polled = self.consumer.poll(POLL) => polled,
                Some(since) = asked.recv() => self.go_back(since).await.map(|()| None),
            };
            if let Err(error) = &polled {
                tracing::debug!(%error, "replies cannot be read");
                clock.sleep_until(clock.now().plus(PAUSE)).await;
            }
            let records = polled
                .into_iter()
                .flatten()
                .flat_map(|polled| polled.records);
            for record in records.flatten() {
                if let Some((name, outcome)) = read_reply(&record) {
                    self.in_flight.end(name, outcome);
                }
            }
        }
    }

    /// Reads again what came since `since`, if it was read.
    async fn go_back(&mut self, since: Timestamp) -> Result<(), consumer::Error> {
        let first = OffsetSpec::AtOrAfter(since);
        let deadline = self.client.deadline();
        let found = self
            .client
            .find_offset(&self.partition, first, deadline)
            .await?;
        match found {
            Some(first) if self.consumer.position(&self.partition) > Some(first) => {
                self.consumer
                    .seek(&self.partition, SeekTo::Offset(first))
                    .await
            }
            _ => Ok(()),
        }
    }
}
