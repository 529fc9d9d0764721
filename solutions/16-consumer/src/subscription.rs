//! What the leader of a group knows when it shares partitions.

use std::cmp::Ordering;
use std::collections::{BTreeMap, BTreeSet};

use message_model::{PartitionIndex, TopicName, TopicPartition};

/// How many partitions each topic has. A topic that does not exist is not in it.
pub type Topics = BTreeMap<TopicName, i32>;

/// Which partitions each member gets, by member id. Every member is in it.
pub type Assignments = BTreeMap<String, Vec<TopicPartition>>;

/// A member of a group, as it describes itself when it joins.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Subscriber {
    /// The id that the coordinator gave it; no other member has it.
    pub id: String,
    /// The name of a static member, which is the same after a restart.
    pub instance: Option<String>,
    /// The topics that it wants to read.
    pub topics: BTreeSet<TopicName>,
    /// The partitions that it reads now, or read until a moment ago.
    pub owned: Vec<TopicPartition>,
    /// The generation in which it got them; −1 if it does not know.
    pub generation: i32,
}

/// Returns the members in the order in which partitions are handed out: static members
/// by instance, then the others by id. So a static member that returns with another id
/// has its old place.
pub(crate) fn in_order(members: &[Subscriber]) -> Vec<&Subscriber> {
    let mut sorted: Vec<&Subscriber> = members.iter().collect();
    sorted.sort_by(|a, b| match (&a.instance, &b.instance) {
        (Some(a), Some(b)) => a.cmp(b),
        (Some(_), None) => Ordering::Less,
        (None, Some(_)) => Ordering::Greater,
        (None, None) => a.id.cmp(&b.id),
    });
    sorted
}

/// Returns the partitions of `topic`, which has `count` of them.
pub(crate) fn partitions_of(topic: &TopicName, count: i32) -> impl Iterator<Item = TopicPartition> {
    (0..count).map(|partition| TopicPartition {
        topic: topic.clone(),
        partition: PartitionIndex(partition),
    })
}

/// Returns an entry without partitions for each member.
pub(crate) fn nothing_yet(members: &[Subscriber]) -> Assignments {
    let entry = |member: &Subscriber| (member.id.clone(), Vec::new());
    members.iter().map(entry).collect()
}
