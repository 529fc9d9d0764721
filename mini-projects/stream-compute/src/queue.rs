//! The queue, which may be killed and started again at any moment.

use std::sync::Arc;
use std::time::Duration;

use async_model::Clock;
use client::{Client, FetchLimits, OffsetSpec, Target, records};
use consumer::{Consumer, Polled};
use message_model::{Moment, Offset, PartitionIndex, TopicName, TopicPartition};
use stream_engine::Cause;
use tokio::sync::mpsc;
use wire_protocol::ErrorCode;

use crate::error::Error;
use crate::report::Report;
use crate::transactions::Transactions;

/// How long the queue may take to answer before that is worth a word.
const QUIET: Duration = Duration::from_millis(500);
/// How long one attempt of a call may take.
const TRY_TIMEOUT: Duration = Duration::from_secs(10);
/// To read one record that is there.
const ONE_RECORD: FetchLimits = FetchLimits {
    max_wait: TRY_TIMEOUT,
    min_bytes: 1,
    max_bytes: 1,
};

/// A client of the queue. What it asks is asked again until the queue answers, or for as
/// long as `patience` says.
#[derive(Debug)]
pub(crate) struct Queue {
    pub(crate) client: Arc<Client>,
    pub(crate) waiting: Waiting,
}

/// What it takes to make a client, and to end the job when the queue does not answer.
#[derive(Debug, Clone)]
pub(crate) struct Address {
    /// `host:port`, or several with commas between them.
    pub(crate) bootstrap: String,
    pub(crate) waiting: Waiting,
    /// Gets the errors after which the job does not begin again from its checkpoint.
    pub(crate) ending: mpsc::UnboundedSender<Error>,
}

/// Waits for the queue, with a word when that takes long.
#[derive(Debug, Clone)]
pub(crate) struct Waiting {
    pub(crate) clock: Clock,
    pub(crate) patience: Duration,
    pub(crate) report: Arc<Report>,
}

impl Address {
    /// What the engine gets of an error of a source or a sink.
    pub(crate) fn cause(&self, error: Error) -> Cause {
        if error.is_worth_another_try() {
            let report = &self.waiting.report;
            let said = report.line(format_args!(
                "queue sink: {error}; goes on from the last checkpoint"
            ));
            return said.err().map_or(error, Error::Report).into();
        }
        let cause = error.to_string().into();
        // The job may have ended already.
        let _ = self.ending.send(error);
        cause
    }

    /// A client with connections of its own.
    pub(crate) async fn connect(&self) -> Result<Client, Error> {
        let settings = client::Settings {
            client_id: "ip-count".to_owned(),
            patience: TRY_TIMEOUT,
            ..client::Settings::default()
        };
        let waiting = &self.waiting;
        let connecting = async {
            loop {
                match Client::connect(&self.bootstrap, settings.clone()).await {
                    Err(error) if error.is_retriable() => {
                        let soon = waiting.clock.now().plus(settings.backoff_max);
                        waiting.clock.sleep_until(soon).await;
                    }
                    connected => return connected,
                }
            }
        };
        Ok(waiting.until("client", connecting).await??)
    }
}

impl Queue {
    pub(crate) async fn connect(address: &Address) -> Result<Queue, Error> {
        Ok(Queue {
            client: Arc::new(address.connect().await?),
            waiting: address.waiting.clone(),
        })
    }

    /// The partitions of a topic, which is made with so many of them if there is none.
    pub(crate) async fn topic(
        &self,
        topic: &TopicName,
        partitions: i32,
    ) -> Result<Vec<TopicPartition>, Error> {
        let (target, deadline) = (Target::Controller, self.deadline());
        let create = || self.client.create_topic(topic, partitions, &[]);
        let creating = self.client.retry(&target, deadline, create);
        match self.waiting.until("client", creating).await? {
            Err(error) if error.code() != Some(ErrorCode::TOPIC_ALREADY_EXISTS) => {
                return Err(error.into());
            }
            _ => {}
        }
        // A broker may hear of a new topic a little later.
        let describe = || self.client.topic(topic, deadline);
        let describing = self.client.retry(&target, deadline, describe);
        let described = self.waiting.until("client", describing).await??;
        Ok(partitions_of(topic, described.partitions.len()))
    }

    /// The partitions of a topic that is there. Creates none.
    pub(crate) async fn existing(
        &self,
        topic: &TopicName,
    ) -> Result<Option<Vec<TopicPartition>>, Error> {
        let (target, deadline) = (Target::Controller, self.deadline());
        let describe = || async {
            match self.client.topic(topic, deadline).await {
                Err(error) if error.code() == Some(ErrorCode::UNKNOWN_TOPIC_OR_PARTITION) => {
                    Ok(None)
                }
                described => described.map(Some),
            }
        };
        let describing = self.client.retry(&target, deadline, describe);
        let described = self.waiting.until("client", describing).await??;
        Ok(described.map(|described| partitions_of(topic, described.partitions.len())))
    }

    /// Asks whether a transaction may be open for so long, by an id under which none is begun.
    ///
    /// # Errors
    /// Among others [`Error::TransactionTimeout`] if it may not.
    pub(crate) async fn check_timeout(
        &self,
        timeout: Duration,
        rows: &TopicName,
    ) -> Result<(), Error> {
        let calls = Transactions {
            client: Arc::clone(&self.client),
            patience: self.waiting.patience,
            timeout,
        };
        let id = format!("ip-count.{rows}.timeout");
        let asking = calls.init(&id, None);
        match self.waiting.until("client", asking).await? {
            Err(error) if error.code() == Some(ErrorCode::INVALID_TRANSACTION_TIMEOUT) => {
                Err(Error::TransactionTimeout(timeout))
            }
            asked => asked.map(|_| ()).map_err(Error::Queue),
        }
    }

    /// The offset that the next record will get.
    pub(crate) async fn log_end(&self, of: &TopicPartition) -> Result<Offset, Error> {
        let finding = self
            .client
            .find_offset(of, OffsetSpec::Latest, self.deadline());
        let end = self.waiting.until("client", finding).await??;
        Ok(end.unwrap_or(Offset::ZERO))
    }

    /// The last record of a partition without transactions.
    pub(crate) async fn last_record(
        &self,
        of: &TopicPartition,
    ) -> Result<Option<client::ConsumedRecord>, Error> {
        let end = self.log_end(of).await?;
        if end == Offset::ZERO {
            return Ok(None);
        }
        self.record(of, end.plus(-1)).await
    }

    /// The first record of a partition without transactions.
    pub(crate) async fn first_record(
        &self,
        of: &TopicPartition,
    ) -> Result<Option<client::ConsumedRecord>, Error> {
        let finding = self
            .client
            .find_offset(of, OffsetSpec::Earliest, self.deadline());
        let first = self.waiting.until("client", finding).await??;
        match first {
            Some(first) if first < self.log_end(of).await? => self.record(of, first).await,
            _ => Ok(None),
        }
    }

    /// The record with this offset, which is there.
    async fn record(
        &self,
        of: &TopicPartition,
        offset: Offset,
    ) -> Result<Option<client::ConsumedRecord>, Error> {
        let fetch = || self.client.fetch(of, offset, ONE_RECORD);
        let target = Target::Leader(of.clone());
        let fetching = self.client.retry(&target, self.deadline(), fetch);
        let fetched = self.waiting.until("client", fetching).await??;
        let record = records(fetched.batches, offset).next().transpose();
        record.map_err(|error| Error::Record(of.topic.clone(), Some(error)))
    }

    fn deadline(&self) -> Moment {
        self.waiting.clock.now().plus(self.waiting.patience)
    }
}

impl Waiting {
    /// Returns what `answer` returns. The role is for messages.
    ///
    /// # Errors
    /// When that takes longer than the patience.
    pub(crate) async fn until<T>(
        &self,
        role: &str,
        answer: impl Future<Output = T>,
    ) -> Result<T, Error> {
        let mut answer = std::pin::pin!(answer);
        let began = self.clock.now();
        tokio::select! {
            biased;
            answer = &mut answer => return Ok(answer),
            () = self.clock.sleep_until(began.plus(QUIET)) => {}
        }
        let silence = self.report.meters.silence();
        let patience = self.patience.as_secs();
        self.report.line_of_silence(format_args!(
            "queue {role}: no answer yet; waiting for up to {patience} s"
        ))?;
        let answer = tokio::select! {
            biased;
            answer = &mut answer => answer,
            () = self.clock.sleep_until(began.plus(self.patience)) => {
                return Err(Error::GaveUp(self.clock.now().since(began)));
            }
        };
        drop(silence);
        let seconds = self.clock.now().since(began).as_secs_f64();
        self.report
            .line_of_silence(format_args!("queue {role}: answers after {seconds:.1} s"))?;
        Ok(answer)
    }
}

fn partitions_of(topic: &TopicName, count: usize) -> Vec<TopicPartition> {
    let partition = |number| TopicPartition {
        topic: topic.clone(),
        partition: PartitionIndex(number),
    };
    (0..).take(count).map(partition).collect()
}

/// Returns the next records, however long they take to come.
pub(crate) async fn next(consumer: &mut Consumer) -> Result<Polled, consumer::Error> {
    loop {
        if let Some(polled) = consumer.poll(QUIET).await? {
            return Ok(polled);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::future::{pending, ready};

    use super::*;
    use crate::report::RowsShown;

    fn waiting() -> Waiting {
        let report = Report::new(Box::new(std::io::sink()), None, RowsShown::All);
        Waiting {
            clock: Clock::start(),
            patience: Duration::from_secs(60),
            report: Arc::new(report),
        }
    }

    #[tokio::test(start_paused = true)]
    async fn an_answer_is_waited_for() {
        let waiting = waiting();
        assert_eq!(waiting.until("test", ready(1)).await.expect("at once"), 1);
        let late = waiting.clock.now().plus(Duration::from_secs(59));
        let late = waiting.clock.sleep_until(late);
        waiting.until("test", late).await.expect("within 60 s");
    }

    #[tokio::test(start_paused = true)]
    async fn patience_ends() {
        let result = waiting().until("test", pending::<()>()).await;
        let Err(Error::GaveUp(waited)) = result else {
            panic!("it gave {result:?}");
        };
        assert_eq!(waited.as_secs(), 60);
    }
}
