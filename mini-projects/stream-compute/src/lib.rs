//! Requests per IP in 5-second windows: an access log flows through the queue
//! and leaves as rows.
//!
//! ```text
//! file ──lines──▶ topic ──records──▶ parse ▶ window ▶ count ──rows──▶ topic, screen
//!                                      └──── side output: lines that do not parse, or come late
//! ```
//!
//! The time that counts is the one in the line, not the one on the wall. Lines
//! come out of order; a [`Watermark`] says how long a window waits for them.
//!
//! # Invariants
//! - Every line is counted in one committed row, or is in the side output; never both,
//!   never twice, however often the queue or the job is killed.
//! - A row is committed once, and with it where a job without its window goes on.
//! - What is held in memory is the windows that are open, and a bounded number of lines.
//!   (The check at the end holds all rows.)
//! - Lines, windows and counts are pure: [`LineSplitter`], [`Pipeline`] and what
//!   they are made of have no clock, file or socket.
//!
//! Start reading at [`run`], then [`Pipeline`].

mod access_log;
mod check;
mod civil_time;
mod count;
mod error;
mod feed;
mod input;
mod job;
mod lines;
mod pipeline;
mod queue;
mod read_back;
mod report;
mod resume_point;
mod row;
mod run;
mod sink;
mod watermark;
mod window;

pub use access_log::{Hit, Unparsable, parse};
pub use check::{Recount, Verdict};
pub use civil_time::{Utc, parse_log_time};
pub use count::{Late, WindowCounts};
pub use error::Error;
pub use input::{Chunk, Input, Source};
pub use lines::{LINE_BYTES_MAX, Line, LineSplitter};
pub use pipeline::{Outcome, Pipeline, Rejected, Tally};
pub use report::{Report, RowsShown};
pub use resume_point::{Place, ResumePoint};
pub use row::Row;
pub use run::{Settings, Summary, run};
pub use watermark::Watermark;
pub use window::{Tumbling, Window};
