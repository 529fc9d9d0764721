//! The part of the first case study: what a stream engine decides.
//!
//! - [`Windows`] says which windows of event time a record is in.
//! - [`PartitionWatermarks`] says how far event time has come, over partitions of
//!   which some are out of order and some are silent.
//! - [`Alignment`] says when a task with several inputs takes its snapshot.
//! - [`KeyedWindows`] keeps the open windows of each key, and emits a row when the
//!   watermark has passed one.
//!
//! All four are pure: times, records and barriers go in, decisions come out.

mod alignment;
mod keyed_windows;
mod pane;
mod watermark;
mod window;

pub use alignment::{Alignment, Met};
pub use keyed_windows::{Added, KeyedWindows};
pub use pane::{Aggregate, Content, Keyed, Pane, Row, WindowRule};
pub use watermark::{Lane, LowestWatermark, PartitionWatermarks, Progress};
pub use window::{Assigned, Window, Windows};
