//! The part against oracles that know all records at once.

mod alignment;
mod keyed_windows;
mod watermark;
mod windows;
