//! What a cluster says about a topic.

use message_model::{BrokerId, LeaderEpoch};

/// A topic's partitions, as the cluster described them some time ago.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TopicMetadata {
    /// All partitions, by index.
    pub partitions: Vec<PartitionMetadata>,
}

/// One partition of a [`TopicMetadata`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PartitionMetadata {
    /// The broker to produce to and fetch from; `None`: there was none.
    pub leader: Option<BrokerId>,
    /// How often the leader had changed; `None`: the broker did not say.
    pub leader_epoch: Option<LeaderEpoch>,
}
