//! One life of the broker: the product, on a simulated disk, from a start to a death.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use async_model::Clock;
use consumer_groups::Coordinator as Groups;
use exactly_once::api::list_transactions;
use exactly_once::{Coordinator as Transactions, CoordinatorSettings};
use fastrand::Rng;
use futures_util::future::BoxFuture;
use message_model::Timestamp;
use sim_disk::SimDisk;
use tokio::sync::Notify;
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use tokio::task::AbortHandle;
use wire_protocol::message::ListTransactionsRequest;

use crate::fate::Fate;
use crate::plan::Plan;
use crate::product::{group_settings, make_topics, open, services};
use crate::request::{Request, Response, Served, begin};

/// How often the cleaner looks for work.
const CLEANER_INTERVAL: Duration = Duration::from_millis(90);

/// What the calendar shows at the start of a run.
pub(crate) const FIRST_DAY: Timestamp = Timestamp(1_700_000_000_000);

/// The topics that clients use, and how many partitions each has.
pub(crate) const TOPICS: [&str; 2] = ["in", "out"];
pub(crate) const PARTITIONS: i32 = 2;

/// The number of a connection.
pub(crate) type ConnectionId = u64;

/// An answer that leaves the broker: its connection, its request, and what it says.
pub(crate) type Leaving = (ConnectionId, u64, Response);

/// What leaves the broker.
#[derive(Debug, Default)]
pub(crate) struct Outbox {
    leaving: Mutex<Vec<Leaving>>,
    pub(crate) changed: Notify,
}

/// One life of the broker.
pub(crate) struct Node {
    pub(crate) disk: SimDisk,
    pub(crate) served: Served,
    pub(crate) outbox: Arc<Outbox>,
    is_ready: Arc<AtomicBool>,
    /// From this operation of the disk on there is no power.
    off_at: Arc<AtomicU64>,
    /// This operation of the disk fails.
    fails_at: u64,
    connections: BTreeMap<ConnectionId, Connection>,
}

/// The broker's end of a connection.
struct Connection {
    requests: UnboundedSender<(u64, Request)>,
    /// What sends the answers.
    answering: AbortHandle,
}

/// The broker did not start: the power failed meanwhile.
#[derive(Debug)]
pub(crate) struct NotStarted(pub(crate) String);

impl Node {
    /// Starts the broker on what is on `disk`, in the runtime of its life. It takes no requests
    /// before it [is ready](Node::is_ready).
    pub(crate) async fn start(
        disk: &SimDisk,
        plan: &Plan,
        random: Rng,
        (now, fate): (u64, &mut Fate),
    ) -> Result<Node, NotStarted> {
        // The topics are made before anything goes wrong.
        let is_first = now == 0;
        if !is_first {
            fate.arm(disk);
        }
        let clock = Clock::start_at(Timestamp(FIRST_DAY.0 + i64::try_from(now).unwrap_or(0)));
        let services = Arc::new(services(disk, plan, clock, random));
        let broker = open(&services, plan).map_err(NotStarted)?;
        if is_first {
            make_topics(&broker).await?;
            fate.begin_here(disk);
            fate.arm(disk);
        }
        let groups = Arc::new(Groups::new(Arc::clone(&broker), group_settings()));
        let transactions = Transactions::new(
            Arc::clone(&broker),
            Arc::clone(&groups),
            CoordinatorSettings::default(),
        );
        let node = Node {
            disk: disk.clone(),
            served: Served {
                broker,
                groups,
                transactions: Arc::new(transactions),
                shows_durable: plan.has_losses(),
            },
            outbox: Arc::default(),
            is_ready: Arc::default(),
            off_at: Arc::new(AtomicU64::new(fate.off_at)),
            fails_at: fate.fails_at,
            connections: BTreeMap::new(),
        };
        node.start_background_work(plan.save_interval);
        Ok(node)
    }

    /// The tasks that `mqd` has besides its connections.
    fn start_background_work(&self, save_interval: u64) {
        let Served {
            broker,
            groups,
            transactions,
            ..
        } = self.served.clone();
        let services = Arc::clone(&broker.services);
        tokio::spawn(async move { services.expire_waits().await });
        let (loaded, driven) = (Arc::clone(&groups), groups);
        tokio::spawn(async move { loaded.load().await });
        tokio::spawn(async move { driven.drive().await });
        let driven = Arc::clone(&transactions);
        tokio::spawn(async move { driven.drive().await });
        let saved = Arc::clone(&broker);
        tokio::spawn(async move {
            loop {
                tokio::time::sleep(Duration::from_millis(save_interval)).await;
                // What is not saved makes the next start longer.
                let _failed = saved.topics.save_recovery_points().await;
            }
        });
        let cleaned = Arc::clone(&broker);
        tokio::spawn(async move {
            loop {
                tokio::time::sleep(CLEANER_INTERVAL).await;
                // What is not compacted is the next time.
                let _all = cleaned.topics.compact().await;
            }
        });
        let (is_ready, outbox) = (Arc::clone(&self.is_ready), Arc::clone(&self.outbox));
        tokio::spawn(async move {
            transactions.load().await;
            is_ready.store(true, Ordering::Relaxed);
            outbox.changed.notify_one();
        });
    }

    /// Whether it listens.
    pub(crate) fn is_ready(&self) -> bool {
        self.is_ready.load(Ordering::Relaxed) && !self.is_off()
    }

    /// Whether no transaction is open, and readers of committed records can read all there is.
    pub(crate) fn is_stable(&self) -> bool {
        let topics = self.served.broker.topics.all();
        let mut ends = topics
            .iter()
            .flat_map(|topic| &topic.partitions)
            .map(|one| one.ends());
        let all = ListTransactionsRequest::default();
        let listed = list_transactions(&self.served.transactions, all).transaction_states;
        let is_open = |state: &str| matches!(state, "Ongoing" | "PrepareCommit" | "PrepareAbort");
        listed.iter().all(|one| !is_open(&one.transaction_state))
            && ends.all(|ends| ends.is_ok_and(|ends| ends.last_stable == ends.high_watermark))
    }

    /// Neither power nor disk fail any more in this life.
    pub(crate) fn lives_on(&mut self) {
        if self.disk.operations() <= self.fails_at {
            self.disk.fail_at(u64::MAX);
        }
        if !self.is_off() {
            self.off_at.store(u64::MAX, Ordering::Relaxed);
            self.disk.power_off_at(u64::MAX);
        }
    }

    /// Whether the power has failed, by a disk operation that was asked for.
    pub(crate) fn is_off(&self) -> bool {
        self.disk.operations() > self.off_at.load(Ordering::Relaxed)
    }

    /// A request arrives. The first one of a connection begins it.
    pub(crate) fn deliver(&mut self, connection: ConnectionId, number: u64, request: Request) {
        let there = self.connections.entry(connection).or_insert_with(|| {
            let (requests, arriving) = unbounded_channel();
            let (answers, pending) = unbounded_channel();
            let served = self.served.clone();
            tokio::spawn(serve(served, arriving, answers));
            let (disk, off_at, outbox) =
                (self.disk.clone(), self.off_at.clone(), self.outbox.clone());
            let answering = tokio::spawn(async move {
                let is_off = move || disk.operations() > off_at.load(Ordering::Relaxed);
                answer(connection, pending, &outbox, is_off).await;
            });
            Connection {
                requests,
                answering: answering.abort_handle(),
            }
        });
        // It takes requests until it is closed.
        let _ = there.requests.send((number, request));
    }

    /// The client of a connection is gone: what has begun goes on until it has taken effect,
    /// and nobody waits for answers.
    pub(crate) fn close(&mut self, connection: ConnectionId) {
        if let Some(closed) = self.connections.remove(&connection) {
            closed.answering.abort();
        }
    }

    /// Stops as it should: all is on disk when this completes.
    pub(crate) async fn stop(&self) {
        self.served.broker.services.fetches.stop();
        self.served.groups.stop();
        self.served.transactions.stop();
        let _synced = self.served.broker.topics.sync_all().await;
    }
}

impl Outbox {
    fn lock(&self) -> MutexGuard<'_, Vec<Leaving>> {
        self.leaving.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Returns what has left since the last time, in its order.
    pub(crate) fn take(&self) -> Vec<Leaving> {
        std::mem::take(&mut *self.lock())
    }
}

/// Begins the requests of a connection, one after the other.
async fn serve(
    served: Served,
    mut arriving: UnboundedReceiver<(u64, Request)>,
    answers: UnboundedSender<(u64, BoxFuture<'static, Response>)>,
) {
    while let Some((number, request)) = arriving.recv().await {
        let answer = begin(&served, request).await;
        // Nobody takes it if the client is gone.
        let _ = answers.send((number, answer));
    }
}

/// Sends the answers of a connection, in the order of the requests.
async fn answer(
    connection: ConnectionId,
    mut pending: UnboundedReceiver<(u64, BoxFuture<'static, Response>)>,
    outbox: &Outbox,
    is_off: impl Fn() -> bool,
) {
    while let Some((number, answer)) = pending.recv().await {
        let response = answer.await;
        if !is_off() {
            outbox.lock().push((connection, number, response));
        }
        outbox.changed.notify_one();
    }
}
