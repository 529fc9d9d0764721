//! One partition's answer out of those that a broker gives together.

use message_model::TopicPartition;
use wire_protocol::ErrorCode;
use wire_protocol::message::{
    FetchPartitionResponse, FetchTopicResponse, ListOffsetsPartitionResponse,
    ListOffsetsTopicResponse, ProducePartitionResponse, ProduceTopicResponse,
};

use crate::error::{Error, check};

/// A topic of an answer.
pub(crate) trait TopicAnswer {
    /// One of its partitions.
    type Partition: PartitionAnswer;
    /// The topic's name, and all of its partitions.
    fn open(self) -> (String, Vec<Self::Partition>);
}

/// A partition of an answer.
pub(crate) trait PartitionAnswer {
    /// Its index, and whether it went well.
    fn judge(&self) -> (i32, ErrorCode);
}

/// The answer about `of`.
///
/// # Errors
/// [`Error::Broker`] with the partition's error code; [`Error::Incomplete`] if the
/// answer lacks the partition.
pub(crate) fn of_partition<T: TopicAnswer>(
    of: &TopicPartition,
    topics: Vec<T>,
) -> Result<T::Partition, Error> {
    let partition = topics
        .into_iter()
        .map(T::open)
        .filter(|(name, _)| name == of.topic.as_str())
        .flat_map(|(_, partitions)| partitions)
        .find(|partition| partition.judge().0 == of.partition.0)
        .ok_or(Error::Incomplete)?;
    check(partition.judge().1)?;
    Ok(partition)
}

macro_rules! answers {
    ($( $topic:ident.$name:ident => $partition:ident.$index:ident; )*) => {$(
        impl TopicAnswer for $topic {
            type Partition = $partition;
            fn open(self) -> (String, Vec<$partition>) {
                (self.$name, self.partitions)
            }
        }

        impl PartitionAnswer for $partition {
            fn judge(&self) -> (i32, ErrorCode) {
                (self.$index, self.error_code)
            }
        }
    )*};
}

answers! {
    ProduceTopicResponse.name => ProducePartitionResponse.index;
    FetchTopicResponse.topic => FetchPartitionResponse.partition_index;
    ListOffsetsTopicResponse.name => ListOffsetsPartitionResponse.partition_index;
}
