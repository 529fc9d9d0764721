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
mod later_versions;
mod list_offsets;
mod metadata;
mod one_broker;
mod operations;
mod produce;
mod produce_batches;
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
        ("list-offsets", list_offsets::all()),
        ("metadata", metadata::all()),
        ("one-broker", one_broker::all()),
        ("operations", operations::all()),
        ("produce", produce::all()),
        ("produce-batches", produce_batches::all()),
        ("versions", versions::all()),
    ]
}
