//! Rows out of the queue, for the check.

use std::collections::BTreeSet;
use std::sync::Arc;

use client::Records;
use consumer::{Consumer, OffsetReset};
use message_model::{Offset, TopicPartition};

use crate::error::Error;
use crate::queue::{Queue, Waiting, next};
use crate::row::Said;

/// The rows that a reader of committed records finds in the topic, in their order.
#[derive(Debug)]
pub(crate) struct ReadBack {
    consumer: Consumer,
    from: TopicPartition,
    /// The end of the topic when reading began.
    end: Offset,
    waiting: Waiting,
    /// Records that were fetched and not taken.
    current: Option<Records>,
}

impl ReadBack {
    /// Begins with the first row, and will read those that are committed by now.
    pub(crate) async fn begin(queue: &Queue, from: &TopicPartition) -> Result<ReadBack, Error> {
        let end = queue.log_end(from).await?;
        let settings = consumer::Settings {
            reset: OffsetReset::Earliest,
            read_committed: true,
            patience: queue.waiting.patience,
            ..consumer::Settings::default()
        };
        let mut consumer = Consumer::new(Arc::clone(&queue.client), settings);
        consumer.assign(BTreeSet::from([from.clone()])).await?;
        Ok(ReadBack {
            consumer,
            from: from.clone(),
            end,
            waiting: queue.waiting.clone(),
            current: None,
        })
    }

    /// The next row and its key; `None` at the end. A transaction that is open is waited for.
    pub(crate) async fn next(&mut self) -> Result<Option<(String, Said)>, Error> {
        let not_ours = |error| Error::Record(self.from.topic.clone(), error);
        loop {
            if let Some(record) = self.current.as_mut().and_then(Iterator::next) {
                let record = record.map_err(|error| not_ours(Some(error)))?;
                let key = record.key.as_deref().unwrap_or_default();
                let row = Said::read(key, record.value.as_deref().unwrap_or_default());
                return row.ok_or_else(|| not_ours(None)).map(Some);
            }
            if self.consumer.position(&self.from) >= Some(self.end) {
                return Ok(None);
            }
            let polling = next(&mut self.consumer);
            self.current = Some(self.waiting.until("check", polling).await??.records);
        }
    }
}
