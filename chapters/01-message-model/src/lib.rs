//! The nouns of the queue, and a model of the whole queue in memory.
//!
//! Every later chapter uses these types. They are Kafka's nouns, and each is a
//! newtype: an offset cannot be passed where a partition is asked for, and a
//! wall-clock time cannot be compared with a stopwatch reading.
//!
//! [`Topic`] is a queue without files, sockets or threads: what partitions,
//! groups and acks mean, before the queue becomes durable and fast. [`AckWindow`]
//! lets several workers share a partition, [`TokenBucket`] limits a rate.
//!
//! The part contains the three nouns that are in its own signatures, because this
//! chapter is built on its part, as every chapter is.
//!
//! Start reading at [`Offset`], then [`TopicPartition`], then [`Moment`], then [`Topic`].

mod id;
mod offset;
mod part;
mod time;
mod topic;

pub use id::{BrokerId, LeaderEpoch, ProducerEpoch, ProducerId};
pub use offset::OffsetRange;
pub use part::{
    AckWindow, ConsumerId, Delivery, Lag, Moment, Offset, PartitionIndex, PublishError,
    TokenBucket, Topic,
};
pub use time::Timestamp;
pub use topic::{InvalidTopicName, TopicName, TopicPartition};
