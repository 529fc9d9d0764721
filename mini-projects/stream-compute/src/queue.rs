//! The queue, which may be killed and started again at any moment.

use std::time::Duration;

use async_model::Clock;
use client::{Acks, Client, OffsetSpec};
use message_model::{Offset, PartitionIndex, TopicName, TopicPartition};
use wire_protocol::ErrorCode;

use crate::error::Error;
use crate::report::Report;

/// The first wait between two tries; each is twice as long as the one before …
const WAIT_MIN: Duration = Duration::from_millis(50);
/// … up to this.
const WAIT_MAX: Duration = Duration::from_secs(1);
/// How long one try may take.
const TRY_TIMEOUT: Duration = Duration::from_secs(10);

/// A client that tries again until the queue answers, or for as long as `patience` says.
///
#[derive(Debug)]
pub(crate) struct Queue<'a> {
    client: Client,
    tries: Tries<'a>,
}

#[derive(Debug)]
struct Tries<'a> {
    /// For messages.
    role: &'static str,
    clock: Clock,
    patience: Duration,
    report: &'a Report,
}

impl<'a> Queue<'a> {
    pub(crate) async fn connect(
        role: &'static str,
        bootstrap: &str,
        patience: Duration,
        report: &'a Report,
    ) -> Result<Queue<'a>, Error> {
        let tries = Tries {
            role,
            clock: Clock::start(),
            patience,
            report,
        };
        let settings = client::Settings {
            client_id: "ip-count".to_owned(),
            patience: TRY_TIMEOUT,
            ..client::Settings::default()
        };
        let (client, _) = tries
            .until_answered(async || Client::connect(bootstrap, settings.clone()).await)
            .await?;
        Ok(Queue { client, tries })
    }

    /// Makes a topic with one partition. One that is there already must be empty.
    pub(crate) async fn create_fresh(&self, topic: &TopicName) -> Result<TopicPartition, Error> {
        let partition = TopicPartition {
            topic: topic.clone(),
            partition: PartitionIndex(0),
        };
        match self
            .ask(async |client| client.create_topic(topic, 1, &[]).await)
            .await
        {
            Ok(()) => Ok(partition),
            // Perhaps by our own first try, whose answer was lost.
            Err(Error::Queue(error)) if error.code() == Some(ErrorCode::TOPIC_ALREADY_EXISTS) => {
                match self.log_end(&partition).await? {
                    Offset::ZERO => Ok(partition),
                    _ => Err(Error::TopicInUse(topic.clone())),
                }
            }
            Err(error) => Err(error),
        }
    }

    /// The offset that the next record will get.
    pub(crate) async fn log_end(&self, of: &TopicPartition) -> Result<Offset, Error> {
        let end = self
            .ask(async |client| client.list_offset(of, OffsetSpec::Latest).await)
            .await?;
        Ok(end.unwrap_or(Offset::ZERO))
    }

    /// Appends a batch, durably; how often it was sent *again*. If it was, the
    /// topic may have it more than once.
    pub(crate) async fn produce(&self, to: &TopicPartition, batch: &[u8]) -> Result<u64, Error> {
        let send = async || {
            self.client
                .produce(to, batch.to_vec(), Acks::All, TRY_TIMEOUT)
                .await
        };
        let (_, resends) = self.tries.until_answered(send).await?;
        Ok(resends)
    }

    pub(crate) async fn ask<T>(
        &self,
        call: impl AsyncFn(&Client) -> Result<T, client::Error>,
    ) -> Result<T, Error> {
        let (answer, _) = self
            .tries
            .until_answered(async || call(&self.client).await)
            .await?;
        Ok(answer)
    }
}

impl Tries<'_> {
    /// What `call` returns in the end, and how many tries it took beyond the first.
    async fn until_answered<T>(
        &self,
        call: impl AsyncFn() -> Result<T, client::Error>,
    ) -> Result<(T, u64), Error> {
        let mut failed_since = None;
        let mut wait = WAIT_MIN;
        let mut repeats = 0;
        loop {
            let error = match call().await {
                Ok(answer) => {
                    self.say_it_is_back(failed_since)?;
                    return Ok((answer, repeats));
                }
                Err(error) if error.is_retriable() => error,
                Err(error) => return Err(Error::Queue(error)),
            };
            let now = self.clock.now();
            let since = match failed_since {
                Some(since) => since,
                None => {
                    self.say_it_is_gone(&error)?;
                    *failed_since.insert(now)
                }
            };
            if now.since(since) >= self.patience {
                return Err(Error::GaveUp {
                    waited: now.since(since),
                    last: error,
                });
            }
            self.clock.sleep_until(now.plus(wait)).await;
            wait = WAIT_MAX.min(wait * 2);
            repeats += 1;
        }
    }

    fn say_it_is_gone(&self, error: &client::Error) -> std::io::Result<()> {
        let role = self.role;
        let patience = self.patience.as_secs();
        self.report.line(format_args!(
            "queue {role}: {error}; trying again for up to {patience} s"
        ))
    }

    fn say_it_is_back(&self, failed_since: Option<message_model::Moment>) -> std::io::Result<()> {
        let Some(since) = failed_since else {
            return Ok(());
        };
        let role = self.role;
        let seconds = self.clock.now().since(since).as_secs_f64();
        self.report.line(format_args!(
            "queue {role}: answers again after {seconds:.1} s"
        ))
    }
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;

    use super::*;
    use crate::report::RowsShown;

    fn tries(report: &Report) -> Tries<'_> {
        Tries {
            role: "test",
            clock: Clock::start(),
            patience: Duration::from_secs(60),
            report,
        }
    }

    fn report() -> Report {
        Report::new(Box::new(std::io::sink()), None, RowsShown::All)
    }

    fn gone() -> client::Error {
        client::Error::Broker(ErrorCode::NOT_LEADER_OR_FOLLOWER)
    }

    #[tokio::test(start_paused = true)]
    async fn it_tries_again_until_there_is_an_answer() {
        let report = report();
        let calls = Cell::new(0);
        let answer = tries(&report)
            .until_answered(async || {
                calls.set(calls.get() + 1);
                if calls.get() < 20 {
                    Err(gone())
                } else {
                    Ok("here")
                }
            })
            .await;
        assert_eq!(answer.expect("within 60 s"), ("here", 19));
    }

    #[tokio::test(start_paused = true)]
    async fn its_patience_ends() {
        let report = report();
        let tries = tries(&report);
        let result = tries.until_answered(async || Err::<(), _>(gone())).await;
        let Err(Error::GaveUp { waited, .. }) = result else {
            panic!("it gave {result:?}");
        };
        assert!(waited >= tries.patience && waited < tries.patience + WAIT_MAX);
    }

    #[tokio::test(start_paused = true)]
    async fn what_will_not_change_is_not_tried_again() {
        let report = report();
        let calls = Cell::new(0);
        let result = tries(&report)
            .until_answered(async || {
                calls.set(calls.get() + 1);
                Err::<(), _>(client::Error::Incomplete)
            })
            .await;
        assert!(matches!(
            result,
            Err(Error::Queue(client::Error::Incomplete))
        ));
        assert_eq!(calls.get(), 1);
    }
}
