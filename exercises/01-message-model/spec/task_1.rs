//! Which message a consumer gets.

use std::collections::BTreeMap;

use spec_harness::{case, expect_eq};

use super::part::{ConsumerId, Lag, Offset, PartitionIndex, Topic};

const ANNA: ConsumerId = ConsumerId(1);
const BERT: ConsumerId = ConsumerId(2);
const CARL: ConsumerId = ConsumerId(3);

/// Message, partition, offset.
type Got = Option<(String, i32, i64)>;

/// A topic with these messages in its partitions, and the groups `stock` and `mail`.
fn topic(partitions: &[&[&'static str]]) -> Topic<&'static str> {
    let count = u16::try_from(partitions.len()).expect("a few partitions");
    let mut topic = Topic::new(count, 100);
    for (index, messages) in (0..).zip(partitions) {
        for message in *messages {
            topic
                .publish(PartitionIndex(index), *message)
                .expect("there is room");
        }
    }
    topic.subscribe("stock");
    topic.subscribe("mail");
    topic
}

fn poll(topic: &mut Topic<&'static str>, group: &str, consumer: ConsumerId) -> Got {
    let delivery = topic.poll(group, consumer)?;
    Some((
        (*delivery.message).to_owned(),
        delivery.partition.0,
        delivery.offset.0,
    ))
}

fn got(message: &str, partition: i32, offset: i64) -> Got {
    Some((message.to_owned(), partition, offset))
}

/// Polls and acks; only the message.
fn take(topic: &mut Topic<&'static str>, group: &str, consumer: ConsumerId) -> Option<String> {
    let (message, partition, offset) = poll(topic, group, consumer)?;
    expect_eq(
        &format!("ack of {message:?} by the consumer that has just polled it"),
        topic.ack(group, consumer, PartitionIndex(partition), Offset(offset)),
        true,
    );
    Some(message)
}

#[test]
fn the_first_poll_brings_the_first_message() {
    case!(
        "A consumer's first poll brings the first message, and says where it is.",
        || {
            let mut topic = topic(&[&["apple", "pear"]]);
            expect_eq(
                "poll(\"stock\", anna): message, partition, offset",
                poll(&mut topic, "stock", ANNA),
                got("apple", 0, 0),
            );
        }
    );
}

#[test]
fn an_acked_message_is_followed_by_the_next_one() {
    case!(
        "Poll, ack, poll, ack: the messages of a partition come in their order, each once, then none.",
        || {
            let mut topic = topic(&[&["apple", "pear", "plum"]]);
            let taken: Vec<_> = (0..4).map(|_| take(&mut topic, "stock", ANNA)).collect();
            expect_eq(
                "four times poll and ack",
                taken,
                vec![
                    Some("apple".to_owned()),
                    Some("pear".to_owned()),
                    Some("plum".to_owned()),
                    None,
                ],
            );
            expect_eq("lag(\"stock\")", topic.lag("stock"), Some(Lag(0)));
            expect_eq(
                "lag(\"mail\"), which has consumed nothing",
                topic.lag("mail"),
                Some(Lag(3)),
            );
        }
    );
}

#[test]
fn nothing_is_none() {
    case!(
        "An empty topic has nothing; what is published later is found by the next poll.",
        || {
            let mut topic = topic(&[&[], &[]]);
            expect_eq(
                "poll of an empty topic",
                poll(&mut topic, "stock", ANNA),
                None,
            );
            topic
                .publish(PartitionIndex(1), "late")
                .expect("there is room");
            expect_eq(
                "poll after a message came to partition 1",
                poll(&mut topic, "stock", ANNA),
                got("late", 1, 0),
            );
        }
    );
}

#[test]
fn a_stranger_gets_nothing() {
    case!(
        "A group that never subscribed gets nothing; it is no reason to panic.",
        || {
            let mut topic = topic(&[&["apple"]]);
            expect_eq(
                "poll(\"unknown\", anna)",
                poll(&mut topic, "unknown", ANNA),
                None,
            );
        }
    );
}

#[test]
fn each_group_gets_every_message() {
    case!(
        "Publish-subscribe: what one group has consumed is there for every other group.",
        || {
            let mut topic = topic(&[&["apple", "pear"]]);
            for group in ["stock", "mail"] {
                let taken: Vec<_> = (0..3).map(|_| take(&mut topic, group, ANNA)).collect();
                expect_eq(
                    &format!("three times poll and ack of group {group:?}"),
                    taken,
                    vec![Some("apple".to_owned()), Some("pear".to_owned()), None],
                );
            }
        }
    );
}

#[test]
fn a_message_has_one_consumer_of_a_group() {
    case!(
        "Queue: while one consumer of a group has a message in hand, no other one of that group gets it.",
        || {
            let mut topic = topic(&[&["apple", "pear"], &["nut"]]);
            expect_eq(
                "anna's poll",
                poll(&mut topic, "stock", ANNA),
                got("apple", 0, 0),
            );
            expect_eq(
                "bert's poll, while anna has \"apple\" in hand",
                poll(&mut topic, "stock", BERT),
                got("nut", 1, 0),
            );
            expect_eq(
                "carl's poll, while anna has \"apple\" and bert has \"nut\" in hand",
                poll(&mut topic, "stock", CARL),
                None,
            );
        }
    );
}

#[test]
fn a_partition_has_one_consumer_at_a_time() {
    case!(
        "The messages of a partition are worked on in order: the second one is not handed out before the first one is acked.",
        || {
            let mut topic = topic(&[&["apple", "pear"]]);
            poll(&mut topic, "stock", ANNA);
            expect_eq(
                "bert's poll of a topic with one partition, while anna has its first message in hand",
                poll(&mut topic, "stock", BERT),
                None,
            );
            topic.ack("stock", ANNA, PartitionIndex(0), Offset(0));
            expect_eq(
                "bert's poll after anna's ack",
                poll(&mut topic, "stock", BERT),
                got("pear", 0, 1),
            );
        }
    );
}

#[test]
fn groups_do_not_wait_for_each_other() {
    case!(
        "A message in hand of one group keeps no other group from it.",
        || {
            let mut topic = topic(&[&["apple"]]);
            poll(&mut topic, "stock", ANNA);
            expect_eq(
                "the poll of group \"mail\" while \"stock\" has \"apple\" in hand",
                poll(&mut topic, "mail", BERT),
                got("apple", 0, 0),
            );
        }
    );
}

#[test]
fn without_an_ack_the_same_message_comes_again() {
    case!(
        "A consumer that polls without an ack gets the message that it has in hand, and no second one.",
        || {
            let mut topic = topic(&[&["apple", "pear"], &["nut"]]);
            poll(&mut topic, "stock", ANNA);
            expect_eq(
                "anna's second poll, without an ack",
                poll(&mut topic, "stock", ANNA),
                got("apple", 0, 0),
            );
            expect_eq(
                "bert's poll: the other partition is free",
                poll(&mut topic, "stock", BERT),
                got("nut", 1, 0),
            );
        }
    );
}

#[test]
fn the_next_consumer_gets_what_a_dead_one_had_in_hand() {
    case!(
        "A consumer that dies has lost nothing: what it had not acked goes to another one.",
        || {
            let mut topic = topic(&[&["apple", "pear"]]);
            poll(&mut topic, "stock", ANNA);
            topic.leave("stock", ANNA);
            expect_eq(
                "bert's poll after anna died with \"apple\" in hand",
                poll(&mut topic, "stock", BERT),
                got("apple", 0, 0),
            );
            expect_eq(
                "anna's ack of \"apple\", which comes too late",
                topic.ack("stock", ANNA, PartitionIndex(0), Offset(0)),
                false,
            );
        }
    );
}

#[test]
fn every_partition_has_its_turn() {
    case!(
        "A partition that always has messages keeps no other one waiting: one consumer goes round in a circle.",
        || {
            let mut topic = topic(&[&["a0", "a1", "a2"], &["b0"], &["c0", "c1"]]);
            let taken: Vec<_> = (0..7)
                .filter_map(|_| take(&mut topic, "stock", ANNA))
                .collect();
            expect_eq(
                "what one consumer gets from three partitions of 3, 1 and 2 messages",
                taken,
                ["a0", "b0", "c0", "a1", "c1", "a2"]
                    .map(str::to_owned)
                    .to_vec(),
            );

            let mut topic = self::topic(&[&[], &["b0", "b1"], &["c0", "c1"]]);
            let taken: Vec<_> = (0..4)
                .filter_map(|_| take(&mut topic, "stock", ANNA))
                .collect();
            expect_eq(
                "what it gets if the first of three partitions is empty",
                taken,
                ["b0", "c0", "b1", "c1"].map(str::to_owned).to_vec(),
            );

            let mut topic = self::topic(&[&["a0", "a1", "a2"], &[]]);
            let mut taken: Vec<_> = (0..2).map(|_| take(&mut topic, "stock", ANNA)).collect();
            for message in ["b0", "b1"] {
                topic
                    .publish(PartitionIndex(1), message)
                    .expect("there is room");
            }
            taken.extend((0..3).map(|_| take(&mut topic, "stock", ANNA)));
            expect_eq(
                "what it gets if messages come to partition 1 after two of partition 0 are consumed",
                taken,
                ["a0", "a1", "b0", "a2", "b1"]
                    .map(|message| Some(message.to_owned()))
                    .to_vec(),
            );
        }
    );
}

#[test]
fn a_topic_without_partitions() {
    case!(
        "A topic without partitions has no messages; that is no reason to panic.",
        || {
            let mut topic = topic(&[]);
            expect_eq(
                "poll of a topic without partitions",
                poll(&mut topic, "stock", ANNA),
                None,
            );
        }
    );
}

#[test]
fn a_poll_that_brings_nothing_moves_no_turn() {
    case!(
        "A poll that returns `None` has served no partition: the next message comes from the partition whose turn it was.",
        || {
            let mut topic = topic(&[&["a0", "a1"], &["b0", "b1"]]);
            poll(&mut topic, "stock", ANNA);
            poll(&mut topic, "stock", BERT);
            expect_eq(
                "carl's poll, while anna has \"a0\" and bert has \"b0\" in hand",
                poll(&mut topic, "stock", CARL),
                None,
            );
            topic.ack("stock", ANNA, PartitionIndex(0), Offset(0));
            topic.ack("stock", BERT, PartitionIndex(1), Offset(0));
            expect_eq(
                "carl's poll after both acks: partition 1 was served last",
                poll(&mut topic, "stock", CARL),
                got("a1", 0, 1),
            );
        }
    );
}

#[test]
fn the_same_message_again_moves_no_turn() {
    case!(
        "A consumer that polls again and again, without an ack, keeps no partition waiting: the same message again is not a turn.",
        || {
            // Once for each partition: anna has its first message in hand.
            for held in 0..3 {
                let mut topic = topic(&[&["a0", "a1"], &["b0", "b1"], &["c0", "c1"]]);
                for _ in 0..held {
                    poll(&mut topic, "stock", CARL);
                    topic.leave("stock", CARL);
                }
                let in_hand = poll(&mut topic, "stock", ANNA);
                let what = format!("the partition that anna is served from after {held} others");
                let partition = in_hand.as_ref().map(|(_, partition, _)| *partition);
                expect_eq(&what, partition, Some(held));
                let taken: Vec<_> = (0..4)
                    .filter_map(|_| {
                        let again = poll(&mut topic, "stock", ANNA);
                        expect_eq("anna's poll, again", again, in_hand.clone());
                        take(&mut topic, "stock", BERT)
                    })
                    .collect();
                let expected: [&str; 4] = [
                    ["b0", "c0", "b1", "c1"],
                    ["c0", "a0", "c1", "a1"],
                    ["a0", "b0", "a1", "b1"],
                ][usize::try_from(held).expect("0, 1 or 2")];
                let what = format!(
                    "what bert gets, while anna, with a message of partition {held} in hand, polls before each of his polls"
                );
                expect_eq(&what, taken, expected.map(str::to_owned).to_vec());
            }
        }
    );
}

#[test]
fn as_many_partitions_as_there_may_be() {
    case!(
        "A topic of 65,535 partitions: the last one is served too, and after it comes the first one.",
        || {
            let mut topic = Topic::new(u16::MAX, 2);
            topic.subscribe("stock");
            let last = i32::from(u16::MAX) - 1;
            for (partition, message) in [
                (last, "z0"),
                (last, "z1"),
                (last - 1, "y0"),
                (0, "a0"),
                (0, "a1"),
            ] {
                topic
                    .publish(PartitionIndex(partition), message)
                    .expect("there is room");
            }
            let taken: Vec<_> = (0..6)
                .map(|_| take(&mut topic, "stock", ConsumerId(u32::MAX)))
                .collect();
            let expected = ["a0", "y0", "z0", "a1", "z1"].map(|message| Some(message.to_owned()));
            let expected: Vec<_> = expected.into_iter().chain([None]).collect();
            expect_eq("six times poll and ack", taken, expected);
        }
    );
}

#[test]
fn any_order_of_polls_acks_and_deaths() {
    case!(
        "Whatever the consumers of two groups do, in each group each partition's messages are acked in order, each once.",
        || {
            for seed in 1..=200 {
                any_order(seed);
            }
        }
    );
}

/// 400 steps that look random and are the same each time.
fn any_order(seed: u64) {
    let mut random = fastrand::Rng::with_seed(seed);
    let mut topic = topic(&[&["a0", "a1", "a2", "a3"], &["b0"], &["c0", "c1", "c2"]]);
    let mut acked = vec![Vec::new(); 2];
    let mut in_hand = BTreeMap::new();
    for _ in 0..400 {
        let which = random.usize(..2);
        let group = ["stock", "mail"][which];
        let consumer = ConsumerId(random.u32(..4));
        let choice = random.u8(..8);
        if choice == 0 {
            topic.leave(group, consumer);
            in_hand.retain(|(of, _), holder| *of != group || *holder != consumer);
            continue;
        }
        let Some((message, partition, offset)) = poll(&mut topic, group, consumer) else {
            continue;
        };
        let holder = in_hand.insert((group, partition), consumer);
        expect_eq(
            &format!(
                "seed {seed}: {consumer:?} of {group:?} gets {message:?}, which was in hand of"
            ),
            holder.unwrap_or(consumer),
            consumer,
        );
        if choice < 5 {
            expect_eq(
                &format!(
                    "seed {seed}: {consumer:?} of {group:?} acks {message:?}, which it has just polled"
                ),
                topic.ack(group, consumer, PartitionIndex(partition), Offset(offset)),
                true,
            );
            in_hand.remove(&(group, partition));
            acked[which].push(message);
        }
    }
    for acked in acked {
        for letter in ["a", "b", "c"] {
            let of_one: Vec<_> = acked.iter().filter(|m| m.starts_with(letter)).collect();
            let expected: Vec<_> = (0..of_one.len()).map(|n| format!("{letter}{n}")).collect();
            let of_one: Vec<_> = of_one.into_iter().cloned().collect();
            expect_eq(
                &format!("seed {seed}: the acked messages of partition {letter:?}"),
                of_one,
                expected,
            );
        }
        expect_eq(
            &format!("seed {seed}: how many messages a group has acked after 400 steps"),
            acked.len(),
            8,
        );
    }
}
