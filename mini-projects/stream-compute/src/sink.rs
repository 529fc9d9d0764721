//! Rows into the queue, and back again for the check.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;

use async_model::Clock;
use message_model::TopicPartition;
use record_batch::{BatchBuilder, RecordToSend};

use crate::error::Error;
use crate::fetch::Fetcher;
use crate::queue::Queue;
use crate::report::Report;
use crate::row::Row;

const BATCH_ROWS_MAX: usize = 500;

/// Writes rows to a topic, and shows those that are written.
#[derive(Debug)]
pub(crate) struct Sink<'a> {
    pub(crate) queue: &'a Queue<'a>,
    pub(crate) topic: &'a TopicPartition,
    pub(crate) report: &'a Report,
    pub(crate) clock: Clock,
    /// How many batches were sent again.
    pub(crate) resends: u64,
}

impl Sink<'_> {
    pub(crate) async fn write(&mut self, rows: &[Row]) -> Result<(), Error> {
        for rows in rows.chunks(BATCH_ROWS_MAX) {
            let mut batch = BatchBuilder::new();
            for row in rows {
                batch.push(&RecordToSend {
                    // Not the time in the line: a topic deletes what is a week old.
                    timestamp: self.clock.wall(),
                    key: Some(row.key().as_bytes()),
                    value: Some(row.to_string().as_bytes()),
                    headers: vec![],
                });
            }
            self.resends += self.queue.produce(self.topic, &batch.build()).await?;
        }
        self.report.rows(rows)?;
        Ok(())
    }
}

/// What a reader of the output topic gets that keeps one row per key.
#[derive(Debug, Default)]
pub(crate) struct ReadBack {
    pub(crate) rows: BTreeMap<String, u64>,
    /// Rows that were there before, with the same count.
    pub(crate) repeated: u64,
    /// A key that came with two counts. There must be none.
    pub(crate) conflict: Option<String>,
}

impl ReadBack {
    pub(crate) async fn all(queue: &Queue<'_>, topic: &TopicPartition) -> Result<ReadBack, Error> {
        let end = queue.log_end(topic).await?;
        let mut read = ReadBack::default();
        let mut fetcher = Fetcher::new(queue, topic);
        while fetcher.position() < end {
            fetcher
                .poll(|record| {
                    let key = record.key.as_deref().unwrap_or_default();
                    let row = Row::read(key, record.value.as_deref().unwrap_or_default());
                    let (key, count) = row.ok_or_else(|| Error::NotARow(topic.topic.clone()))?;
                    read.take(key, count);
                    Ok(())
                })
                .await?;
        }
        Ok(read)
    }

    fn take(&mut self, key: String, count: u64) {
        match self.rows.entry(key) {
            Entry::Vacant(entry) => _ = entry.insert(count),
            Entry::Occupied(entry) if *entry.get() == count => self.repeated += 1,
            Entry::Occupied(entry) => self.conflict = Some(entry.key().clone()),
        }
    }
}
