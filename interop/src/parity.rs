//! mqd's answers beside those of Apache Kafka, request by request.
//!
//! A corpus of named [`Exchange`]s ([`corpus::all`]); each is a few requests on
//! connections of its own. `interop/judge` sends them to a fresh Kafka node and
//! stores its answers under `interop/parity/`, field by field, after the
//! normalisation that [`normal`] declares. What is stored holds each request's
//! bytes too, so that replaying it needs nothing but a socket ([`ask`]) and
//! reading its answer a decoder ([`answer`]). A difference is a bug unless
//! `interop/parity/deliberate.json` gives its reason.
//!
//! Most exchanges are requests on one connection, each after the answer to the one before.
//! Those of groups need more, and each step says what ([`Course`]):
//!
//! - A step names its **connection**, for each member is one.
//! - A step is **parked** if its answer comes when other members have answered. A later step
//!   **reads** it, and it is stored with the request that it is the answer to.
//! - The **member** id in an answer gets a name. `{NAME}` in a later request is that id, and
//!   the id in an answer is `{NAME}`. Generations are numbers that both brokers count alike.
//! - The **producer** id in an answer gets a number. [`producer()`] stands for it in later requests,
//!   also in batches, and the id in an answer is `(producer NUMBER)`. Epochs and sequence numbers
//!   are numbers that both brokers count alike.
//! - **Until** a group is in a state with so many members, nothing else is done. So it is
//!   never by chance which of two requests on two connections comes first.
//!
//! Start reading at [`Exchange`], then at `corpus/create_topics.rs`.

pub mod answer;
mod ask;
pub mod batch;
pub mod corpus;
mod difference;
mod exchange;
mod fields;
mod members;
pub mod normal;
mod producers;
mod replay;
mod stored;

pub use ask::ask;
pub use difference::{Deliberate, Difference, compare, deliberate};
pub use exchange::{Course, Exchange, GroupIs, Step};
pub use producers::producer;
pub use replay::{Replayed, replay};
pub use stored::{Judged, JudgedStep, files, read, write};

/// Settings of the judging Kafka: the exchanges' records are from 2023, and must stay. A
/// group begins as soon as it has a member, is full with three, and sessions may be short.
pub const KAFKA_SETTINGS: [(&str, &str); 4] = [
    ("log.retention.ms", "-1"),
    ("group.initial.rebalance.delay.ms", "0"),
    ("group.max.size", "3"),
    ("group.min.session.timeout.ms", "100"),
];

/// The same for mqd.
pub const MQD_SETTINGS: [(&str, &str); 4] = KAFKA_SETTINGS;
