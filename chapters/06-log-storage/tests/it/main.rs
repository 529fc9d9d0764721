//! The log through its public interface, on the real disk and on the simulated one.

mod batches;
mod real_disk;
