//! Records from the queue, each handed over once and in order.

use std::time::Duration;

use client::{ConsumedRecord, FetchLimits, records};
use message_model::{Offset, TopicPartition};

use crate::error::Error;
use crate::queue::Queue;

const LIMITS: FetchLimits = FetchLimits {
    max_wait: Duration::from_millis(250),
    min_bytes: 1,
    max_bytes: 1024 * 1024,
};

/// Reads a partition from its first record on.
#[derive(Debug)]
pub(crate) struct Fetcher<'a> {
    queue: &'a Queue<'a>,
    from: &'a TopicPartition,
    /// The next offset to hand over.
    position: Offset,
}

impl<'a> Fetcher<'a> {
    pub(crate) fn new(queue: &'a Queue<'a>, from: &'a TopicPartition) -> Fetcher<'a> {
        Fetcher {
            queue,
            from,
            position: Offset::ZERO,
        }
    }

    /// The next offset to hand over.
    pub(crate) fn position(&self) -> Offset {
        self.position
    }

    /// Hands over what has come, after waiting for a moment if that is nothing.
    pub(crate) async fn poll(
        &mut self,
        mut take: impl FnMut(&ConsumedRecord) -> Result<(), Error>,
    ) -> Result<(), Error> {
        let position = self.position;
        let fetched = self
            .queue
            .ask(async |client| client.fetch(self.from, position, LIMITS).await)
            .await?;
        let mut records = records(fetched.batches, position);
        for record in records.by_ref() {
            take(&record?)?;
        }
        self.position = records.next_offset();
        Ok(())
    }
}
