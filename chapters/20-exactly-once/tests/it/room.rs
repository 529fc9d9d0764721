//! All partitions together know so many producers.

use message_model::Timestamp;
use record_batch::Marker;
use wire_protocol::ErrorCode;

use crate::support::{NOW, Queue, Settings, name, sent};

async fn start(producers_max: usize) -> Queue {
    let mut settings = Settings::default();
    settings.producers.producers_max = producers_max;
    Queue::start_with(settings).await
}

async fn send(queue: &Queue, partition: i32, producer: i64, first: i32) -> Result<(), ErrorCode> {
    let sent = queue.send_to(partition, NOW, sent(producer, first), &["a"]);
    sent.await.map(drop)
}

#[tokio::test]
async fn the_one_that_is_silent_for_the_longest_time_gives_way_in_whatever_partition() {
    let queue = start(3).await;
    send(&queue, 0, 7, 0).await.unwrap();
    send(&queue, 1, 8, 0).await.unwrap();
    send(&queue, 1, 7, 0).await.unwrap();
    // Producer 7 is used in partition 0, so 8 is the oldest.
    send(&queue, 0, 7, 1).await.unwrap();
    send(&queue, 2, 9, 0).await.unwrap();
    assert_eq!(queue.known(0).await, [7]);
    assert_eq!(queue.known(1).await, [7]);
    assert_eq!(queue.known(2).await, [9]);
    send(&queue, 2, 10, 0).await.unwrap();
    assert!(queue.known(1).await.is_empty());
    assert_eq!(queue.known(2).await, [9, 10]);
}

#[tokio::test]
async fn who_has_an_open_transaction_does_not_give_way() {
    let queue = start(4).await;
    // One was there before, and one is new.
    send(&queue, 0, 7, 0).await.unwrap();
    for producer in [7, 8] {
        queue.begin(producer, 0).await.unwrap();
    }
    for producer in 9..15 {
        send(&queue, 1, producer, 0).await.unwrap();
    }
    assert_eq!(queue.known(0).await, [7, 8]);
    assert_eq!(queue.known(1).await, [13, 14]);
    // One that has ended its transaction may give way again.
    queue.end(7, 0, Marker::Commit).await.unwrap();
    for producer in 15..18 {
        send(&queue, 1, producer, 0).await.unwrap();
    }
    assert_eq!(queue.known(0).await, [8]);
}

#[tokio::test]
async fn open_transactions_take_half_of_the_room_and_new_producers_have_the_other_half() {
    let queue = start(5).await;
    send(&queue, 0, 7, 0).await.unwrap();
    for producer in [7, 8, 9] {
        queue.begin(producer, 0).await.unwrap();
    }
    let full = Err(ErrorCode::POLICY_VIOLATION);
    send(&queue, 0, 10, 0).await.unwrap();
    // Neither one that is new nor one that is known.
    for producer in [10, 11] {
        assert_eq!(queue.begin(producer, 0).await, full);
    }
    queue.begin(7, 0).await.unwrap();
    for producer in 20..30 {
        send(&queue, 1, producer, 0).await.unwrap();
    }
    // It is the same after a start.
    let queue = queue.after_stop().await;
    assert_eq!(queue.begin(11, 0).await, full);
    send(&queue, 1, 30, 0).await.unwrap();
    queue.end(7, 0, Marker::Commit).await.unwrap();
    queue.begin(11, 0).await.unwrap();
    assert_eq!(queue.begin(12, 0).await, full);
}

#[tokio::test]
async fn a_transaction_for_which_there_is_no_room_is_refused_and_can_be_aborted() {
    let queue = start(4).await;
    let (x, y) = (queue.producer("x").await, queue.producer("y").await);
    assert_eq!(queue.add(&x, &[("t", &[0, 1])]).await, [ErrorCode::NONE; 2]);
    let full = [ErrorCode::POLICY_VIOLATION; 2];
    assert_eq!(queue.add(&y, &[("t", &[2, 3])]).await, full);
    send(&queue, 3, 100, 0).await.unwrap();
    assert_eq!(queue.end_txn(&y, false).await, ErrorCode::NONE);
    assert_eq!(queue.end_txn(&x, true).await, ErrorCode::NONE);
    assert_eq!(queue.add(&y, &[("t", &[2, 3])]).await, [ErrorCode::NONE; 2]);
}

#[tokio::test]
async fn nobody_is_forgotten_for_markers_of_producers_that_are_not_known() {
    let queue = start(3).await;
    send(&queue, 1, 7, 0).await.unwrap();
    queue.begin(8, 0).await.unwrap();
    for producer in 100..110 {
        queue.end(producer, 0, Marker::Abort).await.unwrap();
    }
    assert_eq!(queue.known(0).await, [8, 100]);
    assert_eq!(queue.known(1).await, [7]);
    // A marker that ends something is noted, though the room is full.
    queue.end(8, 1, Marker::Abort).await.unwrap();
    assert_eq!(
        queue.begin(8, 0).await,
        Err(ErrorCode::INVALID_PRODUCER_EPOCH)
    );
}

#[tokio::test]
async fn a_topic_that_is_deleted_makes_room() {
    let queue = start(4).await;
    for producer in [7, 8] {
        queue.begin(producer, 0).await.unwrap();
    }
    let topics = &queue.broker.topics;
    topics
        .create(&name("u"), 1, topics.new_config())
        .await
        .unwrap();
    topics.delete(&name("t")).await.unwrap();
    topics
        .create(&name("t"), 1, topics.new_config())
        .await
        .unwrap();
    for producer in [9, 10] {
        queue.begin(producer, 0).await.unwrap();
    }
    for producer in [11, 12] {
        send(&queue, 0, producer, 0).await.unwrap();
    }
    assert_eq!(queue.known(0).await, [9, 10, 11, 12]);
}

#[tokio::test]
async fn what_expires_makes_room() {
    let queue = start(1).await;
    send(&queue, 0, 7, 0).await.unwrap();
    let now = queue.broker.services.clock.wall();
    queue.broker.topics.expire_producers(now).await;
    queue.begin(8, 0).await.unwrap();
    assert_eq!(queue.known(0).await, [8]);
    assert_eq!(queue.begin(9, 0).await, Err(ErrorCode::POLICY_VIOLATION));
}

#[tokio::test]
async fn a_known_producer_pushes_nobody_out() {
    let queue = start(2).await;
    send(&queue, 0, 7, 0).await.unwrap();
    send(&queue, 1, 8, 0).await.unwrap();
    for number in 1..4 {
        send(&queue, 1, 8, number).await.unwrap();
        send(&queue, 0, 7, number).await.unwrap();
    }
    assert_eq!(queue.known(0).await, [7]);
    assert_eq!(queue.known(1).await, [8]);
}

#[tokio::test]
async fn a_clock_that_is_set_back_makes_no_busy_producer_give_way() {
    let queue = start(2).await;
    let earlier = Timestamp(NOW.0 - 3_600_000);
    send(&queue, 0, 7, 0).await.unwrap();
    let late = queue.send_to(1, earlier, sent(8, 0), &["a"]).await;
    late.unwrap();
    let new = queue.send_to(1, earlier, sent(9, 0), &["a"]).await;
    new.unwrap();
    assert!(queue.known(0).await.is_empty());
    assert_eq!(queue.known(1).await, [8, 9]);
}

#[tokio::test]
async fn a_producer_that_ends_its_transaction_is_not_silent() {
    let queue = start(3).await;
    for producer in [7, 8] {
        queue.begin(producer, 0).await.unwrap();
    }
    send(&queue, 1, 9, 0).await.unwrap();
    // The marker of 7 is behind the batch of 9, so 9 gives way, although 7 has come first.
    queue.end(7, 0, Marker::Commit).await.unwrap();
    send(&queue, 2, 10, 0).await.unwrap();
    assert!(queue.known(1).await.is_empty());
    assert_eq!(queue.known(0).await, [7, 8]);
    send(&queue, 2, 11, 0).await.unwrap();
    assert_eq!(queue.known(0).await, [8]);
    assert_eq!(queue.known(2).await, [10, 11]);
}

#[tokio::test]
async fn after_a_start_the_same_producer_gives_way() {
    let queue = start(4).await;
    let now = queue.broker.services.clock.wall();
    for (partition, producer, number) in [(0, 9, 0), (1, 7, 0), (0, 8, 0), (0, 7, 0), (0, 9, 1)] {
        let one = queue.send_to(partition, now, sent(producer, number), &["a"]);
        one.await.unwrap();
    }
    let queue = queue.after_stop().await;
    send(&queue, 2, 1, 0).await.unwrap();
    assert!(queue.known(1).await.is_empty());
    send(&queue, 2, 2, 0).await.unwrap();
    assert_eq!(queue.known(0).await, [7, 9]);
    assert_eq!(queue.known(2).await, [1, 2]);
}

#[tokio::test]
async fn a_start_with_a_lower_limit_remembers_those_that_wrote_last() {
    let queue = start(10).await;
    let now = queue.broker.services.clock.wall();
    for producer in [9, 1, 8, 2, 7, 3, 6, 4, 5, 0] {
        let one = queue.send_to(0, now, sent(producer, 0), &["a"]);
        one.await.unwrap();
    }
    let mut queue = queue;
    queue.settings.producers.producers_max = 4;
    let queue = queue.after_stop().await;
    assert_eq!(queue.known(0).await, [0, 4, 5, 6]);
}
