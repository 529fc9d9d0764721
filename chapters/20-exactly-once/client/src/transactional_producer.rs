//! A producer whose records, and a group's offsets with them, count all together or not at all.

use std::collections::BTreeMap;
use std::sync::Arc;

use client::Client;
use consumer::{Committed, GroupMetadata};
use message_model::{TopicName, TopicPartition};
use producer::{Delivery, Identity, Producer, Record};
use wire_protocol::ErrorCode;

use crate::calls::Calls;
use crate::enlisting::Enlisting;
use crate::error::Error;
use crate::settings::Settings;

/// Writes transactions, one after the other: [`begin`](TransactionalProducer::begin), records
/// and offsets, then [`commit`](TransactionalProducer::commit) or
/// [`abort`](TransactionalProducer::abort).
///
/// # Invariants
/// - Consumers that read committed records see all records of a transaction or none, and with
///   them the offsets that were sent.
/// - After an error within a transaction it can only be aborted, except after
///   [`Error::Fenced`], which ends the producer: another instance writes.
///
/// A producer that is dropped leaves its transaction open. The next instance aborts it when
/// it begins, and the coordinator does when its time is over.
#[derive(Debug)]
pub struct TransactionalProducer {
    client: Arc<Client>,
    settings: Settings,
    calls: Calls,
    identity: Identity,
    /// None while an abort is under way.
    records: Option<Producer>,
    enlisting: Enlisting,
    state: State,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    /// No transaction is open.
    Ready,
    Open,
    /// Something in the transaction has failed.
    Failed,
    /// A commit has begun whose answer is not known.
    Committing,
    /// An abort has begun: the transaction may be aborted, and the next epoch is not known.
    Aborting,
    Fenced(ErrorCode),
}

impl TransactionalProducer {
    /// Returns a producer that is the one with this transactional id from now on: others are
    /// fenced, and what they have not committed is aborted. Must be called inside a tokio
    /// runtime.
    ///
    /// # Errors
    /// When the coordinator cannot be found, or does not answer, within
    /// [`Settings::patience`], or refuses.
    pub async fn init(
        client: Arc<Client>,
        settings: Settings,
    ) -> Result<TransactionalProducer, Error> {
        let calls = Calls::new(Arc::clone(&client), &settings.id, settings.patience);
        let identity = calls.init(settings.timeout, None).await?;
        let enlisting = Enlisting::default();
        let records = enlisting.producer((Arc::clone(&client), &settings), &calls, identity);
        Ok(TransactionalProducer {
            client,
            settings,
            calls,
            identity,
            records: Some(records),
            enlisting,
            state: State::Ready,
        })
    }

    /// Begins a transaction. Nothing is sent: the coordinator hears of it with the first
    /// partition.
    ///
    /// # Errors
    /// [`Error::NotEnded`], and [`Error::Fenced`].
    pub fn begin(&mut self) -> Result<(), Error> {
        match self.state {
            State::Ready => {
                self.records.iter().for_each(Producer::next_transaction);
                self.enlisting.reset();
                self.state = State::Open;
                Ok(())
            }
            State::Fenced(code) => Err(Error::Fenced(code)),
            _ => Err(Error::NotEnded),
        }
    }

    /// Puts a record into a batch of the transaction, and returns the future of its outcome,
    /// as [`Producer::send`] does. It need not be awaited: a commit waits for all, and fails
    /// if one has.
    ///
    /// # Errors
    /// When no transaction is open, or something in it has failed: then it can only be
    /// aborted.
    pub async fn send(&mut self, topic: &TopicName, record: Record<'_>) -> Result<Delivery, Error> {
        let records = self.check()?;
        let delivery = records.send(topic, record).await;
        match delivery.failure().cloned() {
            None => Ok(delivery),
            Some(error) => {
                // Not even the reason is known if it came from an earlier record.
                let failed = self.failed().unwrap_or_else(|| Error::of_record(error));
                Err(self.fail(failed))
            }
        }
    }

    /// Commits offsets of a group, if the transaction commits: those behind the last records
    /// that were read.
    ///
    /// # Errors
    /// When the coordinator refuses or does not answer in time; among others because the
    /// consumer is no member any more, or of an older generation. The transaction can only be
    /// aborted then.
    pub async fn send_offsets(
        &mut self,
        group: &GroupMetadata,
        offsets: &BTreeMap<TopicPartition, Committed>,
    ) -> Result<(), Error> {
        self.check()?;
        self.enlisting.begin();
        // If this call is dropped, it is not known what has become of the offsets.
        self.state = State::Failed;
        let sent = self.calls.commit_offsets(self.identity, group, offsets);
        match sent.await {
            Ok(()) => {
                self.state = State::Open;
                Ok(())
            }
            Err(error) => Err(self.fail(error)),
        }
    }

    /// Waits until every record is delivered, and commits the transaction. When it returns,
    /// consumers of committed records see it.
    ///
    /// # Errors
    /// [`Error::NotDelivered`]: the transaction can only be aborted. After [`Error::Client`]
    /// it is not known whether the transaction is committed, and this is to be called again.
    pub async fn commit(&mut self) -> Result<(), Error> {
        if self.state != State::Committing {
            self.check()?.flush().await;
            if let Some(error) = self.failed() {
                return Err(self.fail(error));
            }
            if !self.enlisting.is_begun() {
                self.state = State::Ready;
                return Ok(());
            }
            self.state = State::Committing;
        }
        match self.calls.end(self.identity, true).await {
            Ok(()) => {
                self.state = State::Ready;
                Ok(())
            }
            Err(Error::Client(error)) if error.code() == Some(ErrorCode::INVALID_TXN_STATE) => {
                Err(self.fail(Error::Client(error)))
            }
            Err(Error::Fenced(code)) => Err(self.fail(Error::Fenced(code))),
            Err(error) => Err(error),
        }
    }

    /// Aborts the transaction: no consumer of committed records sees any of it. Records that
    /// are still on their way cannot come into the next one, because it has a new epoch.
    ///
    /// # Errors
    /// After [`Error::Client`] this is to be called again, as long as the error
    /// [is retriable](client::Error::is_retriable).
    pub async fn abort(&mut self) -> Result<(), Error> {
        match self.state {
            State::Open | State::Failed | State::Aborting => {}
            State::Ready => return Err(Error::NoTransaction),
            State::Committing => return Err(Error::NotEnded),
            State::Fenced(code) => return Err(Error::Fenced(code)),
        }
        self.state = State::Aborting;
        let aborted = self.abort_and_renew().await;
        if let Err(Error::Fenced(code)) = aborted {
            self.state = State::Fenced(code);
        }
        aborted
    }

    async fn abort_and_renew(&mut self) -> Result<(), Error> {
        // What has not been sent is not sent any more.
        self.records = None;
        if self.enlisting.is_begun() {
            match self.calls.end(self.identity, false).await {
                // The coordinator never heard of the transaction, or has ended it before.
                Err(Error::Client(error)) if error.code() == Some(ErrorCode::INVALID_TXN_STATE) => {
                }
                ended => ended?,
            }
        }
        let last = Some(self.identity);
        self.identity = self.calls.init(self.settings.timeout, last).await?;
        let client = Arc::clone(&self.client);
        self.enlisting = Enlisting::default();
        let with = (client, &self.settings);
        let records = self.enlisting.producer(with, &self.calls, self.identity);
        self.records = Some(records);
        self.state = State::Ready;
        Ok(())
    }

    /// The producer of the records, if a transaction is open and nothing in it has failed.
    fn check(&mut self) -> Result<&Producer, Error> {
        match self.state {
            State::Open => {}
            State::Ready => return Err(Error::NoTransaction),
            State::Failed => return Err(Error::MustAbort),
            State::Committing | State::Aborting => return Err(Error::NotEnded),
            State::Fenced(code) => return Err(Error::Fenced(code)),
        }
        if let Some(error) = self.failed() {
            return Err(self.fail(error));
        }
        self.records.as_ref().ok_or(Error::NotEnded)
    }

    /// Why a record, or its partition, has failed.
    fn failed(&self) -> Option<Error> {
        let of_records = || self.records.as_ref()?.failure().map(Error::of_record);
        self.enlisting.failed().or_else(of_records)
    }

    fn fail(&mut self, error: Error) -> Error {
        self.state = match error {
            Error::Fenced(code) => State::Fenced(code),
            _ => State::Failed,
        };
        error
    }
}
