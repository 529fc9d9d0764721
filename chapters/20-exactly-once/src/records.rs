//! The records of `__transaction_state`, in Kafka's own format.
//!
//! # On disk
//! Key: version `i16`, 0 | transactional id string.
//! Value, version 0: version `i16` | producer id `i64` | producer epoch `i16` | timeout `i32` |
//! state `i8` | topics, or null if nothing was begun: name string, partitions `i32` each |
//! updated `i64` | started `i64`. A null value is a tombstone: the transactional id is deleted.
//! All integers are big-endian, strings have an `i16` length, lists an `i32` count. Times are
//! milliseconds. Version 1 says the same with compact lengths, and more in tagged fields.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use message_model::{
    PartitionIndex, ProducerEpoch, ProducerId, Timestamp, TopicName, TopicPartition,
};
use wire_protocol::{Malformed, Reader, put};

use crate::part::{Instance, State, TransactionMetadata};

/// The longest transactional id that a record can hold, in bytes.
pub(crate) const ID_MAX: usize = 32_767;

const KEY_VERSION: i16 = 0;
const VALUE_VERSION: i16 = 0;
/// The last version that is known; it is flexible.
const LAST_VERSION: i16 = 1;
/// The fewest bytes of a topic: an empty name and no partitions, in the shorter form.
const TOPIC_SIZE_MIN: usize = 2;

/// Why a record of `__transaction_state` cannot be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Unreadable {
    /// It is cut off, or a length in it is wrong.
    #[error(transparent)]
    Malformed(#[from] Malformed),
    /// Its key or value is of a version that is not known.
    #[error("version {0} is not known")]
    Version(i16),
    /// There is no such state.
    #[error("no transaction has the state {0}")]
    State(i8),
    /// It names a topic that cannot exist.
    #[error("no topic can have such a name")]
    TopicName,
}

/// A transactional id as a record has it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stored {
    /// The transactional id.
    pub id: Arc<str>,
    /// What is stored of it; `None` if it was deleted.
    pub metadata: Option<TransactionMetadata>,
}

impl Stored {
    /// Returns the record's key and value as bytes.
    ///
    /// # Panics
    /// When the transactional id is longer than an `i16` can say, or the state is `Dead`:
    /// neither is ever to be written.
    #[must_use]
    pub fn encode(&self) -> (Vec<u8>, Option<Vec<u8>>) {
        assert!(self.id.len() <= ID_MAX, "{} bytes of an id", self.id.len());
        let mut key = KEY_VERSION.to_be_bytes().to_vec();
        put::nullable_string(&mut key, Some(&self.id));
        (key, self.metadata.as_ref().map(encode_value))
    }

    /// Reads a record.
    ///
    /// # Errors
    /// When key or value are cut off, or say what cannot be.
    pub fn decode(key: Option<&[u8]>, value: Option<&[u8]>) -> Result<Stored, Unreadable> {
        let mut key = Reader::new(key.unwrap_or_default());
        let version = key.i16()?;
        if version != KEY_VERSION {
            return Err(Unreadable::Version(version));
        }
        let id = key.nullable_string()?.ok_or(Malformed::UnexpectedNull)?;
        Ok(Stored {
            id: id.into(),
            metadata: value.map(decode_value).transpose()?,
        })
    }
}

fn encode_value(metadata: &TransactionMetadata) -> Vec<u8> {
    let mut out = VALUE_VERSION.to_be_bytes().to_vec();
    out.extend(metadata.producer.id.0.to_be_bytes());
    out.extend(metadata.producer.epoch.0.to_be_bytes());
    let timeout = i32::try_from(metadata.timeout.as_millis()).unwrap_or(i32::MAX);
    out.extend(timeout.to_be_bytes());
    out.extend(number(metadata.state).to_be_bytes());
    let mut topics: BTreeMap<&TopicName, Vec<i32>> = BTreeMap::new();
    for one in &metadata.partitions {
        topics.entry(&one.topic).or_default().push(one.partition.0);
    }
    let count = (metadata.state != State::Empty).then_some(topics.len());
    put::length(&mut out, count);
    for (topic, partitions) in topics {
        put::nullable_string(&mut out, Some(topic.as_str()));
        put::length(&mut out, Some(partitions.len()));
        for partition in partitions {
            out.extend(partition.to_be_bytes());
        }
    }
    out.extend(metadata.updated.0.to_be_bytes());
    out.extend(metadata.started.0.to_be_bytes());
    out
}

fn decode_value(bytes: &[u8]) -> Result<TransactionMetadata, Unreadable> {
    let mut bytes = Reader::new(bytes);
    let version = bytes.i16()?;
    if !(0..=LAST_VERSION).contains(&version) {
        return Err(Unreadable::Version(version));
    }
    let is_flexible = version == LAST_VERSION;
    let producer = Instance {
        id: ProducerId(bytes.i64()?),
        epoch: ProducerEpoch(bytes.i16()?),
    };
    let timeout = bytes.i32()?;
    let state = state(bytes.i8()?)?;
    let partitions = decode_partitions(&mut bytes, is_flexible)?;
    let metadata = TransactionMetadata {
        producer,
        previous: ProducerId::NONE,
        timeout: Duration::from_millis(u64::try_from(timeout).unwrap_or(0)),
        state,
        partitions,
        updated: Timestamp(bytes.i64()?),
        started: Timestamp(bytes.i64()?),
    };
    if is_flexible {
        bytes.skip_tagged_fields()?;
    }
    Ok(metadata)
}

fn decode_partitions(
    bytes: &mut Reader<'_>,
    is_flexible: bool,
) -> Result<BTreeSet<TopicPartition>, Unreadable> {
    let count = |bytes: &mut Reader<'_>, size_min| match is_flexible {
        true => bytes.compact_array_length(size_min),
        false => bytes.array_length(size_min),
    };
    let mut all = BTreeSet::new();
    for _ in 0..count(bytes, TOPIC_SIZE_MIN)?.unwrap_or(0) {
        let topic = match is_flexible {
            true => bytes.compact_nullable_string()?,
            false => bytes.nullable_string()?,
        };
        let topic = topic.ok_or(Malformed::UnexpectedNull)?;
        let topic = TopicName::new(topic).map_err(|_| Unreadable::TopicName)?;
        for _ in 0..count(bytes, 4)?.ok_or(Malformed::UnexpectedNull)? {
            all.insert(TopicPartition {
                topic: topic.clone(),
                partition: PartitionIndex(bytes.i32()?),
            });
        }
        if is_flexible {
            bytes.skip_tagged_fields()?;
        }
    }
    Ok(all)
}

fn number(state: State) -> i8 {
    match state {
        State::Empty => 0,
        State::Ongoing => 1,
        State::PrepareCommit => 2,
        State::PrepareAbort => 3,
        State::CompleteCommit => 4,
        State::CompleteAbort => 5,
        State::Dead => panic!("a transactional id that is dead is not written"),
    }
}

fn state(number: i8) -> Result<State, Unreadable> {
    Ok(match number {
        0 => State::Empty,
        1 => State::Ongoing,
        2 => State::PrepareCommit,
        3 => State::PrepareAbort,
        4 => State::CompleteCommit,
        5 => State::CompleteAbort,
        number => return Err(Unreadable::State(number)),
    })
}
