//! Topics and their partitions.

use std::fmt;
use std::sync::Arc;

use crate::part::PartitionIndex;

/// The longest topic name, in bytes: a partition's directory is
/// `<topic>-<partition>`, and file systems end at 255.
const NAME_LENGTH_MAX: usize = 249;

/// The name of a topic; cheap to clone.
///
/// Its characters are `a-z A-Z 0-9 . _ -`, so that a name can be a directory's.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TopicName(Arc<str>);

/// Why a string cannot name a topic.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum InvalidTopicName {
    /// The empty string.
    #[error("a topic name must not be empty")]
    Empty,
    /// Longer than a directory's name may be.
    #[error("a topic name has at most {NAME_LENGTH_MAX} bytes")]
    TooLong,
    /// `.` and `..` are not directories of ours.
    #[error("a topic must not be named `.` or `..`")]
    Dots,
    /// A character that is not safe in a directory's name.
    #[error("a topic name consists of a-z, A-Z, 0-9, `.`, `_` and `-`")]
    Character,
}

impl TopicName {
    /// Checks `name` and takes a copy of it.
    ///
    /// # Errors
    /// When the name is empty, too long, `.`, `..` or has other characters than the type says.
    pub fn new(name: &str) -> Result<TopicName, InvalidTopicName> {
        match name {
            "" => Err(InvalidTopicName::Empty),
            "." | ".." => Err(InvalidTopicName::Dots),
            name if name.len() > NAME_LENGTH_MAX => Err(InvalidTopicName::TooLong),
            name if !name.bytes().all(is_allowed) => Err(InvalidTopicName::Character),
            name => Ok(TopicName(name.into())),
        }
    }

    /// The name as text.
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
    /// The topic.
    pub topic: TopicName,
    /// The partition's index in it.
    pub partition: PartitionIndex,
}

impl fmt::Display for TopicPartition {
    /// `<topic>-<partition>`, which is also the name of its directory.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}-{}", self.topic, self.partition)
    }
}
