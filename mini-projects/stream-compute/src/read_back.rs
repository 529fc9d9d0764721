//! Rows out of the queue, for the check.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use consumer::{Consumer, OffsetReset};
use message_model::TopicPartition;

use crate::error::Error;
use crate::queue::{Queue, next};
use crate::row::{Said, Table};

/// What a reader of committed records finds in the topic of rows.
#[derive(Debug, Default)]
pub(crate) struct ReadBack {
    /// The counts that hold, by key.
    pub(crate) rows: BTreeMap<String, u64>,
    /// A row that is there twice, or without the one before. There must be none.
    pub(crate) twice: Option<String>,
}

impl ReadBack {
    /// Reads to the end, for which a transaction that is open is waited for.
    pub(crate) async fn all(queue: &Queue, from: &TopicPartition) -> Result<ReadBack, Error> {
        let end = queue.log_end(from).await?;
        let settings = consumer::Settings {
            reset: OffsetReset::Earliest,
            read_committed: true,
            patience: queue.waiting.patience,
            ..consumer::Settings::default()
        };
        let mut consumer = Consumer::new(Arc::clone(&queue.client), settings);
        consumer.assign(BTreeSet::from([from.clone()])).await?;
        let (mut table, mut twice) = (Table::default(), None);
        while consumer.position(from) < Some(end) {
            let polled = queue.waiting.until("check", next(&mut consumer)).await??;
            for record in polled.records {
                let none_of_ours = |error| Error::Record(from.topic.clone(), error);
                let record = record.map_err(|error| none_of_ours(Some(error)))?;
                let key = record.key.as_deref().unwrap_or_default();
                let row = Said::read(key, record.value.as_deref().unwrap_or_default());
                let (key, said) = row.ok_or_else(|| none_of_ours(None))?;
                if !table.add(key.clone(), said) {
                    twice.get_or_insert(key);
                }
            }
        }
        let rows = table.counts();
        Ok(ReadBack { rows, twice })
    }
}
