//! What one group has committed.

use std::collections::BTreeMap;

use message_model::{Offset, TopicName};

use crate::records::OffsetValue;

/// What an entry costs beside its metadata, in bytes: its value, and its places in two maps.
const ENTRY: usize = 168;

/// A value, and the offset of its record in the log.
#[derive(Debug)]
struct Written {
    value: OffsetValue,
    at: Offset,
}

/// The committed offsets of one group, by topic and partition.
#[derive(Debug, Default)]
pub(crate) struct Offsets {
    by_topic: BTreeMap<TopicName, BTreeMap<i32, Written>>,
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
        let written = self.by_topic.get(topic)?.get(&partition)?;
        Some(&written.value)
    }

    /// Returns the partitions of each topic, both in order.
    pub(crate) fn topics(
        &self,
    ) -> impl Iterator<Item = (&TopicName, impl Iterator<Item = (i32, &OffsetValue)>)> {
        self.by_topic.iter().map(|(topic, partitions)| {
            let partitions = partitions.iter();
            (
                topic,
                partitions.map(|(partition, one)| (*partition, &one.value)),
            )
        })
    }

    /// Returns all, in order.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (&TopicName, i32, &OffsetValue)> {
        self.topics().flat_map(|(topic, partitions)| {
            partitions.map(move |(partition, value)| (topic, partition, value))
        })
    }

    /// Puts `value`, whose record is at `at`, in the place of what was committed for a
    /// partition; `None` removes it.
    pub(crate) fn set(
        &mut self,
        topic: &TopicName,
        partition: i32,
        value: Option<OffsetValue>,
        at: Offset,
    ) {
        let added = value.as_ref().map_or(0, cost);
        let before = match value {
            Some(value) => {
                let partitions = self.by_topic.entry(topic.clone()).or_default();
                partitions.insert(partition, Written { value, at })
            }
            None => self.remove(topic, partition),
        };
        self.bytes = self.bytes + added - before.as_ref().map_or(0, |one| cost(&one.value));
    }

    /// Puts all of `others` in the place of what was committed. What was written behind the
    /// record of one of them stays: the log keeps the newest record, too.
    pub(crate) fn take_over(&mut self, others: Offsets) {
        for (topic, partitions) in others.by_topic {
            for (partition, Written { value, at }) in partitions {
                let there = self.by_topic.get(&topic);
                let there = there.and_then(|partitions| partitions.get(&partition));
                if there.is_none_or(|there| there.at < at) {
                    self.set(&topic, partition, Some(value), at);
                }
            }
        }
    }

    fn remove(&mut self, topic: &TopicName, partition: i32) -> Option<Written> {
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
