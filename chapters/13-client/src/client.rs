//! The calls of a client that concern one partition, and how it finds the leader.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use async_model::Clock;
use bytes::Bytes;
use message_model::{Moment, Offset, Timestamp, TopicPartition};
use wire_protocol::message::{
    FetchPartition, FetchRequest, FetchTopic, ListOffsetsPartition, ListOffsetsRequest,
    ListOffsetsTopic, ProducePartition, ProduceRequest, ProduceTopic,
};
use wire_protocol::{Records, Request};

use crate::address::{BrokerAddress, InvalidAddress};
use crate::broker::Broker;
use crate::error::{Error, check};

/// How the client behaves.
#[derive(Debug, Clone)]
pub struct Settings {
    /// What it calls itself in every request.
    pub client_id: String,
    /// How long a call may take: connecting, finding the leader and the answer together.
    pub patience: Duration,
}

impl Default for Settings {
    /// `client`, 30 seconds.
    fn default() -> Settings {
        Settings {
            client_id: "client".to_owned(),
            patience: Duration::from_secs(30),
        }
    }
}

/// When a batch counts as produced.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Acks {
    /// The leader has written it: it survives the end of the broker's process.
    Leader,
    /// It is on disk, and on every replica in sync: it survives a power cut.
    All,
}

/// Which offset of a partition is wanted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OffsetSpec {
    /// The first one that the partition still has.
    Earliest,
    /// The one that the next record will get.
    Latest,
    /// The first one with this timestamp or a later one.
    AtOrAfter(Timestamp),
}

/// How much a fetch waits for, and brings.
#[derive(Debug, Clone, Copy)]
pub struct FetchLimits {
    /// How long the broker may wait for [`min_bytes`](FetchLimits::min_bytes).
    pub max_wait: Duration,
    /// As soon as there is this much, the broker answers; 0: at once.
    pub min_bytes: u32,
    /// About the most that comes; one batch comes even if it is larger.
    pub max_bytes: u32,
}

/// What a fetch brought.
#[derive(Debug, Clone)]
pub struct Fetched {
    /// Whole batches; the first may begin below the offset that was asked for.
    pub batches: Bytes,
    /// Everything below it can be fetched.
    pub high_watermark: Offset,
    /// The first offset that the partition still has.
    pub log_start: Offset,
}

/// A client. All methods may be called at the same time; share it by reference or `Arc`.
///
/// Calls to one broker share one connection. A connection that died, or left a
/// call unanswered, is replaced at the next call.
#[derive(Debug)]
pub struct Client {
    bootstrap: Vec<BrokerAddress>,
    settings: Settings,
    clock: Clock,
    known: Mutex<Known>,
}

/// What the client has learnt. A cache: it may be stale, and any of it may be dropped.
#[derive(Debug, Default)]
struct Known {
    brokers: HashMap<BrokerAddress, Arc<Broker>>,
    leaders: HashMap<TopicPartition, BrokerAddress>,
}

impl Client {
    /// Connects to the first of the comma-separated `bootstrap` addresses that answers.
    ///
    /// # Errors
    /// When an address is malformed, or none answers within [`Settings::patience`].
    pub async fn connect(bootstrap: &str, settings: Settings) -> Result<Client, Error> {
        let bootstrap: Vec<BrokerAddress> = bootstrap
            .split(',')
            .map(str::parse)
            .collect::<Result<_, InvalidAddress>>()?;
        let client = Client {
            bootstrap,
            settings,
            clock: Clock::start(),
            known: Mutex::default(),
        };
        client.any_broker(client.deadline()).await?;
        Ok(client)
    }

    /// Appends `batch` (one record batch, base offset 0) and waits for `acks`, at
    /// most `timeout`; the offset of its first record.
    ///
    /// # Errors
    /// See [`Error`]. After [`Error::Call`] the batch may or may not have been appended.
    pub async fn produce(
        &self,
        to: &TopicPartition,
        batch: Vec<u8>,
        acks: Acks,
        timeout: Duration,
    ) -> Result<Offset, Error> {
        let request = produce_request(to, batch, acks.to_wire(), timeout);
        let deadline = self.clock.now().plus(timeout);
        let answer = self.ask_leader(to, &request, deadline).await?;
        let partition = answer
            .topics
            .into_iter()
            .filter(|topic| topic.name == to.topic.as_str())
            .flat_map(|topic| topic.partitions)
            .find(|partition| partition.index == to.partition.0)
            .ok_or(Error::Incomplete)?;
        self.check_leader(to, partition.error_code)?;
        Ok(Offset(partition.base_offset))
    }

    /// Sends `batch` with `acks=0`: nobody says whether it arrives.
    ///
    /// # Errors
    /// See [`Error`].
    pub async fn produce_unacknowledged(
        &self,
        to: &TopicPartition,
        batch: Vec<u8>,
    ) -> Result<(), Error> {
        let request = produce_request(to, batch, 0, self.settings.patience);
        let deadline = self.deadline();
        let address = self.leader(to, deadline).await?;
        let broker = self.broker(&address, deadline).await?;
        let sent = broker.tell(&request, deadline).await;
        self.drop_if_broken(&address, &sent);
        sent
    }

    /// The batches from `offset` on; waits as `limits` say, and may come back empty.
    ///
    /// # Errors
    /// See [`Error`].
    pub async fn fetch(
        &self,
        from: &TopicPartition,
        offset: Offset,
        limits: FetchLimits,
    ) -> Result<Fetched, Error> {
        let request = fetch_request(from, offset, limits);
        let deadline = self.deadline().plus(limits.max_wait);
        let answer = self.ask_leader(from, &request, deadline).await?;
        check(answer.error_code)?;
        let partition = answer
            .responses
            .into_iter()
            .filter(|topic| topic.topic == from.topic.as_str())
            .flat_map(|topic| topic.partitions)
            .find(|partition| partition.partition_index == from.partition.0)
            .ok_or(Error::Incomplete)?;
        self.check_leader(from, partition.error_code)?;
        Ok(Fetched {
            batches: partition.records.into_bytes(),
            high_watermark: Offset(partition.high_watermark),
            log_start: Offset(partition.log_start_offset),
        })
    }

    /// An offset by where or when it is; `None` if no record is that late.
    ///
    /// # Errors
    /// See [`Error`].
    pub async fn list_offset(
        &self,
        of: &TopicPartition,
        spec: OffsetSpec,
    ) -> Result<Option<Offset>, Error> {
        let request = ListOffsetsRequest {
            topics: vec![ListOffsetsTopic {
                name: of.topic.as_str().to_owned(),
                partitions: vec![ListOffsetsPartition {
                    partition_index: of.partition.0,
                    timestamp: spec.to_wire(),
                }],
            }],
            ..ListOffsetsRequest::default()
        };
        let answer = self.ask_leader(of, &request, self.deadline()).await?;
        let partition = answer
            .topics
            .into_iter()
            .filter(|topic| topic.name == of.topic.as_str())
            .flat_map(|topic| topic.partitions)
            .find(|partition| partition.partition_index == of.partition.0)
            .ok_or(Error::Incomplete)?;
        self.check_leader(of, partition.error_code)?;
        Ok((partition.offset >= 0).then_some(Offset(partition.offset)))
    }

    async fn ask_leader<R: Request>(
        &self,
        of: &TopicPartition,
        request: &R,
        deadline: Moment,
    ) -> Result<R::Response, Error> {
        let address = self.leader(of, deadline).await?;
        self.ask(&address, request, deadline).await
    }

    async fn leader(&self, of: &TopicPartition, deadline: Moment) -> Result<BrokerAddress, Error> {
        if let Some(address) = self.known().leaders.get(of) {
            return Ok(address.clone());
        }
        let address = self.find_leader(of, deadline).await?;
        self.known().leaders.insert(of.clone(), address.clone());
        Ok(address)
    }

    pub(crate) async fn ask<R: Request>(
        &self,
        address: &BrokerAddress,
        request: &R,
        deadline: Moment,
    ) -> Result<R::Response, Error> {
        let answer = match self.broker(address, deadline).await {
            Ok(broker) => broker.ask(request, deadline).await,
            Err(error) => Err(error),
        };
        self.drop_if_broken(address, &answer);
        answer
    }

    /// A bootstrap broker that can be reached. They share the time that is left.
    pub(crate) async fn any_broker(&self, deadline: Moment) -> Result<BrokerAddress, Error> {
        let mut last = Error::Bootstrap(InvalidAddress);
        let mut untried = u32::try_from(self.bootstrap.len()).unwrap_or(u32::MAX);
        for address in &self.bootstrap {
            let now = self.clock.now();
            let share = now.plus(deadline.since(now) / untried);
            match self.broker(address, share).await {
                Ok(_) => return Ok(address.clone()),
                Err(error) => last = error,
            }
            untried -= 1;
        }
        Err(last)
    }

    /// The connection to a broker, made now if there is none that lives.
    async fn broker(
        &self,
        address: &BrokerAddress,
        deadline: Moment,
    ) -> Result<Arc<Broker>, Error> {
        if let Some(broker) = self.known().living(address) {
            return Ok(broker);
        }
        let client_id = &self.settings.client_id;
        let dialled = Broker::dial(self.clock, address, client_id, deadline).await?;
        let mut known = self.known();
        // Another call may have dialled meanwhile: then this connection is not needed.
        let broker = known.living(address).unwrap_or_else(|| Arc::new(dialled));
        known.brokers.insert(address.clone(), Arc::clone(&broker));
        Ok(broker)
    }

    /// After a call without a readable answer the connection is of no use: what
    /// comes next on it may be that answer. Where the leader is, is asked again too.
    fn drop_if_broken<T>(&self, address: &BrokerAddress, answer: &Result<T, Error>) {
        use networking::CallError::Refused;
        match answer {
            Ok(_) | Err(Error::Broker(_) | Error::UnsupportedApi(_) | Error::Call(Refused)) => {}
            Err(_) => {
                let mut known = self.known();
                known.brokers.remove(address);
                known.leaders.retain(|_, leader| leader != address);
            }
        }
    }

    /// A broker that says no may not be the leader any more: look it up again next time.
    fn check_leader(
        &self,
        of: &TopicPartition,
        code: wire_protocol::ErrorCode,
    ) -> Result<(), Error> {
        if code.is_retriable() {
            self.known().leaders.remove(of);
        }
        check(code)
    }

    /// When a call that begins now must have ended.
    pub(crate) fn deadline(&self) -> Moment {
        self.clock.now().plus(self.settings.patience)
    }

    pub(crate) fn patience(&self) -> Duration {
        self.settings.patience
    }

    fn known(&self) -> MutexGuard<'_, Known> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Known {
    fn living(&self, address: &BrokerAddress) -> Option<Arc<Broker>> {
        let broker = self.brokers.get(address)?;
        (!broker.is_closed()).then(|| Arc::clone(broker))
    }
}

impl Acks {
    fn to_wire(self) -> i16 {
        match self {
            Acks::Leader => 1,
            Acks::All => -1,
        }
    }
}

impl OffsetSpec {
    fn to_wire(self) -> i64 {
        match self {
            OffsetSpec::Latest => -1,
            OffsetSpec::Earliest => -2,
            OffsetSpec::AtOrAfter(time) => time.0.max(0),
        }
    }
}

fn produce_request(
    to: &TopicPartition,
    batch: Vec<u8>,
    acks: i16,
    timeout: Duration,
) -> ProduceRequest {
    ProduceRequest {
        transactional_id: None,
        acks,
        timeout_ms: millis(timeout),
        topics: vec![ProduceTopic {
            name: to.topic.as_str().to_owned(),
            partitions: vec![ProducePartition {
                index: to.partition.0,
                records: Records::from_bytes(batch),
            }],
        }],
    }
}

fn fetch_request(from: &TopicPartition, offset: Offset, limits: FetchLimits) -> FetchRequest {
    let max_bytes = i32::try_from(limits.max_bytes).unwrap_or(i32::MAX);
    FetchRequest {
        max_wait_ms: millis(limits.max_wait),
        min_bytes: i32::try_from(limits.min_bytes).unwrap_or(i32::MAX),
        max_bytes,
        topics: vec![FetchTopic {
            topic: from.topic.as_str().to_owned(),
            partitions: vec![FetchPartition {
                partition: from.partition.0,
                fetch_offset: offset.0,
                partition_max_bytes: max_bytes,
                ..FetchPartition::default()
            }],
        }],
        ..FetchRequest::default()
    }
}

/// Whole milliseconds, as the protocol has them; the longest it can say if that is too long.
pub(crate) fn millis(duration: Duration) -> i32 {
    i32::try_from(duration.as_millis()).unwrap_or(i32::MAX)
}
