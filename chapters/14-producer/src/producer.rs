//! The producer.

use std::future::poll_fn;
use std::sync::Arc;
use std::task::Poll;
use std::time::Duration;

use client::{Backoff, Client, Target};
use message_model::{Moment, PartitionIndex, TopicName, TopicPartition};
use tokio::runtime::Handle;
use tokio::sync::mpsc;
use tokio::task::JoinHandle;

use crate::core::{Call, Core, Offered};
use crate::delivery::{Delivery, block_on};
use crate::error::Error;
use crate::io::{look_up, refresh, run};
use crate::part::{Failure, Order, Ticket};
use crate::record::Record;
use crate::sequence::Interceptor;
use crate::settings::{Acks, Settings};
use crate::shared::Shared;
use crate::transaction::Transaction;

/// Sends records to topics. All methods may be called at the same time; share it by
/// reference or `Arc`.
///
/// # Invariants
/// - Every record that was passed to [`send`](Producer::send) has one outcome, which its
///   [`Delivery`] says: there is no other way in which a failure is reported.
/// - The records of a partition are in its log in the order in which their calls of
///   `send` were completed, except with [`Order::Nothing`].
/// - The records that have no outcome take at most [`Settings::memory`] bytes.
///
/// When it is dropped, what has no outcome yet fails; [`close`](Producer::close) it first.
pub struct Producer {
    shared: Arc<Shared>,
    tasks: Vec<JoinHandle<()>>,
    /// The runtime of the tasks, for calls from other threads.
    runtime: Handle,
}

impl Producer {
    /// Returns a producer that sends through `client`. Must be called inside a tokio
    /// runtime.
    ///
    /// # Panics
    /// If the settings contradict each other: [`Order::Sequenced`] without `idempotent`,
    /// or `idempotent` without [`Acks::All`] or with [`Order::Nothing`].
    #[must_use]
    pub fn new(client: Arc<Client>, settings: Settings) -> Producer {
        Producer::start(client, settings, None, None)
    }

    /// As [`new`](Producer::new), with an interceptor that adds headers to each record.
    ///
    /// # Panics
    /// As `new`.
    #[must_use]
    pub fn with_interceptor(
        client: Arc<Client>,
        settings: Settings,
        interceptor: Interceptor,
    ) -> Producer {
        Producer::start(client, settings, Some(interceptor), None)
    }

    /// As [`new`](Producer::new), with batches that belong to transactions.
    ///
    /// # Panics
    /// As `new`, and without `idempotent`.
    #[must_use]
    pub fn transactional(
        client: Arc<Client>,
        settings: Settings,
        transaction: Transaction,
    ) -> Producer {
        assert!(settings.idempotent, "a transaction needs numbered batches");
        Producer::start(client, settings, None, Some(transaction))
    }

    fn start(
        client: Arc<Client>,
        settings: Settings,
        interceptor: Option<Interceptor>,
        transaction: Option<Transaction>,
    ) -> Producer {
        assert!(
            settings.idempotent || settings.order != Order::Sequenced,
            "numbers that are checked need a producer id"
        );
        assert!(
            !settings.idempotent || settings.order != Order::Nothing,
            "an idempotent producer keeps the order"
        );
        assert!(
            settings.acks == Acks::All || !settings.idempotent,
            "an idempotent producer needs acks=all"
        );
        let mut core = Core::new(&settings, interceptor);
        if let Some(transaction) = &transaction {
            core.begin_transactions(Moment::START, transaction.identity);
        }
        let core = (core, transaction);
        let (work, received) = mpsc::unbounded_channel();
        let shared = Arc::new(Shared::new(client, settings, core, work));
        let ticking = Arc::clone(&shared);
        let tick = async move {
            let step = |_| ticking.with(|core, now| core.tick(now.moment));
            ticking.driver.drive(step).await;
        };
        let tasks = vec![
            tokio::spawn(run(Arc::clone(&shared), received)),
            tokio::spawn(tick),
            tokio::spawn(refresh(Arc::clone(&shared))),
        ];
        Producer {
            shared,
            tasks,
            runtime: Handle::current(),
        }
    }

    /// Puts a record into a batch, and returns the future of its outcome. Until there is
    /// room (and the topic is known) it waits, at most [`Settings::max_block`].
    ///
    /// The record's time begins when this is called: waiting is part of
    /// [`Settings::delivery_timeout`]. May be dropped while it waits; the record is not
    /// sent then.
    // ANCHOR: send
    pub async fn send(&self, topic: &TopicName, record: Record<'_>) -> Delivery {
        match self.offer(topic, &record, None) {
            Offered::Sent(delivery) => delivery,
            other => self.send_waiting(topic, record, other).await,
        }
    }

    /// As [`send`](Producer::send), for threads outside of the runtime: this thread sleeps
    /// until there is room.
    pub fn send_blocking(&self, topic: &TopicName, record: Record<'_>) -> Delivery {
        match self.offer(topic, &record, None) {
            Offered::Sent(delivery) => delivery,
            other => {
                let _runtime = self.runtime.enter();
                block_on(self.send_waiting(topic, record, other))
            }
        }
    }
    // ANCHOR_END: send

    /// The way of a record for which there is no room, or whose topic is not known.
    async fn send_waiting(
        &self,
        topic: &TopicName,
        record: Record<'_>,
        mut offered: Offered,
    ) -> Delivery {
        let deadlines = self.deadlines();
        loop {
            let parked = match offered {
                Offered::Sent(delivery) => return delivery,
                Offered::UnknownTopic => {
                    if let Err(error) = self.look_up(topic, deadlines.0).await {
                        return Delivery::failed(Error::Topic(error));
                    }
                    None
                }
                Offered::Parked(ticket, place) => {
                    let waiting = Waiting(&self.shared, Some(ticket));
                    if let Err(error) = waiting.admitted().await {
                        return Delivery::failed(error);
                    }
                    Some((ticket, place))
                }
            };
            offered = self.shared.with(|core, now| {
                let call = Call {
                    topic,
                    record,
                    admit_by: deadlines.0,
                    deliver_by: deadlines.1,
                    parked,
                };
                core.offer(now, &call)
            });
        }
    }

    fn offer(
        &self,
        topic: &TopicName,
        record: &Record<'_>,
        parked: Option<(Ticket, crate::topics::Place)>,
    ) -> Offered {
        self.shared.with(|core, now| {
            let settings = &self.shared.settings;
            let call = Call {
                topic,
                record: *record,
                admit_by: now.moment.plus(settings.max_block),
                deliver_by: now.moment.plus(settings.delivery_timeout),
                parked,
            };
            core.offer(now, &call)
        })
    }

    /// How long a call that begins now may wait, and when its record must be delivered.
    fn deadlines(&self) -> (Moment, Moment) {
        let now = self.shared.clock.now();
        let settings = &self.shared.settings;
        (
            now.plus(settings.max_block),
            now.plus(settings.delivery_timeout),
        )
    }

    async fn look_up(&self, topic: &TopicName, deadline: Moment) -> Result<(), client::Error> {
        let pause = self.shared.settings.backoff;
        let backoff = Backoff {
            first: pause,
            max: pause,
        };
        let target = Target::Leader(TopicPartition {
            topic: topic.clone(),
            partition: PartitionIndex(0),
        });
        let attempt = || look_up(&self.shared, topic, deadline);
        let client = &self.shared.client;
        client
            .retry_after(backoff, &target, deadline, attempt)
            .await
    }

    /// Returns when every record that was sent before has its outcome. Batches that are
    /// not full are sent at once.
    pub async fn flush(&self) {
        let batches = self.shared.with(|core, now| core.flush(now.moment));
        for (batch, count) in batches {
            batch.settled(count).await;
        }
    }

    /// With transactions: another one begins, so each partition has to be added again. Every
    /// record that was sent must have its outcome.
    pub fn next_transaction(&self) {
        self.shared.with(|core, _| {
            if let Some(transaction) = core.transaction() {
                transaction.slots.clear();
            }
        });
    }

    /// With transactions: why a record was not delivered, the first time. Nothing is sent
    /// since then.
    #[must_use]
    pub fn failure(&self) -> Option<Error> {
        let failed = |core: &mut Core, _| core.transaction()?.failed.clone();
        self.shared.with(failed)
    }

    /// Takes no more records, waits until those that were sent have their outcome, and
    /// ends what has none after `patience`.
    pub async fn close(&self, patience: Duration) {
        self.shared.with(|core, now| core.close(now.moment));
        let _ = tokio::time::timeout(patience, self.flush()).await;
        self.stop();
    }

    fn stop(&self) {
        self.shared
            .with(|core, now| core.stop(now.moment, Failure::Closed));
    }
}

impl Drop for Producer {
    fn drop(&mut self) {
        self.stop();
        self.tasks.iter().for_each(JoinHandle::abort);
    }
}

impl std::fmt::Debug for Producer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let mut fields = f.debug_struct("Producer");
        fields.field("settings", &self.shared.settings);
        fields.finish_non_exhaustive()
    }
}

/// A call that waits for room. When it is dropped before that, others may have the room.
struct Waiting<'a>(&'a Shared, Option<Ticket>);

impl Waiting<'_> {
    async fn admitted(mut self) -> Result<(), Error> {
        poll_fn(|context| {
            let Some(ticket) = self.1 else {
                return Poll::Ready(Ok(()));
            };
            let ended = self
                .0
                .with(|core, _| core.poll_parked(ticket, context.waker()));
            match ended {
                Some(ended) => {
                    self.1 = None;
                    Poll::Ready(ended)
                }
                None => Poll::Pending,
            }
        })
        .await
    }
}

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        if let Some(ticket) = self.1.take() {
            self.0.with(|core, now| core.withdraw(now.moment, ticket));
        }
    }
}
