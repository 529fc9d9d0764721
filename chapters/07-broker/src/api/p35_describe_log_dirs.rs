//! DescribeLogDirs (35): versions 1 to 4.

use std::collections::{BTreeMap, BTreeSet};
use std::path;
use std::sync::Arc;

use disk::Space;
use message_model::TopicName;
use wire_protocol::message::{
    DescribableLogDirTopic, DescribeLogDirsRequest, DescribeLogDirsResponse, DescribedLogDir,
    DescribedLogDirPartition, DescribedLogDirTopic,
};

use crate::broker::Broker;
use crate::partition::Partition;
use crate::services::once;
use crate::topics::{Topic, Topics};

/// In place of a size that is not known.
const UNKNOWN: i64 = -1;

/// How much memory a partition takes in the answer, and while that is made, in bytes.
const PARTITION: usize = 64;

/// How much memory the answer takes if all partitions are in it, in bytes.
#[must_use]
pub fn log_dirs_size(broker: &Broker) -> usize {
    let topics = broker.topics.all();
    let sizes = topics.iter();
    sizes
        .map(|topic| 4 * topic.name.as_str().len() + PARTITION * topic.partitions.len())
        .sum()
}

/// The data directory, and how many bytes of segments each partition has there.
/// What does not exist, and what is offline, is left out.
pub async fn describe_log_dirs(
    broker: &Broker,
    request: DescribeLogDirsRequest,
) -> DescribeLogDirsResponse {
    let space = space(broker).await;
    let topics = match request.topics {
        None => {
            let topics = broker.topics.all();
            topics.iter().filter_map(|topic| all_of(topic)).collect()
        }
        Some(wanted) => some_of(&broker.topics, wanted),
    };
    let data_dir = broker.topics.data_dir();
    let absolute = path::absolute(data_dir).unwrap_or_else(|_| data_dir.to_owned());
    let bytes = |bytes: fn(Space) -> u64| {
        let bytes = space.map(bytes);
        bytes.map_or(UNKNOWN, |bytes| i64::try_from(bytes).unwrap_or(i64::MAX))
    };
    DescribeLogDirsResponse {
        results: vec![DescribedLogDir {
            log_dir: absolute.display().to_string(),
            topics,
            total_bytes: bytes(|space| space.total),
            usable_bytes: bytes(|space| space.usable),
            ..DescribedLogDir::default()
        }],
        ..DescribeLogDirsResponse::default()
    }
}

/// Of the volume; a volume that does not answer at once holds up nothing else.
async fn space(broker: &Broker) -> Option<Space> {
    let disk = Arc::clone(&broker.services.disk);
    let data_dir = broker.topics.data_dir().to_owned();
    let lane = &broker.services.lanes.administration;
    let key = data_dir.display().to_string();
    let space = once(lane, key, move || disk.space(&data_dir)).await;
    space.ok().flatten()
}

fn all_of(topic: &Topic) -> Option<DescribedLogDirTopic> {
    described(&topic.name, topic.partitions.iter())
}

/// Each topic once and each partition once, however often they come.
fn some_of(topics: &Topics, wanted: Vec<DescribableLogDirTopic>) -> Vec<DescribedLogDirTopic> {
    let mut indexes: BTreeMap<String, BTreeSet<i32>> = BTreeMap::new();
    for topic in wanted {
        let known = indexes.entry(topic.topic).or_default();
        known.extend(topic.partitions);
    }
    let found = indexes.into_iter().filter_map(|(name, indexes)| {
        let topic = topics.get(&TopicName::new(&name).ok()?)?;
        let partitions = indexes.into_iter().filter_map(|index| {
            let index = usize::try_from(index).ok()?;
            topic.partitions.get(index)
        });
        described(&topic.name, partitions)
    });
    found.collect()
}

fn described<'a>(
    name: &TopicName,
    partitions: impl Iterator<Item = &'a Arc<Partition>>,
) -> Option<DescribedLogDirTopic> {
    let partitions = partitions.filter_map(|partition| {
        let size = partition.size().ok()?;
        Some(DescribedLogDirPartition {
            partition_index: partition.name().partition.0,
            partition_size: i64::try_from(size).unwrap_or(i64::MAX),
            offset_lag: 0,
            is_future_key: false,
        })
    });
    let partitions: Vec<_> = partitions.collect();
    (!partitions.is_empty()).then(|| DescribedLogDirTopic {
        name: name.to_string(),
        partitions,
    })
}
