//! The two assignors that leave partitions where they are.

use std::collections::{BTreeMap, BTreeSet};

use message_model::TopicPartition;

use crate::subscription::{Assignments, Subscriber, Topics, in_order, partitions_of};

/// The members in order, and what each of them holds so far.
struct Shares<'a> {
    members: Vec<&'a Subscriber>,
    /// By the member's place in `members`.
    held: Vec<BTreeSet<TopicPartition>>,
}

/// Shares the partitions as evenly as the subscriptions allow, and moves as few as that
/// takes.
///
/// If all members read the same topics, no two differ by more than one partition, and a
/// partition leaves its owner only where the owner would have too many. A partition that
/// two members claim goes to the claim of the later generation; if both claims are of
/// the same generation, neither counts.
#[must_use]
pub fn sticky(members: &[Subscriber], topics: &Topics) -> Assignments {
    let order = in_order(members);
    let mut shares = Shares {
        held: vec![BTreeSet::new(); order.len()],
        members: order,
    };
    let owners = owners(&shares.members, topics);
    for (partition, &place) in &owners {
        shares.held[place].insert(partition.clone());
    }
    for partition in topics.iter().flat_map(|(name, &n)| partitions_of(name, n)) {
        if !owners.contains_key(&partition) {
            shares.give(partition);
        }
    }
    while shares.move_one() {}
    let entries = shares.members.iter().zip(shares.held);
    entries
        .map(|(member, held)| (member.id.clone(), held.into_iter().collect()))
        .collect()
}

/// Shares as [`sticky`] does, for members that go on reading during a rebalance: a
/// partition that some other member claims is given to nobody yet. Its owner sees that
/// it is gone, stops reading it and joins again; the next generation gives it away.
#[must_use]
pub fn cooperative_sticky(members: &[Subscriber], topics: &Topics) -> Assignments {
    // task 16.2: no partition goes to a member while another one may be reading it
    let order = in_order(members);
    let owners = owners(&order, topics);
    let mut claims: BTreeMap<&TopicPartition, BTreeSet<&str>> = BTreeMap::new();
    for member in members {
        for partition in &member.owned {
            claims.entry(partition).or_default().insert(&member.id);
        }
    }
    let mut shares = sticky(members, topics);
    for (id, share) in &mut shares {
        share.retain(|partition| {
            let is_its_own = owners
                .get(partition)
                .is_some_and(|&owner| &order[owner].id == id);
            let claims = claims.get(partition);
            is_its_own || claims.is_none_or(|claims| claims.iter().all(|claim| claim == id))
        });
    }
    shares
    // end
}

/// Returns the owner of each partition that exists and is claimed, as its place in
/// `members`.
///
/// - Of all claims, also those of members that do not read the topic any more, the ones
///   of the latest generation are looked at.
/// - If there are several of these, the partition has no owner.
/// - If the one that claims it does not read the topic any more, it has no owner either:
///   an earlier claim does not count in its place.
fn owners(members: &[&Subscriber], topics: &Topics) -> BTreeMap<TopicPartition, usize> {
    // task 16.2: whose claim to a partition counts
    let mut claims: BTreeMap<TopicPartition, (i32, BTreeSet<usize>)> = BTreeMap::new();
    for (place, member) in members.iter().enumerate() {
        for partition in &member.owned {
            let count = topics.get(&partition.topic).copied().unwrap_or(0);
            let exists = (0..count).contains(&partition.partition.0);
            if !exists {
                continue;
            }
            let (latest, claimants) = claims
                .entry(partition.clone())
                .or_insert((member.generation, BTreeSet::new()));
            if member.generation > *latest {
                *latest = member.generation;
                claimants.clear();
            }
            if member.generation == *latest {
                claimants.insert(place);
            }
        }
    }
    let mut owners = BTreeMap::new();
    for (partition, (_, claimants)) in claims {
        let Some(&owner) = claimants.first().filter(|_| claimants.len() == 1) else {
            continue;
        };
        if members[owner].topics.contains(&partition.topic) {
            owners.insert(partition, owner);
        }
    }
    owners
    // end
}

impl Shares<'_> {
    /// Gives a partition that has no owner to the member that reads its topic and holds
    /// fewest; to nobody if no member reads it.
    fn give(&mut self, partition: TopicPartition) {
        // task 16.2: to the reader that holds fewest
        let readers = (0..self.members.len())
            .filter(|&place| self.members[place].topics.contains(&partition.topic));
        if let Some(place) = readers.min_by_key(|&place| self.held[place].len()) {
            self.held[place].insert(partition);
        }
        // end
    }

    /// Moves one partition from a member to another that reads its topic and holds at
    /// least two fewer. Returns whether there was such a pair.
    ///
    /// The emptiest and the fullest member are tried first. They may have no partition
    /// that fits, and then all other pairs count too. Any partition that fits may move.
    fn move_one(&mut self) -> bool {
        // task 16.2: one move that makes the shares more even, if there is one
        let mut places: Vec<usize> = (0..self.members.len()).collect();
        places.sort_by_key(|&place| self.held[place].len());
        for &to in &places {
            for &from in places.iter().rev() {
                if self.held[from].len() < self.held[to].len() + 2 {
                    break;
                }
                let topics = &self.members[to].topics;
                let fits = |partition: &&TopicPartition| topics.contains(&partition.topic);
                let found = self.held[from].iter().rev().find(fits).cloned();
                if let Some(partition) = found {
                    self.held[from].remove(&partition);
                    self.held[to].insert(partition);
                    return true;
                }
            }
        }
        false
        // end
    }
}
