//! The topics that a producer writes to, and to which partition a record goes.

use std::collections::HashMap;

use client::TopicMetadata;
use message_model::{BrokerId, PartitionIndex, TopicName, TopicPartition};

use crate::part::{Accumulator, Load, Slot, Sticky, choose, partition_of_key};
use crate::record::Record;

/// The topics that records were sent to.
#[derive(Debug, Default)]
pub(crate) struct Topics {
    by_name: HashMap<TopicName, usize>,
    topics: Vec<Topic>,
    /// Of each slot: its topic, and its partition.
    slots: Vec<(usize, TopicPartition)>,
    /// The topic of the last record: most records go where the one before them went.
    last: usize,
}

#[derive(Debug)]
struct Topic {
    name: TopicName,
    partitions: Vec<Partition>,
    sticky: Sticky,
}

#[derive(Debug)]
struct Partition {
    slot: Slot,
    /// As far as is known.
    leader: Option<BrokerId>,
}

/// The partition that was chosen for a record.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Place {
    pub(crate) topic: usize,
    pub(crate) slot: Slot,
    /// The producer chose it, and neither the record nor its key did.
    pub(crate) is_sticky: bool,
}

impl Topics {
    /// The number of a topic that is known.
    pub(crate) fn find(&mut self, name: &TopicName) -> Option<usize> {
        let is_last = |topic: &Topic| topic.name == *name;
        if !self.topics.get(self.last).is_some_and(is_last) {
            self.last = *self.by_name.get(name)?;
        }
        Some(self.last)
    }

    /// The names of all topics.
    pub(crate) fn names(&self) -> Vec<TopicName> {
        self.topics.iter().map(|topic| topic.name.clone()).collect()
    }

    /// Notes what the cluster says of a topic; returns the slots that are new.
    pub(crate) fn learn(
        &mut self,
        name: &TopicName,
        metadata: &TopicMetadata,
        batch_bytes: usize,
    ) -> Vec<Slot> {
        let next = self.topics.len();
        let number = *self.by_name.entry(name.clone()).or_insert(next);
        if number == next {
            self.topics.push(Topic {
                name: name.clone(),
                partitions: Vec::new(),
                sticky: Sticky::new(batch_bytes),
            });
        }
        let mut new = Vec::new();
        for (index, described) in metadata.partitions.iter().enumerate() {
            let partitions = &mut self.topics[number].partitions;
            match partitions.get_mut(index) {
                Some(partition) => partition.leader = described.leader,
                None => {
                    let slot = Slot(self.slots.len());
                    let leader = described.leader;
                    partitions.push(Partition { slot, leader });
                    let index = i32::try_from(index).expect("a topic has below 2³¹ partitions");
                    let partition = TopicPartition {
                        topic: name.clone(),
                        partition: PartitionIndex(index),
                    };
                    self.slots.push((number, partition));
                    new.push(slot);
                }
            }
        }
        new
    }

    /// Chooses the partition of a record; `None` if there is none that it could go to.
    pub(crate) fn choose(
        &mut self,
        topic: usize,
        record: &Record<'_>,
        accumulator: &Accumulator,
    ) -> Option<Place> {
        let Topic {
            partitions, sticky, ..
        } = &mut self.topics[topic];
        let at = |index: PartitionIndex| {
            let index = usize::try_from(index.0).ok()?;
            partitions.get(index).map(|one| one.slot)
        };
        let fixed = |slot| Place {
            topic,
            slot,
            is_sticky: false,
        };
        if let Some(index) = record.partition {
            return at(index).map(fixed);
        }
        let count = u32::try_from(partitions.len())
            .ok()
            .filter(|count| *count > 0)?;
        if let Some(key) = record.key {
            return at(partition_of_key(key, count)).map(fixed);
        }
        let index = sticky.partition(|| choose(&loads(partitions, accumulator), fastrand::u32(..)));
        let slot = at(index)?;
        Some(Place {
            topic,
            slot,
            is_sticky: true,
        })
    }

    /// A record of so many bytes went to the place that [`choose`](Topics::choose) chose.
    pub(crate) fn produced(&mut self, place: Place, bytes: usize, accumulator: &Accumulator) {
        if place.is_sticky {
            let is_between = accumulator.is_between_batches(place.slot);
            self.topics[place.topic].sticky.produced(bytes, is_between);
        }
    }

    pub(crate) fn partition(&self, slot: Slot) -> &TopicPartition {
        &self.slots[slot.0].1
    }

    pub(crate) fn leader(&self, slot: Slot) -> Option<BrokerId> {
        let (topic, partition) = &self.slots[slot.0];
        let index = usize::try_from(partition.partition.0).ok()?;
        self.topics[*topic].partitions.get(index)?.leader
    }

    pub(crate) fn forget_leader(&mut self, slot: Slot) {
        let (topic, partition) = &self.slots[slot.0];
        let index = usize::try_from(partition.partition.0).unwrap_or(usize::MAX);
        if let Some(partition) = self.topics[*topic].partitions.get_mut(index) {
            partition.leader = None;
        }
    }
}

/// The queues of the partitions that have a leader, or of all if none has one.
fn loads(partitions: &[Partition], accumulator: &Accumulator) -> Vec<Load> {
    let load = |(index, partition): (i32, &Partition)| Load {
        partition: PartitionIndex(index),
        queued: u32::try_from(accumulator.queued(partition.slot)).unwrap_or(u32::MAX),
    };
    let has_leader = |one: &(i32, &Partition)| one.1.leader.is_some();
    let led: Vec<Load> = (0..).zip(partitions).filter(has_leader).map(load).collect();
    if led.is_empty() {
        return (0..).zip(partitions).map(load).collect();
    }
    led
}
