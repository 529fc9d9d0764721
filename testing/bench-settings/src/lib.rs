//! How the chapters' benchmarks measure: all in the same way.

mod settings;

pub use settings::criterion;
