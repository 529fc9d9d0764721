//! Does another consumer help? 400 messages of 10 ms work each, in simulated
//! time: first with one message of a partition in hand at a time, then with
//! workers that share one partition through an ack window.

use std::collections::BTreeSet;

use message_model::{AckWindow, ConsumerId, Lag, Offset, PartitionIndex, Topic};

const MESSAGES: u32 = 400;
/// How long a consumer works on one message, in milliseconds.
const WORK: u32 = 10;
/// By how much less or more the workers take that share a partition.
const SPREAD: u32 = 8;

fn main() {
    println!("{MESSAGES} messages\n");
    println!("one group, {WORK} ms of work each, one message of a partition in hand at a time:");
    println!("  partitions  consumers   idle    done after");
    for (partitions, consumers) in [
        (4, 1),
        (4, 2),
        (4, 4),
        (4, 8),
        (4, 16),
        (8, 4),
        (8, 8),
        (16, 16),
    ] {
        let (millis, idle) = by_partition(partitions, consumers);
        println!("{partitions:>12}{consumers:>11}{idle:>7}{millis:>11} ms");
    }
    println!(
        "\none partition, {} to {} ms of work each, shared by workers with an ack window:",
        WORK - SPREAD,
        WORK + SPREAD
    );
    println!("     workers     done after   done out of order");
    for workers in [1, 4, 16] {
        let (millis, overtaken) = by_ack_window(workers);
        println!("{workers:>12}{millis:>12} ms{overtaken:>20}");
    }
}

/// How long it takes, and how many consumers never had anything to do.
fn by_partition(partitions: u16, consumers: u32) -> (u32, usize) {
    let mut topic = Topic::new(partitions, 1000);
    topic.subscribe("g");
    for number in 0..MESSAGES {
        let partition = i32::try_from(number % u32::from(partitions)).expect("it is small");
        topic
            .publish(PartitionIndex(partition), number)
            .expect("there is room");
    }
    let mut millis = 0;
    let mut has_worked = vec![false; usize::try_from(consumers).expect("a few")];
    while topic.lag("g") != Some(Lag(0)) {
        // Every consumer polls; those that got a message work for a while, side by side.
        let mut in_hand = Vec::new();
        for (number, has_worked) in (0..).zip(&mut has_worked) {
            let consumer = ConsumerId(number);
            if let Some(got) = topic.poll("g", consumer) {
                in_hand.push((consumer, got.partition, got.offset));
                *has_worked = true;
            }
        }
        millis += WORK;
        for (consumer, partition, offset) in in_hand {
            topic.ack("g", consumer, partition, offset);
        }
    }
    (millis, has_worked.iter().filter(|worked| !**worked).count())
}

/// How long it takes, and how many messages were done before one with a lower offset.
fn by_ack_window(workers: usize) -> (u32, usize) {
    let end = Offset(i64::from(MESSAGES));
    let mut window = AckWindow::new(Offset::ZERO, 100);
    let mut next = Offset::ZERO;
    let mut millis = 0;
    let mut out_of_order = 0;
    // By when it is done; not all take equally long, or nothing would overtake.
    let mut at_work: BTreeSet<(u32, Offset)> = BTreeSet::new();
    while window.frontier() < end {
        while at_work.len() < workers && next < end && window.hand_out(next) {
            let more = u32::try_from(next.0 * 7).expect("small") % (2 * SPREAD + 1);
            at_work.insert((millis + WORK - SPREAD + more, next));
            next = next.plus(1);
        }
        let (done, offset) = at_work.pop_first().expect("a worker is at work");
        millis = done;
        out_of_order += usize::from(offset > window.frontier());
        window.ack(offset);
    }
    (millis, out_of_order)
}
