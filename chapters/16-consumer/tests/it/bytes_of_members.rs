//! What members say to each other, byte by byte.

use std::collections::BTreeSet;

use consumer::{Subscription, read_assignment, write_assignment};
use message_model::TopicPartition;
use proptest::prelude::*;

use crate::partition;

#[test]
fn a_subscription_of_the_java_client() {
    // Version 1, topics [t], no user data, owned t: 0 and 3.
    let bytes = [
        0, 1, 0, 0, 0, 1, 0, 1, b't', 255, 255, 255, 255, 0, 0, 0, 1, 0, 1, b't', 0, 0, 0, 2, 0, 0,
        0, 0, 0, 0, 0, 3,
    ];
    let read = Subscription::read(&bytes).unwrap();
    assert_eq!(read.topics, BTreeSet::from(["t".to_owned()]));
    let owned = BTreeSet::from([partition("t", 0), partition("t", 3)]);
    assert_eq!(read.owned, owned);
    assert_eq!((read.generation, read.rack), (-1, None));
}

#[test]
fn a_subscription_of_a_later_version() {
    let mut bytes = subscription(7).write().to_vec();
    bytes[1] = 9;
    bytes.extend([1, 2, 3]);
    assert_eq!(Subscription::read(&bytes), Ok(subscription(7)));
}

#[test]
fn an_assignment() {
    let partitions = BTreeSet::from([partition("t", 2), partition("u", 0)]);
    let bytes = write_assignment(&partitions);
    let expected = [
        0, 3, 0, 0, 0, 2, 0, 1, b't', 0, 0, 0, 1, 0, 0, 0, 2, 0, 1, b'u', 0, 0, 0, 1, 0, 0, 0, 0,
        255, 255, 255, 255,
    ];
    assert_eq!(&bytes[..], expected);
    assert_eq!(read_assignment(&bytes), Ok(partitions));
    assert_eq!(read_assignment(&[]), Ok(BTreeSet::new()));
}

fn subscription(generation: i32) -> Subscription {
    Subscription {
        topics: BTreeSet::from(["t".to_owned(), "u".to_owned()]),
        user_data: Some(vec![1, 2].into()),
        owned: BTreeSet::from([partition("t", 1)]),
        generation,
        rack: Some("r".to_owned()),
    }
}

fn partitions() -> impl Strategy<Value = BTreeSet<TopicPartition>> {
    let one = ("[a-z]{1,4}", 0..1000).prop_map(|(name, index)| partition(&name, index));
    prop::collection::btree_set(one, 0..20)
}

proptest! {
    #[test]
    fn what_is_written_is_read(owned in partitions(), generation: i32, rack: Option<String>) {
        let subscription = Subscription {
            topics: owned.iter().map(|p| p.topic.as_str().to_owned()).collect(),
            user_data: None,
            owned: owned.clone(),
            generation,
            rack: rack.map(|rack| rack.chars().take(50).collect()),
        };
        prop_assert_eq!(Subscription::read(&subscription.write()), Ok(subscription));
        prop_assert_eq!(read_assignment(&write_assignment(&owned)), Ok(owned));
    }

    #[test]
    fn any_bytes_are_read_or_refused(bytes: Vec<u8>) {
        let _ = Subscription::read(&bytes);
        let _ = read_assignment(&bytes);
    }
}
