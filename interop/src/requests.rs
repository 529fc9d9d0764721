//! Requests with few words. What a function does not ask for is its client's usual.

use kafka_protocol::messages::create_topics_request::{
    CreatableReplicaAssignment, CreatableTopic, CreatableTopicConfig,
};
use kafka_protocol::messages::describe_configs_request::DescribeConfigsResource;
use kafka_protocol::messages::fetch_request::{FetchPartition, FetchTopic};
use kafka_protocol::messages::list_offsets_request::{ListOffsetsPartition, ListOffsetsTopic};
use kafka_protocol::messages::metadata_request::MetadataRequestTopic;
use kafka_protocol::messages::produce_request::{PartitionProduceData, TopicProduceData};
use kafka_protocol::messages::{
    BrokerId, CreateTopicsRequest, DeleteTopicsRequest, DescribeConfigsRequest, FetchRequest,
    ListOffsetsRequest, MetadataRequest, ProduceRequest, TopicName,
};
use kafka_protocol::protocol::StrBytes;

use crate::parity::Step;
use crate::parity::batch::Batch;

/// A string of the protocol.
#[must_use]
pub fn text(text: &str) -> StrBytes {
    StrBytes::from_string(text.to_owned())
}

/// A topic's name.
#[must_use]
pub fn name(name: &str) -> TopicName {
    TopicName(text(name))
}

/// A topic to be created.
#[must_use]
pub fn topic(called: &str, partitions: i32, replication: i16) -> CreatableTopic {
    CreatableTopic::default()
        .with_name(name(called))
        .with_num_partitions(partitions)
        .with_replication_factor(replication)
}

/// Adds settings; `None` is a null.
#[must_use]
pub fn set(topic: CreatableTopic, settings: &[(&str, Option<&str>)]) -> CreatableTopic {
    let configs = settings.iter().map(|(name, value)| {
        CreatableTopicConfig::default()
            .with_name(text(name))
            .with_value(value.map(text))
    });
    topic.with_configs(configs.collect())
}

/// Adds assignments: for each partition, which brokers have it.
#[must_use]
pub fn assign(topic: CreatableTopic, assignments: &[(i32, &[i32])]) -> CreatableTopic {
    let assignments = assignments.iter().map(|(partition, brokers)| {
        CreatableReplicaAssignment::default()
            .with_partition_index(*partition)
            .with_broker_ids(brokers.iter().map(|id| BrokerId(*id)).collect())
    });
    topic.with_assignments(assignments.collect())
}

/// A creation of `topics` that may take 10 s.
#[must_use]
pub fn creation(topics: Vec<CreatableTopic>) -> CreateTopicsRequest {
    CreateTopicsRequest::default()
        .with_topics(topics)
        .with_timeout_ms(10_000)
}

/// The same as a step.
#[must_use]
pub fn create(topics: Vec<CreatableTopic>) -> Step {
    Step::new(3, &creation(topics))
}

/// Creates topics with one partition each.
#[must_use]
pub fn create_plain(names: &[&str]) -> Step {
    create(names.iter().map(|name| topic(name, 1, 1)).collect())
}

/// A deletion that may take 10 s.
#[must_use]
pub fn deletion(names: &[&str]) -> DeleteTopicsRequest {
    DeleteTopicsRequest::default()
        .with_topic_names(names.iter().map(|called| name(called)).collect())
        .with_timeout_ms(10_000)
}

/// The same as a step.
#[must_use]
pub fn delete(names: &[&str]) -> Step {
    Step::new(1, &deletion(names))
}

/// A question for these topics that creates none.
#[must_use]
pub fn metadata_request(names: &[&str]) -> MetadataRequest {
    let topics = names
        .iter()
        .map(|called| MetadataRequestTopic::default().with_name(Some(name(called))));
    MetadataRequest::default()
        .with_topics(Some(topics.collect()))
        .with_allow_auto_topic_creation(false)
}

/// Metadata without creation.
#[must_use]
pub fn metadata(names: &[&str]) -> Step {
    Step::new(4, &metadata_request(names))
}

/// A produce to partitions of one topic.
#[must_use]
pub fn production(topic: &str, acks: i16, partitions: &[(i32, Option<&[u8]>)]) -> ProduceRequest {
    let partitions = partitions.iter().map(|(index, records)| {
        PartitionProduceData::default()
            .with_index(*index)
            .with_records(records.map(bytes::Bytes::copy_from_slice))
    });
    ProduceRequest::default()
        .with_acks(acks)
        .with_timeout_ms(10_000)
        .with_topic_data(vec![
            TopicProduceData::default()
                .with_name(name(topic))
                .with_partition_data(partitions.collect()),
        ])
}

/// A produce of these bytes to partition 0, with acks=1.
#[must_use]
pub fn produce_bytes(topic: &str, records: &[u8]) -> Step {
    Step::new(7, &production(topic, 1, &[(0, Some(records))]))
}

/// A produce of one batch to partition 0, with acks=1.
#[must_use]
pub fn produce(topic: &str, batch: &Batch) -> Step {
    produce_bytes(topic, &batch.bytes())
}

/// A partition to be fetched from `offset` on.
#[must_use]
pub fn fetch_partition(partition: i32, offset: i64) -> FetchPartition {
    FetchPartition::default()
        .with_partition(partition)
        .with_fetch_offset(offset)
        .with_current_leader_epoch(-1)
        .with_log_start_offset(-1)
        .with_partition_max_bytes(1 << 20)
}

/// A fetch without a session.
#[must_use]
pub fn fetching(topic: &str, partitions: Vec<FetchPartition>) -> FetchRequest {
    FetchRequest::default()
        .with_replica_id(BrokerId(-1))
        .with_max_wait_ms(50)
        .with_min_bytes(1)
        .with_max_bytes(1 << 20)
        .with_session_epoch(-1)
        .with_topics(vec![
            FetchTopic::default()
                .with_topic(name(topic))
                .with_partitions(partitions),
        ])
}

/// Fetches partition 0 from `offset` on.
#[must_use]
pub fn fetch(topic: &str, offset: i64) -> Step {
    Step::new(11, &fetching(topic, vec![fetch_partition(0, offset)]))
}

/// Looks up partitions of one topic.
#[must_use]
pub fn listing(topic: &str, partitions: &[(i32, i64)]) -> ListOffsetsRequest {
    let partitions = partitions.iter().map(|(partition, timestamp)| {
        ListOffsetsPartition::default()
            .with_partition_index(*partition)
            .with_timestamp(*timestamp)
    });
    ListOffsetsRequest::default()
        // 0 would be a follower.
        .with_replica_id(BrokerId(-1))
        .with_topics(vec![
            ListOffsetsTopic::default()
                .with_name(name(topic))
                .with_partitions(partitions.collect()),
        ])
}

/// Looks up partition 0.
#[must_use]
pub fn list(topic: &str, timestamp: i64) -> Step {
    Step::new(2, &listing(topic, &[(0, timestamp)]))
}

/// Describes resources; no keys: all.
#[must_use]
pub fn describing(resources: &[(i8, &str, Option<&[&str]>)]) -> DescribeConfigsRequest {
    let resources = resources.iter().map(|(kind, name, keys)| {
        DescribeConfigsResource::default()
            .with_resource_type(*kind)
            .with_resource_name(text(name))
            .with_configuration_keys(keys.map(|keys| keys.iter().map(|key| text(key)).collect()))
    });
    DescribeConfigsRequest::default().with_resources(resources.collect())
}

/// The same as a step.
#[must_use]
pub fn describe(resources: &[(i8, &str, Option<&[&str]>)]) -> Step {
    Step::new(1, &describing(resources))
}
