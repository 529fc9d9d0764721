//! The queue in one thread, without a clock, a socket or a file: everything follows from a seed.
//!
//! [`run`] starts the broker of the product (partitions, groups, transactions) on a simulated
//! disk, and clients that send to it over a simulated network. Messages are late, connections
//! break, clients are paused and replaced, and the broker dies: killed, by a power failure, or
//! in good order. It may die before any operation of its disk and before any answer. It starts
//! again from what has survived. At the end everything is read, and the laws are checked.
//!
//! # How the product gets into one thread
//! - Each life of the broker is a tokio runtime of one thread whose time is paused. A life ends
//!   when its runtime is dropped.
//! - Blocking work runs in that thread too, after a time that the seed says
//!   (`async_model::Pool`), and the calendar follows the stopwatch (`Clock::start_at`).
//! - Clients are futures that the simulation runs itself, so that they live on when the
//!   broker dies.
//!
//! # What holds
//! - The same seed gives the same run, to the byte of the history and of the trace.
//! - Nothing that a broker does after the moment of its death is seen by anybody.
//!
//! # What it leaves out
//! - Bytes on the wire: handlers are called with messages. `mqd`'s tests have the bytes.
//! - What of Kafka's protocol is open by design: an EndTxn that arrives on an old connection when the next
//!   transaction of the same instance has begun. Such a connection ends first (see
//!   `network::Link`).
//! - Numbers after a failed write: if the first batch of a producer cannot be written, those behind it
//!   are taken, and then the first is refused for good. Kafka's rule for unknown producers says so.
//! - Reads of what a power failure takes. In runs with power failures readers get only what
//!   is on disk; one broker alone cannot promise the rest.
//!
//! Start reading at [`run`], then `clients::transform`, then `laws`.

mod batch;
mod clients;
mod exchange;
mod fate;
mod laws;
mod network;
mod node;
mod panics;
mod plan;
mod product;
mod record;
mod request;
mod run;
mod show;
mod sim;

pub use laws::Violation;
pub use run::{Outcome, run};
