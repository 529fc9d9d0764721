//! Metadata (3): brokers, topics, partitions and their leaders.

use crate::error_code::ErrorCode;
use crate::schema::messages;

messages! {
    /// Asks about topics.
    MetadataRequest {
        /// Which ones; null asks for all, empty for none.
        topics: Option<Vec<MetadataTopic>> [0..];
        /// Whether topics that do not exist may be created.
        allow_auto_topic_creation: bool [4..] = true;
    }
    /// A topic of a [`MetadataRequest`].
    MetadataTopic {
        /// Its name.
        name: String [0..];
    }
    /// The brokers and the topics.
    MetadataResponse {
        /// Always 0: we do not throttle.
        throttle_time_ms: i32 [3..];
        /// The brokers.
        brokers: Vec<MetadataBroker> [0..];
        /// The cluster's id.
        cluster_id: Option<String> [2..];
        /// The broker that admin requests go to.
        controller_id: i32 [1..] = -1;
        /// The topics.
        topics: Vec<MetadataTopicResponse> [0..];
    }
    /// A broker of a [`MetadataResponse`].
    MetadataBroker {
        /// Its id.
        node_id: i32 [0..];
        /// Where clients reach it.
        host: String [0..];
        /// Where clients reach it.
        port: i32 [0..];
        /// Its rack.
        rack: Option<String> [1..];
    }
    /// A topic of a [`MetadataResponse`].
    MetadataTopicResponse {
        /// Why there are no partitions.
        error_code: ErrorCode [0..];
        /// Its name.
        name: String [0..];
        /// Whether the queue keeps it for itself.
        is_internal: bool [1..];
        /// Its partitions.
        partitions: Vec<MetadataPartition> [0..];
    }
    /// A partition of a [`MetadataTopicResponse`].
    MetadataPartition {
        /// Why it cannot be used.
        error_code: ErrorCode [0..];
        /// Its index.
        partition_index: i32 [0..];
        /// The broker to produce to and fetch from.
        leader_id: i32 [0..];
        /// The brokers that have a copy.
        replica_nodes: Vec<i32> [0..];
        /// Those of them that are up to date.
        isr_nodes: Vec<i32> [0..];
    }
}
