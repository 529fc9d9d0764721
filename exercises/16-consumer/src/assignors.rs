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
    todo!("16.1: share each topic by itself, in consecutive runs")
    // end
}

/// Deals the partitions of all topics, topic by topic, to the members in turn. A member
/// that does not read a topic is passed over, and the next partition goes to the member
/// after the one that got the last.
#[must_use]
pub fn round_robin(members: &[Subscriber], topics: &Topics) -> Assignments {
    // task 16.1: deal the partitions of all topics like cards
    todo!("16.1: deal the partitions of all topics like cards")
    // end
}
