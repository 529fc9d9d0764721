//! Metadata (3): brokers, topics, partitions and their leaders.

use crate::codec::{Decoder, Encoder, Form, Wire};
use crate::error_code::ErrorCode;
use crate::part::Malformed;
use crate::schema::messages;

messages! {
    /// Asks about topics.
    MetadataRequest {
        topics: MetadataTopics;
        /// Whether topics that do not exist may be created.
        allow_auto_topic_creation: bool [4..] = true;
        /// Whether to say what the client may do with the cluster.
        include_cluster_authorized_operations: bool [8..];
        /// Whether to say what the client may do with each topic.
        include_topic_authorized_operations: bool [8..];
    }
    /// A topic of a [`MetadataRequest`].
    #[derive(PartialEq)]
    MetadataTopic {
        name: String;
    }
    /// The brokers and the topics.
    MetadataResponse {
        /// Always 0: we do not throttle.
        throttle_time_ms: i32 [3.., ignorable];
        brokers: Vec<MetadataBroker>;
        cluster_id: Option<String> [2.., ignorable];
        /// The broker that admin requests go to.
        controller_id: i32 [1.., ignorable] = -1;
        topics: Vec<MetadataTopicResponse>;
        /// A bit for each operation that the client may use; `i32::MIN`: not asked for.
        cluster_authorized_operations: i32 [8..] = i32::MIN;
    }
    /// A broker of a [`MetadataResponse`].
    MetadataBroker {
        node_id: i32;
        host: String;
        port: i32;
        rack: Option<String> [1.., ignorable];
    }
    /// A topic of a [`MetadataResponse`].
    MetadataTopicResponse {
        error_code: ErrorCode;
        name: String;
        /// Whether the queue keeps it for itself.
        is_internal: bool [1.., ignorable];
        partitions: Vec<MetadataPartition>;
        /// A bit for each operation that the client may use; `i32::MIN`: not asked for.
        topic_authorized_operations: i32 [8..] = i32::MIN;
    }
    /// A partition of a [`MetadataTopicResponse`].
    MetadataPartition {
        error_code: ErrorCode;
        partition_index: i32;
        /// The broker to produce to and fetch from.
        leader_id: i32;
        /// -1: not known.
        leader_epoch: i32 [7.., ignorable] = -1;
        /// The brokers that have a copy.
        replica_nodes: Vec<i32>;
        /// Those of them that are up to date.
        isr_nodes: Vec<i32>;
        /// Those of them that cannot be reached.
        offline_replicas: Vec<i32> [5.., ignorable];
    }
}

/// The topics that a [`MetadataRequest`] asks about; `None`: all of them.
///
/// Version 0 has no null: there the empty array asks for all, and nothing asks for none.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct MetadataTopics(pub Option<Vec<MetadataTopic>>);

/// The version in which an empty array is what null is later.
const EMPTY_IS_ALL: i16 = 0;

impl Wire for MetadataTopics {
    fn size_min(form: Form) -> usize {
        Vec::<MetadataTopic>::size_min(form)
    }

    fn encode(&self, out: &mut Encoder) {
        if out.version() != EMPTY_IS_ALL {
            return self.0.encode(out);
        }
        match &self.0 {
            None => out.put_length(Some(0)),
            Some(topics) => {
                assert!(!topics.is_empty(), "version 0 cannot ask about no topic");
                topics.encode(out);
            }
        }
    }

    fn decode(input: &mut Decoder<'_>) -> Result<Self, Malformed> {
        if input.version() != EMPTY_IS_ALL {
            return Wire::decode(input).map(MetadataTopics);
        }
        let topics = Vec::decode(input)?;
        Ok(MetadataTopics((!topics.is_empty()).then_some(topics)))
    }

    fn measure(input: &mut Decoder<'_>) -> Result<usize, Malformed> {
        if input.version() != EMPTY_IS_ALL {
            return Option::<Vec<MetadataTopic>>::measure(input);
        }
        Vec::<MetadataTopic>::measure(input)
    }
}
