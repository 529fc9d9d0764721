//! A topic with groups, against what it promises.

use std::collections::{BTreeMap, BTreeSet};

use message_model::{ConsumerId, Lag, Offset, PartitionIndex, PublishError, Topic};
use proptest::prelude::*;

#[test]
fn a_partition_takes_what_it_has_room_for() {
    let mut topic = Topic::new(2, 2);
    let first = PartitionIndex(0);
    assert_eq!(topic.publish(first, 'a'), Ok(Offset(0)));
    assert_eq!(topic.publish(first, 'b'), Ok(Offset(1)));
    assert_eq!(topic.publish(first, 'c'), Err(PublishError::Full));
    assert_eq!(topic.publish(PartitionIndex(1), 'd'), Ok(Offset(0)));
    for index in [-1, 2, i32::MAX] {
        let nowhere = topic.publish(PartitionIndex(index), 'e');
        assert_eq!(nowhere, Err(PublishError::NoSuchPartition));
    }
    assert_eq!(PublishError::Full.to_string(), "the partition is full");
}

#[test]
fn only_the_holders_ack_of_the_message_in_hand_counts() {
    let (anna, bert, first) = (ConsumerId(1), ConsumerId(2), PartitionIndex(0));
    let mut topic = Topic::new(1, 10);
    topic.subscribe("g");
    topic.publish(first, 'a').unwrap();
    topic.publish(first, 'b').unwrap();
    assert!(
        !topic.ack("g", anna, first, Offset(0)),
        "nothing is in hand"
    );
    assert!(topic.poll("g", anna).is_some());
    assert!(
        !topic.ack("g", bert, first, Offset(0)),
        "another consumer's"
    );
    assert!(!topic.ack("g", anna, first, Offset(1)), "not in hand");
    assert!(!topic.ack("g", anna, PartitionIndex(1), Offset(0)));
    assert!(!topic.ack("h", anna, first, Offset(0)), "no such group");
    assert_eq!(topic.lag("g"), Some(Lag(2)));
    assert!(topic.ack("g", anna, first, Offset(0)));
    assert!(!topic.ack("g", anna, first, Offset(0)), "it counts once");
    assert_eq!(topic.lag("g"), Some(Lag(1)));
}

#[test]
fn a_late_group_begins_at_the_first_message_and_subscribing_twice_changes_nothing() {
    let (anna, first) = (ConsumerId(1), PartitionIndex(0));
    let mut topic = Topic::new(1, 10);
    topic.publish(first, 'a').unwrap();
    assert_eq!(topic.lag("g"), None);
    topic.subscribe("g");
    assert_eq!(topic.poll("g", anna).map(|got| *got.message), Some('a'));
    assert!(topic.ack("g", anna, first, Offset(0)));
    topic.subscribe("g");
    assert_eq!(topic.lag("g"), Some(Lag(0)));
    topic.subscribe("late");
    assert_eq!(topic.lag("late"), Some(Lag(1)));
    assert_eq!(Lag(1).to_string(), "1");
}

/// What may happen; groups, consumers and partitions by number.
#[derive(Debug, Clone)]
enum Step {
    Publish(i32),
    Poll(usize, u32),
    Ack(usize, u32),
    Leave(usize, u32),
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        (0..3).prop_map(Step::Publish),
        (0..2_usize, 0..4_u32).prop_map(|(group, consumer)| Step::Poll(group, consumer)),
        (0..2_usize, 0..4_u32).prop_map(|(group, consumer)| Step::Ack(group, consumer)),
        (0..2_usize, 0..4_u32).prop_map(|(group, consumer)| Step::Leave(group, consumer)),
    ]
}

const GROUPS: [&str; 2] = ["stock", "mail"];

/// What one group should see.
#[derive(Default)]
struct Model {
    /// Per partition, the offset of the first message that is not acked.
    next: BTreeMap<i32, i64>,
    /// Per consumer, the partition and offset that it has in hand.
    in_hand: BTreeMap<u32, (i32, i64)>,
}

proptest! {
    /// In each group: every message in order, each acked once, in one hand at a time,
    /// and a poll comes back empty only if there is nothing that it could bring.
    #[test]
    fn a_group_is_a_queue_and_groups_do_not_see_each_other(steps in prop::collection::vec(step(), 1..200)) {
        let mut topic = Topic::new(3, 1000);
        let mut published = [0_i64; 3];
        let mut models = [Model::default(), Model::default()];
        GROUPS.iter().for_each(|group| topic.subscribe(group));
        for step in steps {
            match step {
                Step::Publish(partition) => {
                    let count = &mut published[usize::try_from(partition).unwrap()];
                    let offset = topic.publish(PartitionIndex(partition), (partition, *count));
                    prop_assert_eq!(offset, Ok(Offset(*count)));
                    *count += 1;
                }
                Step::Poll(group, consumer) => {
                    let model = &mut models[group];
                    let held: BTreeSet<i32> = model.in_hand.values().map(|(partition, _)| *partition).collect();
                    let got = topic.poll(GROUPS[group], ConsumerId(consumer));
                    let Some(got) = got else {
                        prop_assert!(!model.in_hand.contains_key(&consumer));
                        for (partition, count) in (0..).zip(published) {
                            let done = model.next.get(&partition).copied().unwrap_or(0);
                            prop_assert!(held.contains(&partition) || done == count);
                        }
                        continue;
                    };
                    let place = (got.partition.0, got.offset.0);
                    prop_assert_eq!(*got.message, place);
                    prop_assert_eq!(place.1, model.next.get(&place.0).copied().unwrap_or(0));
                    match model.in_hand.insert(consumer, place) {
                        Some(before) => prop_assert_eq!(before, place),
                        None => prop_assert!(!held.contains(&place.0)),
                    }
                }
                Step::Ack(group, consumer) => {
                    let Some((partition, offset)) = models[group].in_hand.remove(&consumer) else {
                        continue;
                    };
                    prop_assert!(topic.ack(GROUPS[group], ConsumerId(consumer), PartitionIndex(partition), Offset(offset)));
                    models[group].next.insert(partition, offset + 1);
                }
                Step::Leave(group, consumer) => {
                    models[group].in_hand.remove(&consumer);
                    topic.leave(GROUPS[group], ConsumerId(consumer));
                }
            }
            for (group, model) in GROUPS.iter().zip(&models) {
                let behind = published.iter().sum::<i64>() - model.next.values().sum::<i64>();
                prop_assert_eq!(topic.lag(group), Some(Lag(usize::try_from(behind).unwrap())));
            }
        }
    }
}
