//! The log through its public interface, on the real disk and on the simulated one.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod batches;
mod crash;
mod damage;
mod full_disk;
mod indexes;
mod real_disk;
