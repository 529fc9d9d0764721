//! The handlers, one file per API, named after its key.
//!
//! A handler takes the coordinator and the decoded request. What it returns at once is
//! there when the request has taken effect; what waits for other members or for the disk is
//! a future, so that it blocks no other request of the connection.

mod names;
mod p08_offset_commit;
mod p09_offset_fetch;
mod p10_find_coordinator;
mod p11_join_group;
mod p12_heartbeat;
mod p13_leave_group;
mod p14_sync_group;
mod p15_describe_groups;
mod p16_list_groups;
mod p28_txn_offset_commit;
mod p42_delete_groups;
mod p47_offset_delete;

pub use p08_offset_commit::offset_commit;
pub use p09_offset_fetch::{committed_size, offset_fetch, offset_fetch_size};
pub use p10_find_coordinator::{find_coordinator, found_here};
pub use p11_join_group::{join_group, join_group_size};
pub use p12_heartbeat::heartbeat;
pub use p13_leave_group::leave_group;
pub use p14_sync_group::{sync_group, sync_group_size};
pub use p15_describe_groups::{describe_groups, describe_groups_size};
pub use p16_list_groups::{list_groups, list_groups_size};
pub use p28_txn_offset_commit::txn_offset_commit;
pub use p42_delete_groups::delete_groups;
pub use p47_offset_delete::offset_delete;
