//! What one group has committed.

use std::collections::BTreeMap;

use message_model::TopicName;

use crate::records::OffsetValue;

/// What an entry costs beside its metadata, in bytes: its value, and its places in two maps.
const ENTRY: usize = 160;

/// The committed offsets of one group, by topic and partition.
#[derive(Debug, Default)]
pub(crate) struct Offsets {
    by_topic: BTreeMap<TopicName, BTreeMap<i32, OffsetValue>>,
    bytes: usize,
}

impl Offsets {
    pub(crate) fn is_empty(&self) -> bool {
        self.by_topic.is_empty()
    }

    /// Returns about how many bytes of memory they take.
    pub(crate) fn bytes(&self) -> usize {
        self.bytes
    }

    /// Returns what was committed for a partition.
    pub(crate) fn get(&self, topic: &TopicName, partition: i32) -> Option<&OffsetValue> {
        self.by_topic.get(topic)?.get(&partition)
    }

    /// Returns the partitions of each topic, both in order.
    pub(crate) fn topics(&self) -> impl Iterator<Item = (&TopicName, &BTreeMap<i32, OffsetValue>)> {
        self.by_topic.iter()
    }

    /// Returns all, in order.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (&TopicName, i32, &OffsetValue)> {
        self.topics().flat_map(|(topic, partitions)| {
            let partitions = partitions.iter();
            partitions.map(move |(partition, value)| (topic, *partition, value))
        })
    }

    /// Puts `value` in the place of what was committed for a partition; `None` removes it.
    pub(crate) fn set(&mut self, topic: &TopicName, partition: i32, value: Option<OffsetValue>) {
        let added = value.as_ref().map_or(0, cost);
        let before = match value {
            Some(value) => {
                let partitions = self.by_topic.entry(topic.clone()).or_default();
                partitions.insert(partition, value)
            }
            None => self.remove(topic, partition),
        };
        self.bytes = self.bytes + added - before.as_ref().map_or(0, cost);
    }

    fn remove(&mut self, topic: &TopicName, partition: i32) -> Option<OffsetValue> {
        let partitions = self.by_topic.get_mut(topic)?;
        let removed = partitions.remove(&partition);
        if partitions.is_empty() {
            self.by_topic.remove(topic);
        }
        removed
    }
}

/// Returns about how many bytes of memory `value` takes.
pub(crate) fn cost(value: &OffsetValue) -> usize {
    ENTRY + value.metadata.len()
}
