//! The nouns of the queue: what a record is addressed by, and when.
//!
//! Every later chapter speaks in these types. They are Kafka's nouns, and each
//! is a newtype, so that an offset cannot be passed where a partition is asked
//! for, and a wall-clock time cannot be compared with a stopwatch reading.
//!
//! Start reading at [`Offset`], then [`TopicPartition`], then [`Moment`].

mod id;
mod offset;
mod time;
mod topic;

pub use id::{BrokerId, LeaderEpoch, ProducerEpoch, ProducerId};
pub use offset::{Offset, OffsetRange};
pub use time::{Moment, Timestamp};
pub use topic::{InvalidTopicName, PartitionIndex, TopicName, TopicPartition};
