//! From the topic to the rows.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use client::ConsumedRecord;
use consumer::{Committed, Consumer, OffsetReset, Polled};
use message_model::{Moment, Offset, TopicPartition};
use tokio::sync::watch;

use crate::error::Error;
use crate::feed::LINE_HEADER;
use crate::pipeline::{Outcome, Pipeline, Tally};
use crate::queue::{Queue, next};
use crate::resume_point::ResumePoint;
use crate::row::Row;
use crate::run::Settings;
use crate::sink::Sink;

/// How often rows are committed at most. A transaction takes a few writes to disk.
const COMMIT_INTERVAL: Duration = Duration::from_millis(100);
/// How much may be fetched ahead.
const BUFFER_BYTES: usize = 4 * 1024 * 1024;

/// Reads lines, and writes the rows of their windows.
#[derive(Debug)]
pub(crate) struct Job<'a> {
    queue: &'a Queue<'a>,
    settings: &'a Settings,
    lines: &'a TopicPartition,
    consumer: Consumer,
    sink: Sink<'a>,
    pipeline: Pipeline,
    /// Rows are not committed before.
    commit_at: Moment,
}

impl<'a> Job<'a> {
    /// Returns a job that goes on where an earlier one has committed, and from then on is the
    /// only one that commits; or a new one, if both topics are empty. The point at which an
    /// earlier one is resumed is returned with it.
    pub(crate) async fn begin(
        queue: &'a Queue<'a>,
        settings: &'a Settings,
        (lines, rows): (&'a TopicPartition, &'a TopicPartition),
    ) -> Result<(Job<'a>, Option<ResumePoint>), Error> {
        let source = consumer::Settings {
            group: Some(format!("ip-count.{}", rows.topic)),
            // What is committed is in the topic, or cannot be counted any more.
            reset: OffsetReset::None,
            read_committed: true,
            buffer_bytes: BUFFER_BYTES,
            patience: queue.waiting.patience,
            ..consumer::Settings::default()
        };
        let consumer = Consumer::new(Arc::clone(&queue.client), source);
        // Before anything is asked: then no other instance can change the answer.
        let mut sink = Sink::begin(queue, consumer.group_metadata()?, (lines, rows)).await?;
        let partitions = BTreeSet::from([lines.clone()]);
        let committed = consumer.committed(&partitions).await?.remove(lines);
        let (windows, out_of_order) = (settings.windows, settings.out_of_order);
        let point = match &committed {
            Some(Committed { offset, metadata }) => {
                let point = ResumePoint::read((*offset, metadata), windows, out_of_order);
                Some(point.ok_or_else(|| Error::OtherJob(lines.topic.clone()))?)
            }
            None => {
                for topic in [lines, rows] {
                    if queue.log_end(topic).await? != Offset::ZERO {
                        return Err(Error::TopicInUse(topic.topic.clone()));
                    }
                }
                let start = committed_at(&ResumePoint::default(), settings);
                sink.commit(&[], start).await?;
                None
            }
        };
        let job = Job {
            queue,
            settings,
            lines,
            consumer,
            sink,
            pipeline: Pipeline::resume(&point.clone().unwrap_or_default(), windows, out_of_order),
            commit_at: Moment::START,
        };
        Ok((job, point))
    }

    // ANCHOR: count
    /// Reads until `end` is known and reached; then closes all windows.
    pub(crate) async fn count(
        mut self,
        end: watch::Receiver<Option<Offset>>,
    ) -> Result<Tally, Error> {
        // It begins at what is committed.
        let lines = BTreeSet::from([self.lines.clone()]);
        self.consumer.assign(lines).await?;
        let mut rows = Vec::new();
        loop {
            let end = *end.borrow();
            if end.is_some_and(|end| self.position() >= end) {
                break;
            }
            if let Some(polled) = self.poll(end.is_some()).await? {
                self.take(polled)?;
            }
            rows.append(&mut self.pipeline.close_complete());
            if !rows.is_empty() && self.queue.waiting.clock.now() >= self.commit_at {
                self.commit(&mut rows).await?;
            }
        }
        rows.append(&mut self.pipeline.close_all());
        self.commit(&mut rows).await?;
        Ok(self.pipeline.tally())
    }

    /// Commits rows, and with them where a job without their windows goes on.
    async fn commit(&mut self, rows: &mut Vec<Row>) -> Result<(), Error> {
        let point = self.pipeline.resume_point();
        let resume_at = committed_at(&point, self.settings);
        self.sink.commit(rows, resume_at).await?;
        self.queue.waiting.report.rows(rows)?;
        rows.clear();
        self.commit_at = self.queue.waiting.clock.now().plus(COMMIT_INTERVAL);
        Ok(())
    }
    // ANCHOR_END: count

    fn position(&self) -> Offset {
        self.consumer.position(self.lines).unwrap_or(Offset::ZERO)
    }

    /// The next lines: those that are there, or come soon.
    async fn poll(&mut self, is_there: bool) -> Result<Option<Polled>, Error> {
        let consumer = &mut self.consumer;
        if is_there {
            let polled = self.queue.waiting.until("consumer", next(consumer));
            return Ok(Some(polled.await??));
        }
        Ok(consumer.poll(COMMIT_INTERVAL).await?)
    }

    fn take(&mut self, polled: Polled) -> Result<(), Error> {
        let report = self.queue.waiting.report;
        for record in polled.records {
            let record =
                record.map_err(|error| Error::Record(self.lines.topic.clone(), Some(error)))?;
            let Some(number) = line_number(&record) else {
                report.line(format_args!(
                    "side: a record without a line number, not ours"
                ))?;
                continue;
            };
            let text = record.value.as_deref().unwrap_or_default();
            if let Outcome::Rejected(reason) = self.pipeline.take(record.offset, number, text) {
                report.side(number, &reason)?;
            }
        }
        Ok(())
    }
}

/// What is committed of this point.
fn committed_at(point: &ResumePoint, settings: &Settings) -> Committed {
    Committed {
        offset: point.from.offset,
        metadata: point.metadata(settings.windows, settings.out_of_order),
    }
}

/// The number of the line that a record is.
pub(crate) fn line_number(record: &ConsumedRecord) -> Option<u64> {
    let (_, value) = record
        .headers
        .iter()
        .find(|(name, _)| name == LINE_HEADER)?;
    std::str::from_utf8(value.as_deref()?).ok()?.parse().ok()
}
