//! A topic in memory: partitions that keep messages, groups that consume them.

use std::collections::BTreeMap;
use std::fmt;

use crate::{Offset, PartitionIndex};

/// A consumer of a group: a process or a thread that polls.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ConsumerId(pub u32);

/// A message that one consumer of a group has in hand until it acks it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Delivery<'a, M> {
    /// The partition that the message is in.
    pub partition: PartitionIndex,
    /// The message's position in the partition.
    pub offset: Offset,
    /// The message as it was published.
    pub message: &'a M,
}

/// The number of messages that a group has not acked yet.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Lag(pub usize);

/// Why a message was not published.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PublishError {
    /// The topic has no partition of this index.
    NoSuchPartition,
    /// The partition has `messages_max` messages already.
    Full,
}

// ANCHOR: state
/// A topic in memory.
///
/// # Invariants
/// - A group gets every message, however many other groups have had it.
/// - One consumer of a group at a time has a message of a partition in hand, and
///   only one. So the consumers work on a partition's messages in their order.
/// - Only an ack moves a group on. What was handed out and not acked is handed out again.
#[derive(Debug, Clone)]
pub struct Topic<M> {
    /// Per partition: its messages; the first one has offset 0.
    partitions: Vec<Vec<M>>,
    /// The most messages of a partition.
    messages_max: usize,
    groups: BTreeMap<String, Group>,
}

#[derive(Debug, Clone)]
struct Group {
    /// Per partition: how far this group has come.
    cursors: Vec<Cursor>,
    /// The partition whose turn it is: behind the one that the group last got a new
    /// message from. One beyond the last partition means partition 0.
    turn: usize,
}

#[derive(Debug, Clone, Copy, Default)]
struct Cursor {
    /// The index, among the partition's messages, of the first one that is not acked.
    next: usize,
    /// The consumer that has that message in hand.
    in_hand_of: Option<ConsumerId>,
}
// ANCHOR_END: state

impl<M> Topic<M> {
    /// A topic of `partitions` partitions, with room for `messages_max` messages in each.
    #[must_use]
    pub fn new(partitions: u16, messages_max: usize) -> Topic<M> {
        Topic {
            partitions: (0..partitions).map(|_| Vec::new()).collect(),
            messages_max,
            groups: BTreeMap::new(),
        }
    }

    /// Adds a group, which begins at the first message of every partition. A group
    /// that exists keeps its cursors.
    pub fn subscribe(&mut self, group: &str) {
        let cursors = vec![Cursor::default(); self.partitions.len()];
        self.groups
            .entry(group.to_owned())
            .or_insert(Group { cursors, turn: 0 });
    }

    /// Returns the offset that `message` has got at the end of `partition`.
    ///
    /// # Errors
    /// If there is no such partition, or it is full.
    pub fn publish(
        &mut self,
        partition: PartitionIndex,
        message: M,
    ) -> Result<Offset, PublishError> {
        let messages = usize::try_from(partition.0)
            .ok()
            .and_then(|index| self.partitions.get_mut(index))
            .ok_or(PublishError::NoSuchPartition)?;
        if messages.len() >= self.messages_max {
            return Err(PublishError::Full);
        }
        let offset = offset_of(messages.len());
        messages.push(message);
        Ok(offset)
    }

    /// Returns the message that `consumer` has in hand from now on; `None` if there is
    /// none for it, or no such group.
    ///
    /// - A consumer that has a message in hand gets the same message again. That
    ///   moves no turn.
    /// - Any other consumer gets a new one: the first un-acked message of a partition
    ///   of which no consumer of the group has a message in hand. The partitions
    ///   take turns in a circle: the poll looks first at the partition behind the one
    ///   that the group last got a new message from. A poll that returns `None` moves
    ///   no turn.
    pub fn poll(&mut self, group: &str, consumer: ConsumerId) -> Option<Delivery<'_, M>> {
        // task 1.1: the message that this consumer gets, so that no consumer and no partition waits for ever
        todo!(
            "1.1: the message that this consumer gets, so that no consumer and no partition waits for ever"
        )
        // end
    }

    /// Returns whether `consumer` has that message in hand. If so the message is done,
    /// and the group goes on to the next one of the partition; if not, nothing changes.
    // ANCHOR: ack
    pub fn ack(
        &mut self,
        group: &str,
        consumer: ConsumerId,
        partition: PartitionIndex,
        offset: Offset,
    ) -> bool {
        let cursor = usize::try_from(partition.0)
            .ok()
            .and_then(|index| self.groups.get_mut(group)?.cursors.get_mut(index))
            .filter(|cursor| cursor.in_hand_of == Some(consumer))
            .filter(|cursor| offset_of(cursor.next) == offset);
        let Some(cursor) = cursor else {
            return false;
        };
        cursor.next += 1;
        cursor.in_hand_of = None;
        true
    }
    // ANCHOR_END: ack

    /// Takes from `consumer`, which has died or gone, what it has in hand: the others
    /// get it again.
    pub fn leave(&mut self, group: &str, consumer: ConsumerId) {
        let cursors = self.groups.get_mut(group).map(|group| &mut group.cursors);
        for cursor in cursors.into_iter().flatten() {
            cursor.in_hand_of = cursor.in_hand_of.filter(|holder| *holder != consumer);
        }
    }

    /// Returns how far `group` is behind the ends of the partitions; `None` if there is
    /// no such group.
    #[must_use]
    pub fn lag(&self, group: &str) -> Option<Lag> {
        let cursors = &self.groups.get(group)?.cursors;
        let behind = self.partitions.iter().zip(cursors);
        Some(Lag(behind
            .map(|(messages, cursor)| messages.len() - cursor.next)
            .sum()))
    }

    /// Returns message `next` of partition `at`. Both exist.
    fn delivery(&self, at: usize, next: usize) -> Delivery<'_, M> {
        Delivery {
            partition: PartitionIndex(i32::try_from(at).expect("there are at most 65,535")),
            offset: offset_of(next),
            message: &self.partitions[at][next],
        }
    }
}

fn offset_of(index: usize) -> Offset {
    Offset(i64::try_from(index).expect("memory ends far below i64::MAX messages"))
}

impl fmt::Display for Lag {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl fmt::Display for PublishError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            PublishError::NoSuchPartition => "the topic has no such partition",
            PublishError::Full => "the partition is full",
        })
    }
}

impl std::error::Error for PublishError {}
