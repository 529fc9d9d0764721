//! Names of topics and of their partitions.

use std::fmt;
use std::sync::Arc;

use crate::part::PartitionIndex;

/// The longest topic name, in bytes: a partition's directory is
/// `<topic>-<partition>`, and file systems end at 255.
const NAME_LENGTH_MAX: usize = 249;

/// The name of a topic; cheap to clone.
///
/// Its characters are `a-z A-Z 0-9 . _ -`, so that it can be part of a directory's name.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TopicName(Arc<str>);

/// Why a string cannot name a topic.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum InvalidTopicName {
    /// The name is empty.
    #[error("a topic name must not be empty")]
    Empty,
    /// The partitions' directories would have longer names than a file system allows.
    #[error("a topic name has at most {NAME_LENGTH_MAX} bytes")]
    TooLong,
    /// The name is `.` or `..`, which name directories that exist.
    #[error("a topic must not be named `.` or `..`")]
    Dots,
    /// The name has a character that is not safe in a directory's name.
    #[error("a topic name consists of a-z, A-Z, 0-9, `.`, `_` and `-`")]
    Character,
}

impl TopicName {
    /// Returns the name, copied, if a topic can have it.
    ///
    /// # Errors
    /// If the name is empty, too long, `.`, `..` or has other characters than the type allows.
    pub fn new(name: &str) -> Result<TopicName, InvalidTopicName> {
        match name {
            "" => Err(InvalidTopicName::Empty),
            "." | ".." => Err(InvalidTopicName::Dots),
            name if name.len() > NAME_LENGTH_MAX => Err(InvalidTopicName::TooLong),
            name if !name.bytes().all(is_allowed) => Err(InvalidTopicName::Character),
            name => Ok(TopicName(name.into())),
        }
    }

    /// Returns the name as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

fn is_allowed(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'_' | b'-')
}

impl fmt::Display for TopicName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for TopicName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.0, f)
    }
}

/// One partition of one topic: the unit of order, storage and parallelism.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TopicPartition {
    /// The name of the topic.
    pub topic: TopicName,
    /// The number of the partition in the topic.
    pub partition: PartitionIndex,
}

impl fmt::Display for TopicPartition {
    /// Writes `<topic>-<partition>`, which is also the name of the partition's directory.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}-{}", self.topic, self.partition)
    }
}
