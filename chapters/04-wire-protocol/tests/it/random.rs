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
    /// The next value.
    fn random(source: &mut Source<'_>) -> Self;
}

macro_rules! integers {
    ($($type:ty),*) => {$(
        impl Random for $type {
            fn random(source: &mut Source<'_>) -> Self {
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
    fn random(source: &mut Source<'_>) -> Self {
        source.below(2) == 1
    }
}

impl Random for String {
    fn random(source: &mut Source<'_>) -> Self {
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
    fn random(source: &mut Source<'_>) -> Self {
        (source.below(4) != 0).then(|| T::random(source))
    }
}

impl<T: Random> Random for Vec<T> {
    fn random(source: &mut Source<'_>) -> Self {
        (0..source.below(4)).map(|_| T::random(source)).collect()
    }
}

impl Random for Records {
    fn random(source: &mut Source<'_>) -> Self {
        let size = source.below(40);
        Records::from_bytes((0..size).map(|_| source.below(255)).collect())
    }
}

impl Random for ErrorCode {
    fn random(source: &mut Source<'_>) -> Self {
        ErrorCode(i16::random(source))
    }
}

/// A struct whose field is missing here does not compile.
macro_rules! structs {
    ($( $name:ident { $($field:ident),* } )*) => {$(
        impl Random for $name {
            fn random(source: &mut Source<'_>) -> Self {
                $name { $( $field: Random::random(source), )* }
            }
        }
    )*};
}

structs! {
    ProduceRequest { transactional_id, acks, timeout_ms, topics }
    ProduceTopic { name, partitions }
    ProducePartition { index, records }
    ProduceResponse { topics, throttle_time_ms }
    ProduceTopicResponse { name, partitions }
    ProducePartitionResponse { index, error_code, base_offset, log_append_time_ms, log_start_offset }
    FetchRequest {
        replica_id, max_wait_ms, min_bytes, max_bytes, isolation_level, session_id, session_epoch,
        topics, forgotten_topics_data, rack_id
    }
    FetchTopic { topic, partitions }
    FetchPartition {
        partition, current_leader_epoch, fetch_offset, log_start_offset, partition_max_bytes
    }
    ForgottenTopic { topic, partitions }
    FetchResponse { throttle_time_ms, error_code, session_id, responses }
    FetchTopicResponse { topic, partitions }
    FetchPartitionResponse {
        partition_index, error_code, high_watermark, last_stable_offset, log_start_offset,
        aborted_transactions, preferred_read_replica, records
    }
    AbortedTransaction { producer_id, first_offset }
    ListOffsetsRequest { replica_id, isolation_level, topics }
    ListOffsetsTopic { name, partitions }
    ListOffsetsPartition { partition_index, timestamp }
    ListOffsetsResponse { throttle_time_ms, topics }
    ListOffsetsTopicResponse { name, partitions }
    ListOffsetsPartitionResponse { partition_index, error_code, timestamp, offset }
    MetadataRequest { topics, allow_auto_topic_creation }
    MetadataTopic { name }
    MetadataResponse { throttle_time_ms, brokers, cluster_id, controller_id, topics }
    MetadataBroker { node_id, host, port, rack }
    MetadataTopicResponse { error_code, name, is_internal, partitions }
    MetadataPartition { error_code, partition_index, leader_id, replica_nodes, isr_nodes }
    FindCoordinatorRequest { key, key_type }
    FindCoordinatorResponse { throttle_time_ms, error_code, error_message, node_id, host, port }
    ApiVersionsRequest { client_software_name, client_software_version }
    ApiVersionsResponse { error_code, api_keys, throttle_time_ms }
    ApiVersion { api_key, min_version, max_version }
    CreateTopicsRequest { topics, timeout_ms, validate_only }
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
    DescribeConfigsRequest { resources, include_synonyms }
    DescribeConfigsResource { resource_type, resource_name, configuration_keys }
    DescribeConfigsResponse { throttle_time_ms, results }
    DescribeConfigsResult { error_code, error_message, resource_type, resource_name, configs }
    DescribeConfigsEntry { name, value, read_only, config_source, is_sensitive, synonyms }
    DescribeConfigsSynonym { name, value, source }
}
