//! Rows into the queue, in transactions.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use consumer::{Committed, GroupMetadata};
use exactly_once_client::TransactionalProducer;
use message_model::TopicPartition;
use producer::Record;

use crate::error::Error;
use crate::queue::Queue;
use crate::row::Row;

/// The transaction timeout of a broker may not be above 15 minutes, unless it is told otherwise.
const TIMEOUT_MAX: Duration = Duration::from_secs(15 * 60);

/// Writes rows to a topic, in transactions.
#[derive(Debug)]
pub(crate) struct Sink<'a> {
    queue: &'a Queue<'a>,
    producer: TransactionalProducer,
    group: GroupMetadata,
    /// Where the lines are, whose offset is committed with rows.
    lines: &'a TopicPartition,
    rows: &'a TopicPartition,
}

impl<'a> Sink<'a> {
    /// Returns the one sink for these rows from now on: what another one has not committed is
    /// aborted, and it commits nothing more.
    pub(crate) async fn begin(
        queue: &'a Queue<'a>,
        group: GroupMetadata,
        (lines, rows): (&'a TopicPartition, &'a TopicPartition),
    ) -> Result<Sink<'a>, Error> {
        let patience = queue.waiting.patience;
        let mut settings = exactly_once_client::Settings::new(group.group());
        // Longer than a job waits: else the coordinator ends the transaction of one that waits.
        settings.timeout = (patience + settings.timeout).min(TIMEOUT_MAX);
        settings.patience = patience;
        settings.producer.delivery_timeout = patience;
        let begin = TransactionalProducer::init(Arc::clone(&queue.client), settings);
        let begun = queue.waiting.until("sink", begin).await?;
        let producer = begun.map_err(|error| failed(rows, error))?;
        Ok(Sink {
            queue,
            producer,
            group,
            lines,
            rows,
        })
    }

    /// Commits rows, and with them where a job without their windows goes on.
    // ANCHOR: commit
    pub(crate) async fn commit(&mut self, rows: &[Row], resume_at: Committed) -> Result<(), Error> {
        let offsets = BTreeMap::from([(self.lines.clone(), resume_at)]);
        let (producer, topic) = (&mut self.producer, &self.rows.topic);
        let transaction = async {
            producer.begin()?;
            for row in rows {
                let (key, value) = (row.key(), row.to_string());
                let record = Record {
                    partition: Some(self.rows.partition),
                    ..Record::of_key(key.as_bytes(), value.as_bytes())
                };
                producer.send(topic, record).await?;
            }
            producer.send_offsets(&self.group, &offsets).await?;
            producer.commit().await
        };
        let committed = self.queue.waiting.until("sink", transaction).await?;
        committed.map_err(|error| failed(self.rows, error))
    }
    // ANCHOR_END: commit
}

fn failed(rows: &TopicPartition, error: exactly_once_client::Error) -> Error {
    match error.is_fenced() {
        true => Error::Fenced(rows.topic.clone()),
        false => Error::Rows(error),
    }
}
