//! The two assignors that remember nothing.

use crate::subscription::{Assignments, Subscriber, Topics, in_order, nothing_yet, partitions_of};

/// Shares each topic by itself: the members that read it, in order, get consecutive
/// partitions, and the first ones get one more where the count does not divide evenly.
///
/// Partition 3 of one topic and partition 3 of another go to the same member if both
/// topics have the same readers and the same count, so a member can join them by key.
#[must_use]
pub fn range(members: &[Subscriber], topics: &Topics) -> Assignments {
    // task 16.1: share each topic by itself, in consecutive runs
    let mut shares = nothing_yet(members);
    for (topic, &count) in topics {
        let mut readers = in_order(members);
        readers.retain(|member| member.topics.contains(topic));
        let total = usize::try_from(count).unwrap_or(0);
        let mut partitions = partitions_of(topic, count);
        for (place, reader) in readers.iter().enumerate() {
            let each = total / readers.len() + usize::from(place < total % readers.len());
            let share = shares.entry(reader.id.clone()).or_default();
            share.extend(partitions.by_ref().take(each));
        }
    }
    shares
    // end
}

/// Deals the partitions of all topics, topic by topic, to the members in turn. A member
/// that does not read a topic is passed over, and the next partition goes to the member
/// after the one that got the last.
#[must_use]
pub fn round_robin(members: &[Subscriber], topics: &Topics) -> Assignments {
    // task 16.1: deal the partitions of all topics like cards
    let mut shares = nothing_yet(members);
    let order = in_order(members);
    let mut turns = order.iter().cycle();
    for (topic, &count) in topics {
        if !order.iter().any(|member| member.topics.contains(topic)) {
            continue;
        }
        for partition in partitions_of(topic, count) {
            let next = turns.find(|member| member.topics.contains(topic));
            if let Some(member) = next {
                shares.entry(member.id.clone()).or_default().push(partition);
            }
        }
    }
    shares
    // end
}
