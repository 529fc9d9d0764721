//! The assignors that a consumer can offer to its group.

use std::collections::BTreeSet;

use bytes::Bytes;
use message_model::TopicPartition;

use crate::part::{
    Assignments, Subscriber, Topics, cooperative_sticky, range, round_robin, sticky,
};
use crate::protocol::{Subscription, write_claims};

/// How the leader of a group shares the partitions.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Assignor {
    /// Consecutive runs of each topic.
    Range,
    /// All partitions in turn.
    RoundRobin,
    /// Evenly, and each partition stays where it is if it can.
    Sticky,
    /// The same, and members go on reading while the group rebalances.
    CooperativeSticky,
}

impl Assignor {
    /// Returns the name by which the members of a group agree on it.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Assignor::Range => "range",
            Assignor::RoundRobin => "roundrobin",
            Assignor::Sticky => "sticky",
            Assignor::CooperativeSticky => "cooperative-sticky",
        }
    }

    /// Returns whether its members keep their partitions while the group rebalances.
    #[must_use]
    pub fn is_cooperative(self) -> bool {
        self == Assignor::CooperativeSticky
    }

    /// Shares the partitions of `topics` among `members`.
    #[must_use]
    pub fn assign(self, members: &[Subscriber], topics: &Topics) -> Assignments {
        match self {
            Assignor::Range => range(members, topics),
            Assignor::RoundRobin => round_robin(members, topics),
            Assignor::Sticky => sticky(members, topics),
            Assignor::CooperativeSticky => cooperative_sticky(members, topics),
        }
    }

    /// Returns what a member says to this assignor: `owned` is what it reads, and `had`
    /// what it read in `generation`, before it gave all up.
    pub(crate) fn subscription(
        self,
        topics: BTreeSet<String>,
        owned: &BTreeSet<TopicPartition>,
        had: &(i32, BTreeSet<TopicPartition>),
        generation: i32,
    ) -> Subscription {
        let user_data = match self {
            Assignor::Range | Assignor::RoundRobin => None,
            // An eager member owns nothing when it joins: it says here what it had.
            Assignor::Sticky => Some(write_claims(&had.1, Some(had.0))),
            Assignor::CooperativeSticky => Some(Bytes::copy_from_slice(&generation.to_be_bytes())),
        };
        Subscription {
            topics,
            user_data,
            owned: owned.clone(),
            generation,
            rack: None,
        }
    }
}
