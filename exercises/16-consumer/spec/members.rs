//! Members, topics and shares, written as words.

use std::collections::{BTreeMap, BTreeSet};

use message_model::{PartitionIndex, TopicName, TopicPartition};
use spec_harness::expect_eq;

use super::part::{Assignments, Subscriber, Topics};

pub(super) fn topic(name: &str) -> TopicName {
    TopicName::new(name).expect("the spec names topics rightly")
}

/// `t0-3`.
pub(super) fn partition(text: &str) -> TopicPartition {
    let (name, index) = text.rsplit_once('-').expect("TOPIC-N");
    TopicPartition {
        topic: topic(name),
        partition: PartitionIndex(index.parse().expect("TOPIC-N")),
    }
}

/// `t0=4 t1=6`.
pub(super) fn topics(text: &str) -> Topics {
    let pairs = text.split_whitespace().map(|pair| {
        let (name, count) = pair.split_once('=').expect("TOPIC=N");
        (topic(name), count.parse().expect("TOPIC=N"))
    });
    pairs.collect()
}

/// `a:t0,t1 b/instance:t0`.
pub(super) fn members(text: &str) -> Vec<Subscriber> {
    let member = |text: &str| {
        let (who, reads) = text.split_once(':').expect("ID:TOPICS");
        let (id, instance) = match who.split_once('/') {
            Some((id, instance)) => (id, Some(instance.to_owned())),
            None => (who, None),
        };
        Subscriber {
            id: id.to_owned(),
            instance,
            topics: reads.split(',').map(topic).collect(),
            owned: Vec::new(),
            generation: -1,
        }
    };
    text.split_whitespace().map(member).collect()
}

/// `a:t0-0,t0-1 b:`, in the order of ids and partitions.
pub(super) fn shares(text: &str) -> BTreeMap<String, BTreeSet<TopicPartition>> {
    let share = |text: &str| {
        let (id, partitions) = text.split_once(':').expect("ID:PARTITIONS");
        let partitions = partitions.split(',').filter(|text| !text.is_empty());
        (id.to_owned(), partitions.map(partition).collect())
    };
    text.split_whitespace().map(share).collect()
}

/// Checks what an assignor gave out, whatever the order within a share is.
pub(super) fn expect_shares(what: &str, got: &Assignments, expected: &str) {
    let sets = got
        .iter()
        .map(|(id, share)| (id.clone(), share.iter().cloned().collect()));
    let sets: BTreeMap<String, BTreeSet<TopicPartition>> = sets.collect();
    expect_eq(what, show(&sets), show(&shares(expected)));
    let count: usize = got.values().map(Vec::len).sum();
    let distinct: BTreeSet<_> = got.values().flatten().collect();
    expect_eq(
        &format!("{what}: distinct partitions"),
        distinct.len(),
        count,
    );
}

/// As [`shares`] reads it.
pub(super) fn show(shares: &BTreeMap<String, BTreeSet<TopicPartition>>) -> String {
    let share = |(id, share): (&String, &BTreeSet<TopicPartition>)| {
        let names: Vec<String> = share.iter().map(ToString::to_string).collect();
        format!("{id}:{}", names.join(","))
    };
    let shares: Vec<String> = shares.iter().map(share).collect();
    shares.join(" ")
}
