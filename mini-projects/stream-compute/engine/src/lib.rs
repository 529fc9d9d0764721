//! A small stream engine: a job is defined as a graph of operators, and runs as tasks that
//! work side by side, with checkpoints.
//!
//! ```text
//! source ▶ map ▶ event time ▶ key │ windows ▶ sink      │ exchange by key
//! └──────── a task ─────────────┘   └── a task ──┘       each task in several subtasks
//! ```
//!
//! [`Job`] and [`Stream`] only define. [`Plan`] shows the graph. [`Job::run`] starts the
//! subtasks: each reads a source or channels, pushes records through its [`Chain`], and hands
//! on what comes out.
//!
//! # Invariants
//! - Between two tasks is a bounded channel, so a slow sink slows its source.
//! - Watermarks and barriers pass in order with the records.
//! - State belongs to a key group and an operator's name. Neither depends on the parallelism.
//! - A checkpoint has the state behind exactly the records before its barrier; what a sink has
//!   prepared is committed when the checkpoint is stored, and not before.
//! - Nothing here knows a queue, or reads a clock of the machine.
//!
//! Start reading at `job.rs`, then `chain.rs`, then `task.rs`.

mod aggregate;
mod buckets;
mod chain;
mod checkpoint_dir;
mod coordinator;
mod counter;
mod deploy;
mod element;
mod error;
mod event_time;
mod exchange;
mod file_source;
mod input;
mod iterator_source;
mod job;
mod key;
mod keyed_stream;
mod memory_sink;
mod operator_id;
mod output;
mod part;
mod plan;
mod process;
mod run;
mod side;
mod sink;
mod snapshot;
mod source;
mod stream;
mod task;
mod text_sink;
mod windowed;

pub use aggregate::{Count, Distinct, Reduce, Sketch, Top};
pub use chain::{Begin, Chain, FlatMap};
pub use checkpoint_dir::CheckpointDir;
pub use counter::{Counted, Counter};
pub use deploy::{FromEdges, FromSource, Head};
pub use element::{Barrier, Record, Signal, Step, UNTIMED};
pub use error::{Cause, Error};
pub use event_time::{EventTime, OutOfOrder};
pub use file_source::{FileSource, LINE_BYTES_MAX, Line, RotatedName};
pub use iterator_source::IteratorSource;
pub use job::Job;
pub use keyed_stream::{KeyedStream, ProcessedStream, RowStream, WindowedStream};
pub use memory_sink::{MemorySink, Nowhere};
pub use operator_id::OperatorId;
pub use part::*;
pub use plan::{KEY_GROUPS, Plan};
pub use process::{Held, Process, Processed, Timer};
pub use run::{Completed, Handle, Requests, Restart, Settings, Summary};
#[cfg(feature = "sqlite")]
pub use sink::SqliteSink;
pub use sink::{Restored, Sink, Writer};
pub use snapshot::{Checkpoint, OperatorState, Subtask};
pub use source::{Read, Reader, Source};
pub use stream::{EdgeStream, Stream, WithSide};
pub use text_sink::TextSink;
pub use windowed::{Stored, Windowed};
