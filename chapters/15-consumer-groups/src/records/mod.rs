//! The records of `__consumer_offsets`, in Kafka's own formats.
//!
//! # On disk
//! A key begins with its type as `i16`: 0 or 1 is a committed offset, 2 is a group.
//! A value begins with its version as `i16`. A null value is a tombstone: the offset or
//! the group is deleted. All integers are big-endian, strings have an `i16` length.

mod codec;
mod group;
mod offset;

use std::sync::Arc;

use message_model::TopicName;

pub use codec::Unreadable;
pub use group::GroupValue;
pub use offset::OffsetValue;

use codec::{Input, put_string};

const OFFSET_KEY: i16 = 1;
const GROUP_KEY: i16 = 2;

/// A record that was read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Stored {
    /// A committed offset; `None` if it was deleted.
    Offset {
        /// The group's id.
        group: Arc<str>,
        /// The partition's topic.
        topic: TopicName,
        /// The partition's index.
        partition: i32,
        /// What was committed.
        value: Option<OffsetValue>,
    },
    /// A group; `None` if it was deleted.
    Group {
        /// The group's id.
        group: Arc<str>,
        /// What was stored.
        value: Option<GroupValue>,
    },
    /// Of a type that a newer broker has written.
    Unknown,
}

impl Stored {
    /// Returns the record's key and value as bytes.
    ///
    /// # Panics
    /// When a string is longer than an `i16` can say, or for [`Stored::Unknown`]: neither is
    /// ever to be written.
    #[must_use]
    pub fn encode(&self) -> (Vec<u8>, Option<Vec<u8>>) {
        let mut key = Vec::new();
        let value = match self {
            Stored::Offset {
                group,
                topic,
                partition,
                value,
            } => {
                key.extend(OFFSET_KEY.to_be_bytes());
                put_string(&mut key, Some(group));
                put_string(&mut key, Some(topic.as_str()));
                key.extend(partition.to_be_bytes());
                value.as_ref().map(OffsetValue::encode)
            }
            Stored::Group { group, value } => {
                key.extend(GROUP_KEY.to_be_bytes());
                put_string(&mut key, Some(group));
                value.as_ref().map(GroupValue::encode)
            }
            Stored::Unknown => panic!("a record of an unknown type is not written"),
        };
        (key, value)
    }

    /// Reads a record.
    ///
    /// # Errors
    /// When key or value are cut off, or of a version that is not known.
    pub fn decode(key: Option<&[u8]>, value: Option<&[u8]>) -> Result<Stored, Unreadable> {
        let mut input = Input::new(key.unwrap_or_default());
        let stored = match input.i16()? {
            0 | OFFSET_KEY => Stored::Offset {
                group: input.string()?.into(),
                topic: TopicName::new(input.string()?).map_err(|_| Unreadable::TopicName)?,
                partition: input.i32()?,
                value: value.map(OffsetValue::decode).transpose()?,
            },
            GROUP_KEY => Stored::Group {
                group: input.string()?.into(),
                value: value.map(GroupValue::decode).transpose()?,
            },
            _ => Stored::Unknown,
        };
        Ok(stored)
    }
}
