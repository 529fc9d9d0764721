//! Topics in which the broker keeps what it must know after a restart.

use std::sync::Arc;

use message_model::TopicName;

use crate::broker::Broker;
use crate::error::Error;
use crate::topics::Topic;

/// Where groups and the offsets that they commit are kept.
const CONSUMER_OFFSETS: &str = "__consumer_offsets";
/// Where transactions are kept.
const TRANSACTION_STATE: &str = "__transaction_state";

/// How the internal topics are made.
#[derive(Debug, Clone, Copy)]
pub struct InternalTopics {
    /// `offsets.topic.num.partitions`.
    pub offsets_partitions: u32,
    /// `offsets.topic.segment.bytes`.
    pub offsets_segment_bytes: u32,
    /// `transaction.state.log.num.partitions`.
    pub transactions_partitions: u32,
    /// `transaction.state.log.segment.bytes`.
    pub transactions_segment_bytes: u32,
}

impl Default for InternalTopics {
    /// Kafka's defaults.
    fn default() -> InternalTopics {
        InternalTopics {
            offsets_partitions: 50,
            offsets_segment_bytes: 100 * 1024 * 1024,
            transactions_partitions: 50,
            transactions_segment_bytes: 100 * 1024 * 1024,
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
        self.topics.get(&name(CONSUMER_OFFSETS))
    }

    /// The topic of groups and committed offsets, which is made if there is none.
    ///
    /// # Errors
    /// As [`Topics::create`](crate::Topics::create).
    pub async fn create_offsets_topic(&self) -> Result<Arc<Topic>, Error> {
        let internal = &self.internal_topics;
        let (partitions, segment_bytes) =
            (internal.offsets_partitions, internal.offsets_segment_bytes);
        self.ensure_internal(CONSUMER_OFFSETS, partitions, segment_bytes)
            .await
    }

    /// Whether `topic` is that of groups and committed offsets.
    #[must_use]
    pub fn is_offsets_topic(&self, topic: &TopicName) -> bool {
        topic.as_str() == CONSUMER_OFFSETS
    }

    /// The topic of transactions; `None` until it is needed.
    #[must_use]
    pub fn transactions_topic(&self) -> Option<Arc<Topic>> {
        self.topics.get(&name(TRANSACTION_STATE))
    }

    /// The topic of transactions, which is made if there is none.
    ///
    /// # Errors
    /// As [`Topics::create`](crate::Topics::create).
    pub async fn create_transactions_topic(&self) -> Result<Arc<Topic>, Error> {
        let internal = &self.internal_topics;
        let (partitions, segment_bytes) = (
            internal.transactions_partitions,
            internal.transactions_segment_bytes,
        );
        self.ensure_internal(TRANSACTION_STATE, partitions, segment_bytes)
            .await
    }

    /// What counts is the last record of each key, however old it is.
    async fn ensure_internal(
        &self,
        topic: &str,
        partitions: u32,
        segment_bytes: u32,
    ) -> Result<Arc<Topic>, Error> {
        let name = name(topic);
        if let Some(topic) = self.topics.get(&name) {
            return Ok(topic);
        }
        let mut config = self.topics.new_config();
        config.set("segment.bytes", &segment_bytes.to_string())?;
        config.set("cleanup.policy", "compact")?;
        match self.topics.create(&name, partitions, config).await {
            Err(Error::Exists) => self.topics.get(&name).ok_or(Error::Exists),
            created => created,
        }
    }
}

fn name(topic: &str) -> TopicName {
    TopicName::new(topic).expect("it is a name that topics can have")
}
