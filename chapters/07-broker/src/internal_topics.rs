//! Topics in which the broker keeps what it must know after a restart.

use std::sync::Arc;

use message_model::TopicName;

use crate::broker::Broker;
use crate::error::Error;
use crate::topics::{Topic, TopicConfig};

/// Where groups and the offsets that they commit are kept.
const CONSUMER_OFFSETS: &str = "__consumer_offsets";
/// Where transactions will be kept.
const TRANSACTION_STATE: &str = "__transaction_state";

/// How the internal topics are made.
#[derive(Debug, Clone, Copy)]
pub struct InternalTopics {
    /// `offsets.topic.num.partitions`.
    pub offsets_partitions: u32,
    /// `offsets.topic.segment.bytes`.
    pub offsets_segment_bytes: u32,
}

impl Default for InternalTopics {
    /// Kafka's defaults.
    fn default() -> InternalTopics {
        InternalTopics {
            offsets_partitions: 50,
            offsets_segment_bytes: 100 * 1024 * 1024,
        }
    }
}

/// Whether `topic` is one that only the broker writes to. Clients may read it.
pub(crate) fn is_internal(topic: &str) -> bool {
    matches!(topic, CONSUMER_OFFSETS | TRANSACTION_STATE)
}

impl Broker {
    /// The topic of groups and committed offsets; `None` until it is needed.
    #[must_use]
    pub fn offsets_topic(&self) -> Option<Arc<Topic>> {
        self.topics.get(&offsets_topic_name())
    }

    /// The topic of groups and committed offsets, which is made if there is none.
    ///
    /// # Errors
    /// As [`Topics::create`](crate::Topics::create).
    pub async fn create_offsets_topic(&self) -> Result<Arc<Topic>, Error> {
        if let Some(topic) = self.offsets_topic() {
            return Ok(topic);
        }
        let config = self.offsets_topic_config()?;
        let partitions = self.internal_topics.offsets_partitions;
        let name = offsets_topic_name();
        match self.topics.create(&name, partitions, config).await {
            Err(Error::Exists) => self.offsets_topic().ok_or(Error::Exists),
            created => created,
        }
    }

    /// What counts is the last record of each key, however old it is.
    fn offsets_topic_config(&self) -> Result<TopicConfig, Error> {
        let mut config = self.topics.new_config();
        let segment_bytes = self.internal_topics.offsets_segment_bytes.to_string();
        config.set("segment.bytes", &segment_bytes)?;
        config.set("cleanup.policy", "compact")?;
        Ok(config)
    }
}

fn offsets_topic_name() -> TopicName {
    TopicName::new(CONSUMER_OFFSETS).expect("it is a name that topics can have")
}
