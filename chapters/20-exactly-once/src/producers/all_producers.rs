//! The producers of all partitions of a broker.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use broker::{ProducerRules, Producers};
use message_model::TopicPartition;

use super::partition_producers::PartitionProducers;
use super::room::Room;
use super::rules::Rules;

/// What holds for producers, and how many are known.
#[derive(Debug, Clone)]
pub struct ProducerSettings {
    /// The rules that hold.
    pub rules: Rules,
    /// `producer.id.expiration.ms`: a producer that is silent for as long is forgotten.
    pub expiration: Duration,
    /// `mqd.producers.max`: so many producers are known in all partitions together, a
    /// producer counted once for each partition. For one more, the one is forgotten that is
    /// silent for the longest time. One with an open transaction is not: those take half of
    /// the room at most, and a transaction that would take more is refused.
    pub producers_max: usize,
}

impl Default for ProducerSettings {
    fn default() -> ProducerSettings {
        ProducerSettings {
            rules: Rules::ALL,
            expiration: Duration::from_hours(24),
            producers_max: 100_000,
        }
    }
}

/// The producers of all partitions.
#[derive(Debug)]
pub struct AllProducers {
    settings: ProducerSettings,
    room: Arc<Room>,
}

impl AllProducers {
    /// Of partitions that know none yet.
    #[must_use]
    pub fn new(settings: ProducerSettings) -> AllProducers {
        let room = Arc::new(Room::new(settings.producers_max));
        AllProducers { settings, room }
    }
}

impl ProducerRules for AllProducers {
    fn of_partition(&self, _partition: &TopicPartition) -> Box<dyn Producers> {
        let producers = PartitionProducers::new(&self.settings, &self.room);
        Box::new(producers)
    }

    fn transactions_known(&self, are_known: bool) {
        self.room
            .transactions_known
            .store(are_known, Ordering::Relaxed);
    }
}
