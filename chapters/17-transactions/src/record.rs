//! The records in the topics of a group. All of them are text, so that a person can read
//! them with any consumer.
//!
//! - A half message is the message, with two more headers: its id, and the topic that it is
//!   meant for.
//! - A check is the half message, with one more header: where the half message is.
//! - An outcome has the offset of its half message as the key, and as the value `commit`,
//!   `roll back` or `unknown`.
//! - An op record has the same key, and as the value `checked N`, `committed`, `rolled back`
//!   or `set aside`.

use client::ConsumedRecord;
use message_model::{Offset, TopicName};
use record_batch::Header;

use crate::part::{Decision, End, Op};

/// The header with the transaction's id, in half messages and in each of their copies.
/// A consumer that remembers ids recognises a copy that comes again.
pub const ID_HEADER: &str = "transaction-id";
/// The header of a half message with the topic that it is meant for.
pub(crate) const TOPIC_HEADER: &str = "transaction-topic";
/// The header of a check with the offset of its half message.
pub(crate) const HALF_HEADER: &str = "transaction-half";

/// Returns the value of a header as text.
pub(crate) fn text<'a>(record: &'a ConsumedRecord, name: &str) -> Option<&'a str> {
    let mut headers = record.headers.iter();
    let (_, value) = headers.find(|(known, _)| known == name)?;
    std::str::from_utf8(value.as_deref()?).ok()
}

/// Returns the topic that a half message is meant for; `None` if the record is no half
/// message.
pub(crate) fn topic_of(record: &ConsumedRecord) -> Option<TopicName> {
    text(record, ID_HEADER)?;
    TopicName::new(text(record, TOPIC_HEADER)?).ok()
}

/// Returns the headers of a record without one of them.
pub(crate) fn headers_without<'a>(record: &'a ConsumedRecord, name: &str) -> Vec<Header<'a>> {
    let headers = record.headers.iter().filter(|(known, _)| known != name);
    let header = |(key, value): &'a (String, Option<bytes::Bytes>)| Header {
        key,
        value: value.as_deref(),
    };
    headers.map(header).collect()
}

/// Returns the half message that a record names with its key.
pub(crate) fn half_of(record: &ConsumedRecord) -> Option<Offset> {
    let key = std::str::from_utf8(record.key.as_deref()?).ok()?;
    key.parse().ok().map(Offset)
}

fn value(record: &ConsumedRecord) -> Option<&str> {
    std::str::from_utf8(record.value.as_deref()?).ok()
}

pub(crate) fn write_decision(decision: Decision) -> &'static str {
    match decision {
        Decision::Commit => "commit",
        Decision::RollBack => "roll back",
        Decision::Unknown => "unknown",
    }
}

/// Returns what an outcome says, and of which half message; `None` if it is no outcome.
pub(crate) fn read_outcome(record: &ConsumedRecord) -> Option<(Offset, Decision)> {
    let decision = match value(record)? {
        "commit" => Decision::Commit,
        "roll back" => Decision::RollBack,
        "unknown" => Decision::Unknown,
        _ => return None,
    };
    Some((half_of(record)?, decision))
}

pub(crate) fn write_op(op: Op) -> String {
    match op {
        Op::Checked(number) => format!("checked {number}"),
        Op::Done(End::Committed) => "committed".to_owned(),
        Op::Done(End::RolledBack) => "rolled back".to_owned(),
        Op::Done(End::SetAside) => "set aside".to_owned(),
    }
}

/// Returns what an op record says, and of which half message; `None` if it is no op record.
pub(crate) fn read_op(record: &ConsumedRecord) -> Option<(Offset, Op)> {
    let op = match value(record)? {
        "committed" => Op::Done(End::Committed),
        "rolled back" => Op::Done(End::RolledBack),
        "set aside" => Op::Done(End::SetAside),
        checked => Op::Checked(checked.strip_prefix("checked ")?.parse().ok()?),
    };
    Some((half_of(record)?, op))
}
