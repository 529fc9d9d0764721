//! The calls of a client that concern topics.

use std::slice;

use message_model::TopicName;
use wire_protocol::ErrorCode;
use wire_protocol::message::{
    CreatableTopic, CreatableTopicConfig, CreateTopicsRequest, DeleteTopicsRequest,
    MetadataResponse,
};

use crate::client::Client;
use crate::error::{Error, check};
use crate::leader_calls::millis;
use crate::target::Target;

impl Client {
    /// The brokers and the topics: those that are named, or all. It creates none.
    ///
    /// A topic that does not exist is in the answer, with its error code.
    ///
    /// # Errors
    /// See [`Error`].
    pub async fn metadata(&self, topics: Option<&[TopicName]>) -> Result<MetadataResponse, Error> {
        self.cluster.metadata(topics, self.deadline()).await
    }

    /// Whether the cluster answers that there is no such topic. It creates none.
    ///
    /// # Errors
    /// See [`Error`].
    pub async fn is_missing(&self, topic: &TopicName) -> Result<bool, Error> {
        let described = self.metadata(Some(slice::from_ref(topic))).await?;
        let missing = ErrorCode::UNKNOWN_TOPIC_OR_PARTITION;
        let mut topics = described.topics.into_iter();
        Ok(topics.any(|topic| topic.error_code == missing))
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
        let answer = self.call(&Target::Controller, &request, deadline).await?;
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
        let answer = self.call(&Target::Controller, &request, deadline).await?;
        let deleted = answer
            .responses
            .iter()
            .find(|deleted| deleted.name == topic.as_str());
        check(deleted.ok_or(Error::Incomplete)?.error_code)
    }
}
