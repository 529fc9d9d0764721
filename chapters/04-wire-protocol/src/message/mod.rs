//! The messages, one file per API, named after its key.
//!
//! Names and order of the fields are Kafka's. `[a..]` says from which version
//! on a field is on the wire; without it, the field is in all versions.

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

pub use p00_produce::*;
pub use p01_fetch::*;
pub use p02_list_offsets::*;
pub use p03_metadata::*;
pub use p10_find_coordinator::*;
pub use p18_api_versions::*;
pub use p19_create_topics::*;
pub use p20_delete_topics::*;
pub use p22_init_producer_id::*;
pub use p32_describe_configs::*;
