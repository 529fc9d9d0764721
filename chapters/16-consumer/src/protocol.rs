//! What members of a group say to its leader, and the leader to them: the bytes that the
//! coordinator passes on unread.
//!
//! ```text
//! subscription:  version i16 · topics [string] · user data bytes?
//!                · from 1: owned [topic string · partitions [i32]]
//!                · from 2: generation i32 · from 3: rack string?
//! assignment:    version i16 · assigned [topic string · partitions [i32]] · user data bytes?
//! ```
//!
//! A later version has the same fields in front, so what follows them is passed over.

use std::collections::{BTreeMap, BTreeSet};

use bytes::Bytes;
use message_model::{PartitionIndex, TopicName, TopicPartition};
use wire_protocol::{Malformed, Reader, put};

/// The version that is written: the Java client 4 and librdkafka read it, and so does
/// everything before them, which passes over what it does not know.
const VERSION: i16 = 3;

/// What a member says about itself when it joins.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Subscription {
    /// The topics that it reads. Names that no topic can have are kept: they have no
    /// partitions.
    pub topics: BTreeSet<String>,
    /// What it says to the assignor.
    pub user_data: Option<Bytes>,
    /// What it owns while it joins.
    pub owned: BTreeSet<TopicPartition>,
    /// The generation in which it got them; −1 if it does not say.
    pub generation: i32,
    /// The rack that the member runs in, as its settings say.
    pub rack: Option<String>,
}

impl Subscription {
    /// Returns the bytes.
    #[must_use]
    pub fn write(&self) -> Bytes {
        let mut out = Vec::new();
        out.extend(VERSION.to_be_bytes());
        put::length(&mut out, Some(self.topics.len()));
        for topic in &self.topics {
            put::nullable_string(&mut out, Some(topic));
        }
        write_bytes(&mut out, self.user_data.as_ref());
        write_partitions(&mut out, &self.owned);
        out.extend(self.generation.to_be_bytes());
        put::nullable_string(&mut out, self.rack.as_deref());
        out.into()
    }

    /// Reads what a member of any client wrote.
    ///
    /// # Errors
    /// When the bytes end too early, or a length is none.
    pub fn read(bytes: &[u8]) -> Result<Subscription, Malformed> {
        let mut reader = Reader::new(bytes);
        let version = reader.i16()?;
        let mut subscription = Subscription {
            topics: BTreeSet::new(),
            user_data: None,
            owned: BTreeSet::new(),
            generation: -1,
            rack: None,
        };
        for _ in 0..reader.i32()?.max(0) {
            let topic = reader.nullable_string()?.unwrap_or_default();
            subscription.topics.insert(topic.to_owned());
        }
        subscription.user_data = read_bytes(&mut reader)?;
        if version >= 1 {
            subscription.owned = read_partitions(&mut reader)?;
        }
        if version >= 2 {
            subscription.generation = reader.i32()?;
        }
        if version >= 3 {
            subscription.rack = reader.nullable_string()?.map(str::to_owned);
        }
        Ok(subscription)
    }

    /// Returns what the member owns, or owned before it joined, and in which generation.
    /// The sticky assignor of Java and librdkafka has it in `user_data`, and so has the
    /// generation of cooperative members before version 2.
    #[must_use]
    pub fn claims(&self) -> (BTreeSet<TopicPartition>, i32) {
        let Some(user_data) = &self.user_data else {
            return (self.owned.clone(), self.generation);
        };
        if user_data.len() == size_of::<i32>() {
            let generation = Reader::new(user_data).i32().unwrap_or(-1);
            let known = if self.generation < 0 {
                generation
            } else {
                self.generation
            };
            return (self.owned.clone(), known);
        }
        match read_claims(user_data) {
            Ok((had, generation)) if self.owned.is_empty() => (had, generation),
            _ => (self.owned.clone(), self.generation),
        }
    }
}

/// Returns the bytes that say to a member which partitions it has.
#[must_use]
pub fn write_assignment(partitions: &BTreeSet<TopicPartition>) -> Bytes {
    let mut out = Vec::new();
    out.extend(VERSION.to_be_bytes());
    write_partitions(&mut out, partitions);
    write_bytes(&mut out, None);
    out.into()
}

/// Reads which partitions this member has. No bytes at all are none: the leader has not
/// mentioned the member.
///
/// # Errors
/// When the bytes end too early, or a length is none.
pub fn read_assignment(bytes: &[u8]) -> Result<BTreeSet<TopicPartition>, Malformed> {
    if bytes.is_empty() {
        return Ok(BTreeSet::new());
    }
    let mut reader = Reader::new(bytes);
    reader.i16()?;
    read_partitions(&mut reader)
}

/// Returns what the sticky assignor is told: what a member had, and since when.
pub(crate) fn write_claims(had: &BTreeSet<TopicPartition>, generation: Option<i32>) -> Bytes {
    let mut out = Vec::new();
    write_partitions(&mut out, had);
    out.extend(generation.into_iter().flat_map(i32::to_be_bytes));
    out.into()
}

fn read_claims(bytes: &[u8]) -> Result<(BTreeSet<TopicPartition>, i32), Malformed> {
    let mut reader = Reader::new(bytes);
    let had = read_partitions(&mut reader)?;
    Ok((had, reader.i32().unwrap_or(-1)))
}

fn write_partitions(out: &mut Vec<u8>, partitions: &BTreeSet<TopicPartition>) {
    let mut topics: BTreeMap<&TopicName, Vec<i32>> = BTreeMap::new();
    for partition in partitions {
        let indexes = topics.entry(&partition.topic).or_default();
        indexes.push(partition.partition.0);
    }
    put::length(out, Some(topics.len()));
    for (topic, indexes) in topics {
        put::nullable_string(out, Some(topic.as_str()));
        put::length(out, Some(indexes.len()));
        for index in indexes {
            out.extend(index.to_be_bytes());
        }
    }
}

fn read_partitions(reader: &mut Reader<'_>) -> Result<BTreeSet<TopicPartition>, Malformed> {
    let mut partitions = BTreeSet::new();
    for _ in 0..reader.i32()?.max(0) {
        let topic = TopicName::new(reader.nullable_string()?.unwrap_or_default());
        for _ in 0..reader.i32()?.max(0) {
            let partition = PartitionIndex(reader.i32()?);
            // No topic has such a name: there is no such partition.
            if let Ok(topic) = topic.clone() {
                partitions.insert(TopicPartition { topic, partition });
            }
        }
    }
    Ok(partitions)
}

fn write_bytes(out: &mut Vec<u8>, bytes: Option<&Bytes>) {
    put::length(out, bytes.map(Bytes::len));
    out.extend(bytes.into_iter().flatten());
}

fn read_bytes(reader: &mut Reader<'_>) -> Result<Option<Bytes>, Malformed> {
    let Ok(length) = usize::try_from(reader.i32()?) else {
        return Ok(None);
    };
    Ok(Some(Bytes::copy_from_slice(reader.take(length)?)))
}
