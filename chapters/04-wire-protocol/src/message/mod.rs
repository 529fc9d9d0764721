//! The messages, one file per API, named after its key.
//!
//! Names and order of the fields are Kafka's. `[a..]` says from which version
//! on a field is on the wire; without it, the field is in all versions.

mod p00_produce;
mod p01_fetch;
mod p02_list_offsets;
mod p03_metadata;
mod p08_offset_commit;
mod p09_offset_fetch;
mod p10_find_coordinator;
mod p11_join_group;
mod p12_heartbeat;
mod p13_leave_group;
mod p14_sync_group;
mod p15_describe_groups;
mod p16_list_groups;
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
mod p42_delete_groups;
mod p43_elect_leaders;
mod p44_incremental_alter_configs;
mod p46_list_partition_reassignments;
mod p47_offset_delete;
mod p60_describe_cluster;

pub use p00_produce::*;
pub use p01_fetch::*;
pub use p02_list_offsets::*;
pub use p03_metadata::*;
pub use p08_offset_commit::*;
pub use p09_offset_fetch::*;
pub use p10_find_coordinator::*;
pub use p11_join_group::*;
pub use p12_heartbeat::*;
pub use p13_leave_group::*;
pub use p14_sync_group::*;
pub use p15_describe_groups::*;
pub use p16_list_groups::*;
pub use p18_api_versions::*;
pub use p19_create_topics::*;
pub use p20_delete_topics::*;
pub use p21_delete_records::*;
pub use p22_init_producer_id::*;
pub use p23_offset_for_leader_epoch::*;
pub use p32_describe_configs::*;
pub use p33_alter_configs::*;
pub use p35_describe_log_dirs::*;
pub use p37_create_partitions::*;
pub use p42_delete_groups::*;
pub use p43_elect_leaders::*;
pub use p44_incremental_alter_configs::*;
pub use p46_list_partition_reassignments::*;
pub use p47_offset_delete::*;
pub use p60_describe_cluster::*;
