//! Which message a consumer gets.

use std::collections::BTreeMap;

use spec_harness::{case, expect, expect_eq};

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
    expect(
        "the message that was just polled can be acked",
        topic.ack(group, consumer, PartitionIndex(partition), Offset(offset)),
    );
    Some(message)
}

#[test]
fn the_first_poll_brings_the_first_message() {
    case!(
        "A consumer's first poll brings the first message, and says where it lies.",
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
        "Who polls without an ack gets the message that they have in hand, and no second one.",
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
            expect(
                "anna's ack comes too late and is refused",
                !topic.ack("stock", ANNA, PartitionIndex(0), Offset(0)),
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
            expect(
                &format!(
                    "seed {seed}: {consumer:?} of {group:?} may ack {message:?}, which it has just polled"
                ),
                topic.ack(group, consumer, PartitionIndex(partition), Offset(offset)),
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
