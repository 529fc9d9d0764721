//! Records from the queue, each handed over once and in order.

use std::time::Duration;

use client::FetchLimits;
use message_model::{Offset, TopicPartition};
use record_batch::{BatchError, Batches, Record, decode_records, validate};

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
        mut take: impl FnMut(&Record<'_>) -> Result<(), Error>,
    ) -> Result<(), Error> {
        let position = self.position;
        let fetched = self
            .queue
            .ask(async |client| client.fetch(self.from, position, LIMITS).await)
            .await?;
        for batch in Batches::new(&fetched.batches) {
            let (header, batch) = match batch {
                // A fetch may end in the middle of a batch; its front comes with the next one.
                Err(BatchError::Truncated { .. }) if self.position > position => break,
                batch => batch?,
            };
            validate(batch, usize::MAX)?;
            for record in decode_records(batch)? {
                // The first batch may begin below the offset that was asked for.
                if header.offset_of(&record) >= self.position {
                    take(&record)?;
                }
            }
            self.position = self.position.max(header.range().end);
        }
        Ok(())
    }
}
