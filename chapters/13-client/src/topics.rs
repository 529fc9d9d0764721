//! The calls of a client that concern topics.

use message_model::{Moment, TopicName, TopicPartition};
use wire_protocol::message::{
    CreatableTopic, CreatableTopicConfig, CreateTopicsRequest, DeleteTopicsRequest, MetadataBroker,
    MetadataRequest, MetadataResponse, MetadataTopic, MetadataTopics,
};

use crate::address::BrokerAddress;
use crate::client::{Client, millis};
use crate::error::{Error, check};

impl Client {
    /// The brokers and the topics: those that are named, or all. It creates none.
    ///
    /// A topic that does not exist is in the answer, with its error code.
    ///
    /// # Errors
    /// See [`Error`].
    pub async fn metadata(&self, topics: Option<&[TopicName]>) -> Result<MetadataResponse, Error> {
        self.metadata_until(topics, self.deadline()).await
    }

    /// Creates a topic with one copy of each partition. `configs` are names and values of settings.
    ///
    /// # Errors
    /// See [`Error`]; [`TOPIC_ALREADY_EXISTS`](wire_protocol::ErrorCode::TOPIC_ALREADY_EXISTS)
    /// among others.
    pub async fn create_topic(
        &self,
        topic: &TopicName,
        partitions: i32,
        configs: &[(&str, &str)],
    ) -> Result<(), Error> {
        let config = |(name, value): &(&str, &str)| CreatableTopicConfig {
            name: (*name).to_owned(),
            value: Some((*value).to_owned()),
        };
        let request = CreateTopicsRequest {
            topics: vec![CreatableTopic {
                name: topic.as_str().to_owned(),
                num_partitions: partitions,
                replication_factor: 1,
                assignments: Vec::new(),
                configs: configs.iter().map(config).collect(),
            }],
            timeout_ms: millis(self.patience()),
            validate_only: false,
        };
        let deadline = self.deadline();
        let controller = self.controller(deadline).await?;
        let answer = self.ask(&controller, &request, deadline).await?;
        let created = answer
            .topics
            .iter()
            .find(|created| created.name == topic.as_str());
        check(created.ok_or(Error::Incomplete)?.error_code)
    }

    /// Deletes a topic with all its records.
    ///
    /// # Errors
    /// See [`Error`].
    pub async fn delete_topic(&self, topic: &TopicName) -> Result<(), Error> {
        let request = DeleteTopicsRequest {
            topic_names: vec![topic.as_str().to_owned()],
            timeout_ms: millis(self.patience()),
        };
        let deadline = self.deadline();
        let controller = self.controller(deadline).await?;
        let answer = self.ask(&controller, &request, deadline).await?;
        let deleted = answer
            .responses
            .iter()
            .find(|deleted| deleted.name == topic.as_str());
        check(deleted.ok_or(Error::Incomplete)?.error_code)
    }

    async fn metadata_until(
        &self,
        topics: Option<&[TopicName]>,
        deadline: Moment,
    ) -> Result<MetadataResponse, Error> {
        let named = |topic: &TopicName| MetadataTopic {
            name: topic.as_str().to_owned(),
        };
        let request = MetadataRequest {
            topics: MetadataTopics(topics.map(|topics| topics.iter().map(named).collect())),
            allow_auto_topic_creation: false,
        };
        let broker = self.any_broker(deadline).await?;
        self.ask(&broker, &request, deadline).await
    }

    /// The broker that admin requests go to.
    async fn controller(&self, deadline: Moment) -> Result<BrokerAddress, Error> {
        let cluster = self.metadata_until(Some(&[]), deadline).await?;
        address_of(&cluster.brokers, cluster.controller_id).ok_or(Error::Incomplete)
    }

    /// Asks for the leader of a partition.
    pub(crate) async fn find_leader(
        &self,
        of: &TopicPartition,
        deadline: Moment,
    ) -> Result<BrokerAddress, Error> {
        let topics = std::slice::from_ref(&of.topic);
        let cluster = self.metadata_until(Some(topics), deadline).await?;
        let topic = cluster
            .topics
            .iter()
            .find(|topic| topic.name == of.topic.as_str())
            .ok_or(Error::Incomplete)?;
        check(topic.error_code)?;
        let partition = topic
            .partitions
            .iter()
            .find(|partition| partition.partition_index == of.partition.0)
            .ok_or(Error::Broker(
                wire_protocol::ErrorCode::UNKNOWN_TOPIC_OR_PARTITION,
            ))?;
        check(partition.error_code)?;
        address_of(&cluster.brokers, partition.leader_id).ok_or_else(|| Error::NoLeader(of.clone()))
    }
}

fn address_of(brokers: &[MetadataBroker], id: i32) -> Option<BrokerAddress> {
    let broker = brokers.iter().find(|broker| broker.node_id == id)?;
    Some(BrokerAddress {
        host: broker.host.clone(),
        port: u16::try_from(broker.port).ok()?,
    })
}
