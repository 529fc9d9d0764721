//! Requests per IP in 5-second windows: an access log flows through the queue
//! and leaves as rows.
//!
//! ```text
//! file ──lines──▶ topic ──records──▶ parse ▶ window ▶ count ──rows──▶ topic, screen
//!                                      └──── side output: lines that do not parse, or come late
//! ```
//!
//! The job is one of [`stream_engine`]. The time that counts is the one in the line, not the
//! one on the wall.
//!
//! # Invariants
//! - Every line is counted in one committed row, or is in the side output; never both,
//!   never twice, however often the queue or the job is killed.
//! - The rows of a transaction are those between two checkpoints. They are committed when the
//!   second one is stored, and once.
//! - What is held in memory is the windows that are open, and a bounded number of lines.
//!   The check at the end holds what rows and input have not yet both; all rows if they differ.
//!
//! Start reading at [`run`], then `job.rs`.

mod access_log;
mod again;
mod buckets;
mod check;
mod civil_time;
mod counts;
mod error;
mod feed;
mod html;
mod ids;
mod input;
mod job;
mod job_dir;
mod judge;
mod lag;
mod last_lines;
mod line_count;
mod line_header;
mod lines;
mod meters;
mod named_files;
mod page;
mod queue;
mod read_back;
mod report;
mod rotation;
mod row;
mod run;
mod settings;
mod side_by_side;
mod terminal;
mod thousands;
mod topic_sink;
mod topic_source;
mod tops;
mod transactions;
mod view;

pub use access_log::{Hit, Unparsable, parse};
pub use check::{Recount, Verdict};
pub use civil_time::{Utc, parse_log_time};
pub use error::Error;
pub use input::{Chunk, Input, Place, Source};
pub use job_dir::has_job;
pub use lines::{LINE_BYTES_MAX, Line, LineSplitter};
pub use report::{Report, RowsShown};
pub use row::{Row, Said, Table};
pub use run::{Summary, Tally, plan, run};
pub use settings::{Cut, SPAN_MAX, Settings};
pub use view::View;
