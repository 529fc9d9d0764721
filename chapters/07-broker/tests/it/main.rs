//! The broker through its public API: over a simulated disk, and over real sockets.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod aborted_lists;
mod admin;
mod alter_configs;
mod background_stalls;
mod bad_batches;
mod client;
mod committed_readers;
mod compaction;
mod connection;
mod crash;
mod create_partitions;
mod create_topics;
mod delete_records;
mod describe_log_dirs;
mod duplicates;
mod durability;
mod fetch;
mod full_pool;
mod limits;
mod long_poll;
mod one_broker;
mod open_files;
mod openings;
mod partition;
mod produce;
mod producer_crashes;
mod producer_damage;
mod producer_restarts;
mod producer_snapshots;
mod producers;
mod rules;
mod stalls;
mod support;
mod topic_stalls;
mod topics;
mod traces;
mod transactional_compaction;
mod versions;
mod waits;
