//! The log through its public interface, on the real disk and on the simulated one.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod aborted;
mod aborted_crash;
mod batches;
mod bounds;
mod compaction;
mod compaction_crash;
mod compaction_laws;
mod compaction_transactions;
mod compaction_transactions_crash;
mod compaction_transactions_laws;
mod crash;
mod damage;
mod durability;
mod full_disk;
mod indexes;
mod keyed;
mod real_disk;
mod traces;
mod transactional;
mod transactional_model;
mod views;
mod wrong_indexes;
