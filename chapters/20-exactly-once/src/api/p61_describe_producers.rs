//! DescribeProducers (61): version 0.

use broker::ActiveProducer;
use message_model::{Offset, PartitionIndex, TopicName};
use wire_protocol::ErrorCode;
use wire_protocol::message::{
    DescribeProducersPartitionResponse, DescribeProducersRequest, DescribeProducersResponse,
    DescribeProducersTopicResponse, ProducerState,
};

use crate::coordinator::Coordinator;

/// The most producers in an answer: a partition may be named again and again.
const PRODUCERS_MAX: usize = 200_000;

/// How much memory a producer takes in the answer, and while that is made, in bytes.
const PRODUCER: usize = 192;

/// How much memory the answer takes, in bytes: for the partitions that a request names, of
/// which each is four bytes there, and for the producers that they know now.
pub async fn describe_producers_size(
    coordinator: &Coordinator,
    request: &DescribeProducersRequest,
) -> usize {
    let (mut partitions, mut producers) = (0, 0);
    for topic in &request.topics {
        partitions += topic.partition_indexes.len();
        let Ok(name) = TopicName::new(&topic.name) else {
            continue;
        };
        for partition in &topic.partition_indexes {
            if producers < PRODUCERS_MAX {
                let topics = &coordinator.common.broker.topics;
                let partition = topics.partition(&name, PartitionIndex(*partition));
                producers += match partition {
                    Ok(partition) => partition.count_producers().await.unwrap_or(0),
                    Err(_) => 0,
                };
            }
        }
    }
    partitions * size_of::<DescribeProducersPartitionResponse>()
        + producers.min(PRODUCERS_MAX) * PRODUCER
}

/// What partitions know of their producers.
pub async fn describe_producers(
    coordinator: &Coordinator,
    request: DescribeProducersRequest,
) -> DescribeProducersResponse {
    let mut left = PRODUCERS_MAX;
    let mut topics = Vec::with_capacity(request.topics.len());
    for topic in request.topics {
        let name = TopicName::new(&topic.name).ok();
        let mut partitions = Vec::with_capacity(topic.partition_indexes.len());
        for partition_index in topic.partition_indexes {
            let described = match &name {
                Some(name) => describe(coordinator, name, partition_index).await,
                None => Err(ErrorCode::INVALID_TOPIC_EXCEPTION),
            };
            let described = described.and_then(|producers| {
                left = left
                    .checked_sub(producers.len())
                    .ok_or(ErrorCode::POLICY_VIOLATION)?;
                Ok(producers)
            });
            partitions.push(encode(partition_index, described));
        }
        topics.push(DescribeProducersTopicResponse {
            name: topic.name,
            partitions,
        });
    }
    DescribeProducersResponse {
        topics,
        ..DescribeProducersResponse::default()
    }
}

async fn describe(
    coordinator: &Coordinator,
    topic: &TopicName,
    partition: i32,
) -> Result<Vec<ActiveProducer>, ErrorCode> {
    let topics = &coordinator.common.broker.topics;
    let partition = topics.partition(topic, PartitionIndex(partition));
    let described = match partition {
        Ok(partition) => partition.describe_producers().await,
        Err(error) => Err(error),
    };
    described.map_err(|error| broker::error_code(&error))
}

fn encode(
    partition_index: i32,
    described: Result<Vec<ActiveProducer>, ErrorCode>,
) -> DescribeProducersPartitionResponse {
    let nothing = DescribeProducersPartitionResponse {
        partition_index,
        ..DescribeProducersPartitionResponse::default()
    };
    match described {
        Ok(producers) => DescribeProducersPartitionResponse {
            active_producers: producers.iter().filter(has_written).map(state).collect(),
            ..nothing
        },
        Err(error_code) => DescribeProducersPartitionResponse {
            error_code,
            ..nothing
        },
    }
}

/// Whether anything of the producer is in the log: the coordinator names it before.
fn has_written(producer: &&ActiveProducer) -> bool {
    let is_marked = producer.coordinator_epoch.is_some();
    is_marked || producer.last_sequence.is_some() || producer.transaction_start.is_some()
}

fn state(producer: &ActiveProducer) -> ProducerState {
    ProducerState {
        producer_id: producer.producer.0,
        producer_epoch: i32::from(producer.epoch.0),
        last_sequence: producer.last_sequence.unwrap_or(-1),
        last_timestamp: producer.last_timestamp.0,
        coordinator_epoch: producer.coordinator_epoch.unwrap_or(-1),
        current_txn_start_offset: producer.transaction_start.unwrap_or(Offset(-1)).0,
    }
}
