//! mqd's answers beside those of Apache Kafka, request by request.
//!
//! A corpus of named [`Exchange`]s ([`corpus::all`]); each is a few requests on a
//! connection of its own. `interop/judge` sends them to a fresh Kafka node and
//! stores its answers under `interop/parity/`, field by field, after the
//! normalisation that [`normal`] declares. What is stored holds each request's
//! bytes too, so that replaying it needs nothing but a socket ([`ask`]) and
//! reading its answer a decoder ([`answer`]). A difference is a bug unless
//! `interop/parity/deliberate.json` gives its reason.
//!
//! Start reading at [`Exchange`], then at `corpus/create_topics.rs`.

pub mod answer;
mod ask;
pub mod batch;
pub mod corpus;
mod difference;
mod exchange;
mod fields;
pub mod normal;
mod stored;

pub use ask::ask;
pub use difference::{Deliberate, Difference, compare, deliberate};
pub use exchange::{Exchange, Step};
pub use stored::{Judged, JudgedStep, files, read, write};

/// Settings of the judging Kafka: the exchanges' records are from 2023, and must stay.
pub const KAFKA_SETTINGS: [(&str, &str); 1] = [("log.retention.ms", "-1")];

/// The same for mqd.
pub const MQD_SETTINGS: [(&str, &str); 1] = [("log.retention.ms", "-1")];
