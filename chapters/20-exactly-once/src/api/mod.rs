//! The handlers, one file per API, named after its key.
//!
//! A handler takes the coordinator and the decoded request. The request has taken effect when
//! the handler returns; what waits for the disk or for markers is a future, so that it
//! blocks no other request of the connection.

mod names;
mod p10_find_coordinator;
mod p22_init_producer_id;
mod p24_add_partitions_to_txn;
mod p25_add_offsets_to_txn;
mod p26_end_txn;
mod p27_write_txn_markers;
mod p61_describe_producers;
mod p65_describe_transactions;
mod p66_list_transactions;

pub use p10_find_coordinator::find_coordinator;
pub use p22_init_producer_id::init_producer_id;
pub use p24_add_partitions_to_txn::add_partitions_to_txn;
pub use p25_add_offsets_to_txn::add_offsets_to_txn;
pub use p26_end_txn::end_txn;
pub use p27_write_txn_markers::write_txn_markers;
pub use p61_describe_producers::{describe_producers, describe_producers_size};
pub use p65_describe_transactions::{describe_transactions, describe_transactions_size};
pub use p66_list_transactions::{list_transactions, list_transactions_size};
