//! The topics of a group of producers.

use client::Client;
use message_model::{PartitionIndex, TopicName, TopicPartition};
use wire_protocol::ErrorCode;

use crate::error::Error;

/// How many partitions the topic of checks has: as many producers can answer at a time.
const CHECK_PARTITIONS: i32 = 4;

/// The topics of a group of producers that share a database, and can therefore answer for
/// each other.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Group {
    name: String,
    /// Half messages, from producers to the keeper: `NAME.half`.
    pub half: TopicName,
    /// What became of local transactions, from producers to the keeper: `NAME.outcomes`.
    pub outcomes: TopicName,
    /// Op records, which only the keeper writes and reads: `NAME.op`.
    pub op: TopicName,
    /// Checks, from the keeper to the producers: `NAME.checks`.
    pub checks: TopicName,
    /// What nobody could answer for: `NAME.set-aside`. People read it.
    pub set_aside: TopicName,
}

impl Group {
    /// Returns the group with this name.
    ///
    /// # Errors
    /// When the names of topics cannot begin with it.
    pub fn new(name: &str) -> Result<Group, Error> {
        let topic = |ending: &str| TopicName::new(&format!("{name}.{ending}"));
        Ok(Group {
            name: name.to_owned(),
            half: topic("half")?,
            outcomes: topic("outcomes")?,
            op: topic("op")?,
            checks: topic("checks")?,
            set_aside: topic("set-aside")?,
        })
    }

    /// Creates those of its topics that do not exist.
    ///
    /// # Errors
    /// When one cannot be created.
    pub async fn create_topics(&self, client: &Client) -> Result<(), Error> {
        let single = [&self.half, &self.outcomes, &self.op, &self.set_aside];
        let topics = single.into_iter().map(|topic| (topic, 1));
        let topics: Vec<_> = topics.chain([(&self.checks, CHECK_PARTITIONS)]).collect();
        let names: Vec<TopicName> = topics.iter().map(|(topic, _)| (*topic).clone()).collect();
        let described = client.metadata(Some(&names)).await?.topics;
        for (topic, partitions) in topics {
            let mut exists = described
                .iter()
                .map(|one| (one.name.as_str(), one.error_code));
            if exists.any(|one| one == (topic.as_str(), ErrorCode::NONE)) {
                continue;
            }
            match client.create_topic(topic, partitions, &[]).await {
                // Another keeper or producer was faster.
                Err(error) if error.code() == Some(ErrorCode::TOPIC_ALREADY_EXISTS) => {}
                created => created?,
            }
        }
        Ok(())
    }

    /// The group in which the producers share the checks.
    pub(crate) fn producers(&self) -> String {
        format!("{}.producers", self.name)
    }

    /// The group under which the keeper commits how far it has read.
    pub(crate) fn keeper(&self) -> String {
        format!("{}.keeper", self.name)
    }
}

/// The only partition of a topic that has one.
pub(crate) fn only_partition(topic: &TopicName) -> TopicPartition {
    TopicPartition {
        topic: topic.clone(),
        partition: PartitionIndex(0),
    }
}
