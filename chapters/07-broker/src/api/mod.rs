//! The handlers, one file per API, named after its key.
//!
//! A handler takes the broker and the decoded request, acts, and returns the
//! response; a few get the version of the wire too, because they act by it. When
//! a handler returns, the request has taken effect. What may come later is its answer.

mod authorized_operations;
mod config_changes;
mod p00_produce;
mod p01_fetch;
mod p02_list_offsets;
mod p03_metadata;
mod p18_api_versions;
mod p19_create_topics;
mod p20_delete_topics;
mod p21_delete_records;
mod p22_init_producer_id;
mod p23_offset_for_leader_epoch;
mod p32_describe_configs;
mod p33_alter_configs;
mod p35_describe_log_dirs;
mod p37_create_partitions;
mod p43_elect_leaders;
mod p44_incremental_alter_configs;
mod p46_list_partition_reassignments;
mod p60_describe_cluster;
mod refusal;
mod setting_type;

use std::collections::HashMap;
use std::sync::Arc;

use message_model::{PartitionIndex, TopicName};
use wire_protocol::ErrorCode;

use crate::error::{Error, error_code};
use crate::partition::Partition;
use crate::topics::Topics;

pub use p00_produce::{Acknowledgement, produce, refuse_produce};
pub use p01_fetch::{FetchLimits, fetch};
pub use p02_list_offsets::list_offsets;
pub use p03_metadata::{BrokerInfo, metadata, metadata_size};
pub use p18_api_versions::api_versions;
pub use p19_create_topics::create_topics;
pub use p20_delete_topics::delete_topics;
pub use p21_delete_records::delete_records;
pub use p22_init_producer_id::init_producer_id;
pub use p23_offset_for_leader_epoch::offset_for_leader_epoch;
pub use p32_describe_configs::{Setting, SettingSource, describe_configs, settings_size};
pub use p33_alter_configs::alter_configs;
pub use p35_describe_log_dirs::{describe_log_dirs, log_dirs_size};
pub use p37_create_partitions::create_partitions;
pub use p43_elect_leaders::elect_leaders;
pub use p44_incremental_alter_configs::incremental_alter_configs;
pub use p46_list_partition_reassignments::list_partition_reassignments;
pub use p60_describe_cluster::describe_cluster;

/// The partition that a request names. A name that no topic can have is an
/// unknown topic's: that is what Kafka's brokers answer too.
fn find_partition(topics: &Topics, topic: &str, index: i32) -> Result<Arc<Partition>, Error> {
    let topic = TopicName::new(topic).map_err(|_| Error::Unknown)?;
    topics.partition(&topic, PartitionIndex(index))
}

/// A number for each name: the place at which the same name came first. The names
/// are compared and not copied, for a request may pair one long name with many
/// thousand partitions.
fn first_places<'a>(names: impl Iterator<Item = &'a str>) -> Vec<usize> {
    let mut first = HashMap::new();
    let places = names.enumerate();
    places
        .map(|(place, name)| *first.entry(name).or_insert(place))
        .collect()
}

/// The code for an error of a partition. What only an operator can mend goes
/// into the log too, but not that a partition is offline: the log has the reason
/// already, and the partition's clients keep trying.
fn code_of(topic: &str, index: i32, error: &Error) -> ErrorCode {
    match error {
        Error::Log(log_storage::Error::Io { .. } | log_storage::Error::Damaged { .. }) => {
            tracing::error!("{topic}-{index}: {error}");
        }
        _ => tracing::debug!("{topic:?}, partition {index}: {error}"),
    }
    error_code(error)
}
