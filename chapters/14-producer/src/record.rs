//! A record that a producer sends.

use message_model::{PartitionIndex, Timestamp};
use record_batch::Header;

/// A record to send; it is copied once, into its batch.
#[derive(Debug, Clone, Copy, Default)]
pub struct Record<'a> {
    /// Where it goes; `None`: the key decides, or if there is none, the producer does.
    pub partition: Option<PartitionIndex>,
    /// When it happened; `None`: now.
    pub timestamp: Option<Timestamp>,
    /// The key: it decides about the partition, and in a compacted topic what it replaces.
    pub key: Option<&'a [u8]>,
    /// The value; `None`, null, deletes the key in a compacted topic.
    pub value: Option<&'a [u8]>,
    /// Names with values beside these, which brokers do not look at.
    pub headers: &'a [Header<'a>],
}

impl<'a> Record<'a> {
    /// Returns a record with nothing but a value.
    #[must_use]
    pub fn of_value(value: &'a [u8]) -> Record<'a> {
        Record {
            value: Some(value),
            ..Record::default()
        }
    }

    /// Returns a record with a key and a value.
    #[must_use]
    pub fn of_key(key: &'a [u8], value: &'a [u8]) -> Record<'a> {
        Record {
            key: Some(key),
            value: Some(value),
            ..Record::default()
        }
    }
}
