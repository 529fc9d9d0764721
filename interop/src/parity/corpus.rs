//! The exchanges, one file for each part.
//!
//! An exchange creates the topics that it uses and calls them after itself, so
//! that exchanges do not see each other's.

mod alter_configs;
mod configs;
mod create_topics;
mod delete_topics;
mod fetch;
mod framing;
mod group_admin;
mod group_joins;
mod group_members;
mod group_offsets;
mod group_rebalances;
mod group_refusals;
mod group_timeouts;
mod later_versions;
mod list_offsets;
mod log_dirs;
mod metadata;
mod null_lists;
mod one_broker;
mod operations;
mod produce;
mod produce_batches;
mod refusals;
mod transaction_offsets;
mod transaction_records;
mod transaction_refusals;
mod transactions;
mod versions;

use super::exchange::Exchange;

/// The parts by the name of their file.
#[must_use]
pub fn all() -> Vec<(&'static str, Vec<Exchange>)> {
    vec![
        ("alter-configs", alter_configs::all()),
        ("configs", configs::all()),
        ("create-topics", create_topics::all()),
        ("delete-topics", delete_topics::all()),
        ("fetch", fetch::all()),
        ("framing", framing::all()),
        ("later-versions", later_versions::all()),
        // Behind the first question for a coordinator, which Kafka answers with 15.
        ("group-admin", group_admin::all()),
        ("group-joins", group_joins::all()),
        ("group-members", group_members::all()),
        ("group-offsets", group_offsets::all()),
        ("group-rebalances", group_rebalances::all()),
        ("group-refusals", group_refusals::all()),
        ("group-timeouts", group_timeouts::all()),
        ("list-offsets", list_offsets::all()),
        ("log-dirs", log_dirs::all()),
        ("metadata", metadata::all()),
        ("null-lists", null_lists::all()),
        ("one-broker", one_broker::all()),
        ("operations", operations::all()),
        ("produce", produce::all()),
        ("produce-batches", produce_batches::all()),
        ("refusals", refusals::all()),
        // Kafka answers the first question for a coordinator of transactions with 15.
        ("transactions", transactions::all()),
        ("transaction-offsets", transaction_offsets::all()),
        ("transaction-records", transaction_records::all()),
        ("transaction-refusals", transaction_refusals::all()),
        ("versions", versions::all()),
    ]
}
