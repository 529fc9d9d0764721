//! All partitions together know so many producers.

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
    let queue = start(2).await;
    // One was silent before, and one is new.
    queue.end(7, 0, Marker::Commit).await.unwrap();
    for producer in [7, 8] {
        queue.begin(producer, 0).await.unwrap();
    }
    let full = Err(ErrorCode::POLICY_VIOLATION);
    assert_eq!(send(&queue, 1, 9, 0).await, full);
    assert_eq!(queue.begin(9, 0).await, full);
    queue.begin(7, 0).await.unwrap();
    queue.end(7, 0, Marker::Commit).await.unwrap();
    send(&queue, 1, 9, 0).await.unwrap();
    assert_eq!(queue.known(0).await, [8]);
    // A marker is taken, though there is no room: it ends something.
    queue.begin(10, 0).await.unwrap();
    queue.end(11, 0, Marker::Abort).await.unwrap();
    assert_eq!(queue.known(0).await, [8, 10, 11]);
}

#[tokio::test]
async fn a_topic_that_is_deleted_makes_room() {
    let queue = start(2).await;
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
    send(&queue, 0, 9, 0).await.unwrap();
    send(&queue, 0, 10, 0).await.unwrap();
    assert_eq!(queue.known(0).await, [9, 10]);
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
async fn a_start_with_a_lower_limit_remembers_fewer() {
    let queue = start(10).await;
    let now = queue.broker.services.clock.wall();
    for producer in 0..10 {
        let one = queue.send_to(0, now, sent(producer, 0), &["a"]);
        one.await.unwrap();
    }
    let mut queue = queue;
    queue.settings.producers.producers_max = 4;
    let queue = queue.after_stop().await;
    assert_eq!(queue.known(0).await.len(), 4);
}
