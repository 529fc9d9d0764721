//! Produce (0): version 7; versions 0 to 6 are canaries.

use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use async_model::Clock;
use futures_util::future::join_all;
use message_model::{Moment, Offset};
use wire_protocol::ErrorCode;
use wire_protocol::message::{
    ProducePartition, ProducePartitionResponse, ProduceRequest, ProduceResponse, ProduceTopic,
    ProduceTopicResponse,
};

use super::{find_partition, tell};
use crate::error::Error;
use crate::partition::{Appended, Partition};
use crate::topics::Topics;
use crate::waits::Waits;

/// The longest that an acknowledgement waits for the disk, whatever the producer allows.
const WAIT_MAX: Duration = Duration::from_secs(300);

/// What a producer hears.
#[derive(Debug)]
pub enum Acknowledgement {
    /// A response.
    Response(ProduceResponse),
    /// Nothing: it asked for `acks=0`, and all went well.
    Silence,
    /// The end of the connection: the only way to tell a producer with
    /// `acks=0` that something went wrong.
    Close,
}

/// What an acknowledgement says about the records.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Acks {
    /// `acks=0`: nothing, and it is not sent.
    None,
    /// `acks=1`: they are in the page cache, and survive the end of this process.
    Leader,
    /// `acks=-1` or `all`: they are on disk, and survive the loss of power.
    All,
}

/// What became of one partition's batch.
struct Produced {
    index: i32,
    outcome: Result<(Arc<Partition>, Appended), Error>,
}

/// Appends a batch to each of some partitions.
///
/// `durable(partition, end)` completes when everything below `end` is safe
/// against power loss; see [`sync_on_blocking_pool`](crate::sync_on_blocking_pool).
// ANCHOR: produce
pub async fn produce<Wait, Waiting>(
    topics: &Topics,
    waits: &Waits,
    clock: Clock,
    durable: Wait,
    request: ProduceRequest,
) -> Acknowledgement
where
    Wait: Fn(Arc<Partition>, Offset) -> Waiting,
    Waiting: Future<Output = Result<(), Error>>,
{
    let acks = match request.acks {
        0 => Acks::None,
        1 => Acks::Leader,
        -1 => Acks::All,
        _ => return Acknowledgement::Response(refuse(request, ErrorCode::INVALID_REQUIRED_ACKS)),
    };
    let timeout = Duration::from_millis(u64::try_from(request.timeout_ms).unwrap_or(0));
    let durability = Durability {
        deadline: clock.now().plus(timeout.min(WAIT_MAX)),
        clock,
        durable,
    };
    let mut produced = Vec::new();
    for topic in request.topics {
        let mut partitions = Vec::new();
        for asked in topic.partitions {
            let index = asked.index;
            let outcome = match find_partition(topics, &topic.name, index) {
                Ok(partition) => append(partition, waits, &durability, asked).await,
                Err(error) => Err(error),
            };
            partitions.push(Produced { index, outcome });
        }
        produced.push((topic.name, partitions));
    }
    if acks == Acks::All {
        let all = produced.iter_mut().flat_map(|(_, partitions)| partitions);
        join_all(all.map(|one| one.wait(&durability))).await;
    }
    acknowledge(acks, produced)
}
// ANCHOR_END: produce

/// What `durable` says, in the time that the producer gave.
struct Durability<Wait> {
    deadline: Moment,
    clock: Clock,
    durable: Wait,
}

impl<Wait, Waiting> Durability<Wait>
where
    Wait: Fn(Arc<Partition>, Offset) -> Waiting,
    Waiting: Future<Output = Result<(), Error>>,
{
    async fn wait(&self, partition: &Arc<Partition>, end: Offset) -> Result<(), Error> {
        let left = self.deadline.since(self.clock.now());
        let durable = (self.durable)(Arc::clone(partition), end);
        let durable = tokio::time::timeout(left, durable).await;
        durable.unwrap_or(Err(Error::Rejected(ErrorCode::REQUEST_TIMED_OUT)))
    }
}

async fn append<Wait, Waiting>(
    partition: Arc<Partition>,
    waits: &Waits,
    durability: &Durability<Wait>,
    asked: ProducePartition,
) -> Result<(Arc<Partition>, Appended), Error>
where
    Wait: Fn(Arc<Partition>, Offset) -> Waiting,
    Waiting: Future<Output = Result<(), Error>>,
{
    let mut batch = asked.records.into_bytes();
    let now = durability.clock.wall();
    if partition.rolls_for(now, batch.len())? {
        // A roll syncs under the partition's lock: let little be left to sync.
        durability
            .wait(&partition, partition.ends()?.log_end)
            .await?;
    }
    let appended = partition.append(now, &mut batch)?;
    waits.moved(partition.name(), appended.ends);
    Ok((partition, appended))
}

impl Produced {
    async fn wait<Wait, Waiting>(&mut self, durability: &Durability<Wait>)
    where
        Wait: Fn(Arc<Partition>, Offset) -> Waiting,
        Waiting: Future<Output = Result<(), Error>>,
    {
        if let Ok((partition, appended)) = &self.outcome
            && let Err(error) = durability.wait(partition, appended.range.end).await
        {
            self.outcome = Err(error);
        }
    }

    fn encode(self, topic: &str) -> ProducePartitionResponse {
        let index = self.index;
        match self.outcome {
            Ok((_, appended)) => ProducePartitionResponse {
                index,
                base_offset: appended.range.start.0,
                log_start_offset: appended.ends.log_start.0,
                ..ProducePartitionResponse::default()
            },
            Err(error) => ProducePartitionResponse {
                index,
                error_code: tell(topic, index, &error),
                ..ProducePartitionResponse::default()
            },
        }
    }
}

fn acknowledge(acks: Acks, produced: Vec<(String, Vec<Produced>)>) -> Acknowledgement {
    let encode = |(name, partitions): (String, Vec<Produced>)| ProduceTopicResponse {
        partitions: partitions
            .into_iter()
            .map(|one| one.encode(&name))
            .collect(),
        name,
    };
    let topics: Vec<ProduceTopicResponse> = produced.into_iter().map(encode).collect();
    if acks != Acks::None {
        return Acknowledgement::Response(ProduceResponse {
            topics,
            ..ProduceResponse::default()
        });
    }
    let mut partitions = topics.iter().flat_map(|topic| &topic.partitions);
    if partitions.all(|partition| partition.error_code == ErrorCode::NONE) {
        Acknowledgement::Silence
    } else {
        Acknowledgement::Close
    }
}

/// Answers a version that is advertised and not served.
#[must_use]
pub fn refuse_produce(request: ProduceRequest) -> Acknowledgement {
    if request.acks == 0 {
        return Acknowledgement::Close;
    }
    Acknowledgement::Response(refuse(request, ErrorCode::UNSUPPORTED_VERSION))
}

/// The same error for every partition.
fn refuse(request: ProduceRequest, error_code: ErrorCode) -> ProduceResponse {
    let partition = |asked: ProducePartition| ProducePartitionResponse {
        index: asked.index,
        error_code,
        ..ProducePartitionResponse::default()
    };
    let topic = |asked: ProduceTopic| ProduceTopicResponse {
        name: asked.name,
        partitions: asked.partitions.into_iter().map(partition).collect(),
    };
    ProduceResponse {
        topics: request.topics.into_iter().map(topic).collect(),
        ..ProduceResponse::default()
    }
}
