//! The exchanges, one file for each part.
//!
//! An exchange creates the topics that it uses and calls them after itself, so
//! that exchanges do not see each other's.

mod configs;
mod create_topics;
mod delete_topics;
mod fetch;
mod framing;
mod list_offsets;
mod metadata;
mod produce;
mod produce_batches;
mod versions;

use super::exchange::Exchange;

/// The parts by the name of their file.
#[must_use]
pub fn all() -> Vec<(&'static str, Vec<Exchange>)> {
    vec![
        ("configs", configs::all()),
        ("create-topics", create_topics::all()),
        ("delete-topics", delete_topics::all()),
        ("fetch", fetch::all()),
        ("framing", framing::all()),
        ("list-offsets", list_offsets::all()),
        ("metadata", metadata::all()),
        ("produce", produce::all()),
        ("produce-batches", produce_batches::all()),
        ("versions", versions::all()),
    ]
}
