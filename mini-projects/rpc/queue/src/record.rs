//! Calls and replies as records.

use bytes::Bytes;
use client::ConsumedRecord;
use message_model::{PartitionIndex, TopicName, TopicPartition};
use networking::PREFIX_SIZE;
use record_batch::Header;
use rpc::{Call, Outcome, ToClient, ToServer, get, put};
use serde::Serialize;

const CORRELATION_ID: &str = "kafka_correlationId";
const REPLY_TOPIC: &str = "kafka_replyTopic";
const REPLY_PARTITION: &str = "kafka_replyPartition";

/// A call that was read from a topic.
#[derive(Debug)]
pub(crate) struct Request {
    /// What the reply will be found by.
    pub(crate) name: String,
    /// `None`: the caller wants no reply.
    pub(crate) reply_to: Option<TopicPartition>,
    pub(crate) call: Call,
    pub(crate) arguments: Bytes,
}

impl Request {
    /// Returns the call that a record carries, if it carries one.
    pub(crate) fn read(record: &ConsumedRecord) -> Option<Request> {
        let (ToServer::Call(call), arguments) = get(record.value.clone()?).ok()? else {
            return None;
        };
        let reply_to = match header(record, REPLY_TOPIC) {
            Some(topic) => Some(TopicPartition {
                topic: TopicName::new(str::from_utf8(topic).ok()?).ok()?,
                partition: partition(header(record, REPLY_PARTITION)?)?,
            }),
            None => None,
        };
        Some(Request {
            name: name(record)?.to_owned(),
            reply_to,
            call,
            arguments,
        })
    }
}

/// Returns the reply that a record carries, with the name of its call, if it carries one.
pub(crate) fn read_reply(record: &ConsumedRecord) -> Option<(&str, Outcome)> {
    let (ToClient::Reply(_, ending), body) = get(record.value.clone()?).ok()? else {
        return None;
    };
    Some((name(record)?, ending.map(|side| (side, body))))
}

/// Returns the value of a record that carries this message and this body.
pub(crate) fn value(message: &impl Serialize, body: &[u8]) -> Vec<u8> {
    let mut frame = Vec::new();
    put(message, body, &mut frame);
    frame.split_off(PREFIX_SIZE)
}

/// Returns the header that names a call.
pub(crate) fn naming(name: &str) -> Header<'_> {
    Header {
        key: CORRELATION_ID,
        value: Some(name.as_bytes()),
    }
}

/// Returns the headers that name a topic for the reply, and its partition.
pub(crate) fn reply_to<'a>(topic: &'a TopicName, partition: &'a [u8; 4]) -> [Header<'a>; 2] {
    let header = |key, value| Header {
        key,
        value: Some(value),
    };
    [
        header(REPLY_TOPIC, topic.as_str().as_bytes()),
        header(REPLY_PARTITION, partition),
    ]
}

fn name(record: &ConsumedRecord) -> Option<&str> {
    str::from_utf8(header(record, CORRELATION_ID)?).ok()
}

fn header<'a>(record: &'a ConsumedRecord, key: &str) -> Option<&'a [u8]> {
    let found = record.headers.iter().find(|(name, _)| name == key);
    found?.1.as_deref()
}

fn partition(bytes: &[u8]) -> Option<PartitionIndex> {
    let index = i32::from_be_bytes(bytes.try_into().ok()?);
    (index >= 0).then_some(PartitionIndex(index))
}
