//! A topic in memory: partitions that keep messages, groups that consume them.

use std::collections::BTreeMap;
use std::fmt;

use crate::{Offset, PartitionIndex};

/// One consumer: a process or a thread that polls.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ConsumerId(pub u32);

/// A message, in the hands of one consumer of a group until it is acked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Delivery<'a, M> {
    /// Where it lies.
    pub partition: PartitionIndex,
    /// Its position there.
    pub offset: Offset,
    /// What was published.
    pub message: &'a M,
}

/// How many messages a group has not acked yet.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Lag(pub usize);

/// Why a message was not taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PublishError {
    /// The topic has no partition of this index.
    NoSuchPartition,
    /// The partition has as many messages as it may have.
    Full,
}

// ANCHOR: state
/// A topic in memory.
///
/// # Invariants
/// - A group gets every message, however many other groups have had it.
/// - Of one partition, one consumer of a group at a time has one message in hand.
///   So the messages of a partition are worked on in their order.
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
    /// Per partition: where this group stands.
    cursors: Vec<Cursor>,
    /// The partition to look at first at the next poll, so that each has its turn;
    /// after the last one comes partition 0.
    turn: usize,
}

#[derive(Debug, Clone, Copy, Default)]
struct Cursor {
    /// Of the first message that is not acked; an index into the partition's messages.
    next: usize,
    /// Who has that message in hand.
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

    /// Makes a group, which begins at the first message of every partition.
    /// A group that is there already stays where it is.
    pub fn subscribe(&mut self, group: &str) {
        let cursors = vec![Cursor::default(); self.partitions.len()];
        self.groups
            .entry(group.to_owned())
            .or_insert(Group { cursors, turn: 0 });
    }

    /// Puts `message` at the end of `partition`; says its offset.
    ///
    /// # Errors
    /// When there is no such partition, or it is full.
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

    /// A message for `consumer`, if there is one; nobody else of its group gets it.
    ///
    /// Who has a message in hand gets that one again. Else it is the first un-acked
    /// message of a partition, unless somebody of the group has it in hand. Of several
    /// such partitions it is the one whose turn it is: in a circle, the first one
    /// after the partition that the group was served from last.
    /// `None` if there is none, or no such group.
    pub fn poll(&mut self, group: &str, consumer: ConsumerId) -> Option<Delivery<'_, M>> {
        // task 1.1: the next message for this consumer, one that nobody else of its group has in hand
        let Group { cursors, turn } = self.groups.get_mut(group)?;
        let count = cursors.len();
        let in_hand = |at: &usize| cursors[*at].in_hand_of == Some(consumer);
        let is_free = |at: &usize| {
            cursors[*at].in_hand_of.is_none() && cursors[*at].next < self.partitions[*at].len()
        };
        let in_turn = || (0..count).map(|step| (*turn + step) % count);
        let at = in_turn()
            .find(in_hand)
            .or_else(|| in_turn().find(is_free))?;
        cursors[at].in_hand_of = Some(consumer);
        *turn = at + 1;
        let next = cursors[at].next;
        Some(self.delivery(at, next))
        // end
    }

    /// `consumer` is done with a message: the group goes on to the next one of that partition.
    ///
    /// False, and nothing changes, unless it is the message that the consumer has in hand.
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

    /// `consumer` has died or gone: what it had in hand is there for the others again.
    pub fn leave(&mut self, group: &str, consumer: ConsumerId) {
        let cursors = self.groups.get_mut(group).map(|group| &mut group.cursors);
        for cursor in cursors.into_iter().flatten() {
            cursor.in_hand_of = cursor.in_hand_of.filter(|holder| *holder != consumer);
        }
    }

    /// How far `group` is behind the ends of the partitions; `None` if there is no such group.
    #[must_use]
    pub fn lag(&self, group: &str) -> Option<Lag> {
        let cursors = &self.groups.get(group)?.cursors;
        let behind = self.partitions.iter().zip(cursors);
        Some(Lag(behind
            .map(|(messages, cursor)| messages.len() - cursor.next)
            .sum()))
    }

    /// Message `next` of partition `at`, which is there.
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
