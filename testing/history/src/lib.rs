//! A history of what clients did and saw, and what in it breaks a promise.
//!
//! Clients send values, each of them once, poll, and run transactions, while the broker is
//! killed and paused. Each writes down its [`Operation`]s. [`check`] holds them against each
//! other and returns a [`Report`] of [`Anomaly`]s. Each anomaly names the operations that
//! prove it. A [`Promise`] says which kinds may not occur.
//!
//! # Where the definitions are from
//! The kinds are those of the Kafka workload of Jepsen, by Kyle Kingsbury:
//! <https://github.com/jepsen-io/jepsen/blob/main/jepsen/src/jepsen/tests/kafka.clj>
//! (documented at <https://jepsen-io.github.io/jepsen/jepsen.tests.kafka.html>, used for
//! <https://jepsen.io/analyses/redpanda-21.10.1> and
//! <https://jepsen.io/analyses/bufstream-0.1.0>). Words and code are this crate's own. What is
//! different here:
//!
//! - A gap within one poll and a gap between two polls of a process are one kind. A poll here
//!   returns whatever pieces the consumer has.
//! - A poll skips a value only if another poll returned the value. A value that no poll
//!   returned is a lost write, once, and not also a skip for each reader.
//! - A poll that returns a value before its transaction was asked to commit is an uncommitted
//!   read for every reader. Jepsen looks for it within the transaction itself
//!   (`precommitted-read`). Intermediate reads (G1b) are a case of it, because each value is
//!   final: only a reader that comes too early can see a part of a transaction.
//! - Sends that are out of order are two kinds. If both were acknowledged, no promise allows
//!   that. If one has no answer, it may have arrived late, and only numbered batches forbid it.
//! - A seek may name its offset. The next record is then held against the offset.
//! - Cycles between transactions are not looked for. Kafka's transactions do not isolate
//!   writes, so most cycles are allowed.
//!
//! # What holds
//! - A correct log has no anomaly but [`Kind::SendSkip`], which no promise forbids.
//! - [`check`] takes time in proportion to n log n for n operations and records.
//! - The recording must end with a read of everything. A value that is left over is
//!   [`Kind::Unseen`].
//!
//! Start reading at [`Operation`], then at [`check`]. [`record`] makes a history under faults.

mod anomaly;
mod check;
mod drive;
mod json;
mod operation;
mod promise;
mod report;

pub use anomaly::{Anomaly, Kind, Saw, Witness};
pub use check::{Flaw, check};
pub use drive::{Event, Recorded, Run, Suite, Verdict, record};
pub use json::{ReadError, read, write};
pub use operation::{Action, Operation, Outcome, Partition, Record, Send, Step};
pub use promise::Promise;
pub use report::{Counts, Explained, Report};
