//! Values of every message, made from a run of bytes.
//!
//! The same bytes make the same value; fewer bytes make a smaller one, which is
//! how proptest shrinks a failure to something that a person can read.

use wire_protocol::message::*;
use wire_protocol::{ErrorCode, Records};

/// What values are made from. Behind its end there are zeros.
#[derive(Debug, Clone)]
pub(crate) struct Source<'a> {
    rest: &'a [u8],
}

impl<'a> Source<'a> {
    /// Makes values from `bytes`.
    pub(crate) fn new(bytes: &'a [u8]) -> Source<'a> {
        Source { rest: bytes }
    }

    fn array<const N: usize>(&mut self) -> [u8; N] {
        let mut bytes = [0; N];
        for byte in &mut bytes {
            if let Some((first, rest)) = self.rest.split_first() {
                *byte = *first;
                self.rest = rest;
            }
        }
        bytes
    }

    fn below(&mut self, end: u8) -> u8 {
        self.array::<1>()[0] % end
    }
}

/// A type that can be made from bytes.
pub(crate) trait Random {
    /// The next value that `version` can say.
    fn random(source: &mut Source<'_>, version: i16) -> Self;
}

macro_rules! integers {
    ($($type:ty),*) => {$(
        impl Random for $type {
            fn random(source: &mut Source<'_>, _version: i16) -> Self {
                // The ends are likelier than chance would have them.
                match source.below(16) {
                    0 => 0,
                    1 => <$type>::MIN,
                    2 => <$type>::MAX,
                    3 => -1,
                    _ => <$type>::from_be_bytes(source.array()),
                }
            }
        }
    )*};
}
integers!(i8, i16, i32, i64);

impl Random for bool {
    fn random(source: &mut Source<'_>, _version: i16) -> Self {
        source.below(2) == 1
    }
}

impl Random for String {
    fn random(source: &mut Source<'_>, _version: i16) -> Self {
        const LETTERS: [char; 8] = ['a', 'Z', '0', '.', '_', 'é', '漢', '😀'];
        let letter = |source: &mut Source<'_>| LETTERS[usize::from(source.below(8))];
        match source.below(12) {
            // Long enough that a compact length takes two bytes.
            11 => letter(source).to_string().repeat(130),
            length => (0..length).map(|_| letter(source)).collect(),
        }
    }
}

impl<T: Random> Random for Option<T> {
    fn random(source: &mut Source<'_>, version: i16) -> Self {
        (source.below(4) != 0).then(|| T::random(source, version))
    }
}

impl<T: Random> Random for Vec<T> {
    fn random(source: &mut Source<'_>, version: i16) -> Self {
        (0..source.below(4))
            .map(|_| T::random(source, version))
            .collect()
    }
}

impl Random for Records {
    fn random(source: &mut Source<'_>, _version: i16) -> Self {
        let size = source.below(40);
        Records::from_bytes((0..size).map(|_| source.below(255)).collect::<Vec<u8>>())
    }
}

impl Random for ErrorCode {
    fn random(source: &mut Source<'_>, version: i16) -> Self {
        ErrorCode(i16::random(source, version))
    }
}

/// Version 0 cannot ask about no topic.
impl Random for MetadataTopics {
    fn random(source: &mut Source<'_>, version: i16) -> Self {
        let topics = Option::<Vec<_>>::random(source, version);
        MetadataTopics(topics.filter(|topics| version > 0 || !topics.is_empty()))
    }
}

/// A struct whose field is missing here does not compile. `[3..]`: other
/// versions have no place for the field, and do not do without it.
macro_rules! structs {
    ($( $name:ident { $($field:ident $([$versions:expr])?),* } )*) => {$(
        impl Random for $name {
            fn random(source: &mut Source<'_>, version: i16) -> Self {
                $name { $( $field: $( if !$versions.contains(&version) {
                    $name::default().$field
                } else )? {
                    Random::random(source, version)
                }, )* }
            }
        }
    )*};
}

structs! {
    ProduceRequest { transactional_id [3..], acks, timeout_ms, topics }
    ProduceTopic { name, partitions }
    ProducePartition { index, records }
    ProduceResponse { topics, throttle_time_ms }
    ProduceTopicResponse { name, partitions }
    ProducePartitionResponse { index, error_code, base_offset, log_append_time_ms, log_start_offset }
    FetchRequest {
        replica_id, max_wait_ms, min_bytes, max_bytes, isolation_level, session_id, session_epoch,
        topics, forgotten_topics_data [7..], rack_id
    }
    FetchTopic { topic, partitions }
    FetchPartition {
        partition, current_leader_epoch, fetch_offset, log_start_offset, partition_max_bytes
    }
    ForgottenTopic { topic [7..], partitions [7..] }
    FetchResponse { throttle_time_ms, error_code, session_id [7..], responses }
    FetchTopicResponse { topic, partitions }
    FetchPartitionResponse {
        partition_index, error_code, high_watermark, last_stable_offset, log_start_offset,
        aborted_transactions, preferred_read_replica [11..], records
    }
    AbortedTransaction { producer_id [4..], first_offset [4..] }
    ListOffsetsRequest { replica_id, isolation_level [2..], topics }
    ListOffsetsTopic { name, partitions }
    ListOffsetsPartition { partition_index, timestamp }
    ListOffsetsResponse { throttle_time_ms, topics }
    ListOffsetsTopicResponse { name, partitions }
    ListOffsetsPartitionResponse { partition_index, error_code, timestamp [1..], offset [1..] }
    MetadataRequest { topics, allow_auto_topic_creation [4..] }
    MetadataTopic { name }
    MetadataResponse { throttle_time_ms, brokers, cluster_id, controller_id, topics }
    MetadataBroker { node_id, host, port, rack }
    MetadataTopicResponse { error_code, name, is_internal, partitions }
    MetadataPartition {
        error_code, partition_index, leader_id, leader_epoch, replica_nodes, isr_nodes,
        offline_replicas
    }
    FindCoordinatorRequest { key, key_type [1..] }
    FindCoordinatorResponse { throttle_time_ms, error_code, error_message, node_id, host, port }
    ApiVersionsRequest { client_software_name, client_software_version }
    ApiVersionsResponse { error_code, api_keys, throttle_time_ms }
    ApiVersion { api_key, min_version, max_version }
    CreateTopicsRequest { topics, timeout_ms, validate_only [1..] }
    CreatableTopic { name, num_partitions, replication_factor, assignments, configs }
    CreatableReplicaAssignment { partition_index, broker_ids }
    CreatableTopicConfig { name, value }
    CreateTopicsResponse { throttle_time_ms, topics }
    CreatableTopicResult { name, error_code, error_message }
    DeleteTopicsRequest { topic_names, timeout_ms }
    DeleteTopicsResponse { throttle_time_ms, responses }
    DeletableTopicResult { name, error_code }
    InitProducerIdRequest { transactional_id, transaction_timeout_ms }
    InitProducerIdResponse { throttle_time_ms, error_code, producer_id, producer_epoch }
    DescribeConfigsRequest { resources, include_synonyms [1..], include_documentation [3..] }
    DescribeConfigsResource { resource_type, resource_name, configuration_keys }
    DescribeConfigsResponse { throttle_time_ms, results }
    DescribeConfigsResult { error_code, error_message, resource_type, resource_name, configs }
    DescribeConfigsEntry {
        name, value, read_only, config_source, is_sensitive, synonyms, config_type, documentation
    }
    DescribeConfigsSynonym { name [1..], value [1..], source [1..] }
}
