//! The handlers, one file per API, named after its key.
//!
//! A handler takes the broker and the decoded request, acts, and returns the
//! response; it does not know which version of the wire it serves. When it
//! returns, the request has taken effect. What may come later is its answer.

mod p00_produce;
mod p01_fetch;
mod p02_list_offsets;
mod p03_metadata;
mod p10_find_coordinator;
mod p18_api_versions;
mod p19_create_topics;
mod p20_delete_topics;
mod p22_init_producer_id;
mod p32_describe_configs;

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
pub use p03_metadata::{BrokerInfo, metadata};
pub use p10_find_coordinator::find_coordinator;
pub use p18_api_versions::api_versions;
pub use p19_create_topics::create_topics;
pub use p20_delete_topics::delete_topics;
pub use p22_init_producer_id::init_producer_id;
pub use p32_describe_configs::{Setting, SettingSource, describe_configs};

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
