//! `mqd` as a process: what it says, what it keeps, whom it serves.

#![allow(
    clippy::unwrap_used,
    reason = "in a test, also outside of its function, a surprise is a failure"
)]

mod answers;
mod architecture;
mod compaction;
mod crowds;
mod exactly_once;
mod groups;
mod histories;
mod hostile;
mod ip_count;
mod kill;
mod last_words;
mod many_producers;
mod operations;
mod producing;
mod raw;
mod rpc_queue;
mod sessions;
mod settings;
mod start_and_stop;
mod support;
mod tools;
mod torn_tail;
mod transactional_messages;
mod transactions;
