//! Producers that are silent are forgotten.

use message_model::Timestamp;
use wire_protocol::ErrorCode;

use crate::support::{NOW, Queue, sent};

/// `producer.id.expiration.ms`.
const DAY: i64 = 24 * 60 * 60 * 1_000;

fn later(millis: i64) -> Timestamp {
    Timestamp(NOW.0 + millis)
}

#[tokio::test]
async fn a_producer_is_forgotten_when_it_is_silent_for_a_day() {
    let queue = Queue::start().await;
    queue.send(sent(7, 5), &["a"]).await.unwrap();
    let of_8 = queue.send_to(0, later(1), sent(8, 0), &["b"]).await;
    of_8.unwrap();
    let topics = &queue.broker.topics;
    assert!(topics.expire_producers(later(DAY - 1)).await.is_empty());
    assert_eq!(queue.known(0).await, [7, 8]);
    assert!(topics.expire_producers(later(DAY)).await.is_empty());
    assert_eq!(queue.known(0).await, [8]);
    // A retry is not recognised any more.
    assert_eq!(queue.send(sent(7, 5), &["a"]).await, Ok(2));
}

#[tokio::test]
async fn a_producer_that_sends_a_batch_again_is_not_silent() {
    let queue = Queue::start().await;
    queue.send(sent(7, 5), &["a"]).await.unwrap();
    let again = queue.send_to(0, later(DAY / 2), sent(7, 5), &["a"]).await;
    assert_eq!(again.unwrap().range.start.0, 0);
    let topics = &queue.broker.topics;
    topics.expire_producers(later(DAY)).await;
    assert_eq!(queue.known(0).await, [7]);
}

#[tokio::test]
async fn a_producer_with_an_open_transaction_is_not_forgotten() {
    let queue = Queue::start().await;
    queue.begin(7, 0).await.unwrap();
    assert!(
        queue
            .broker
            .topics
            .expire_producers(later(DAY))
            .await
            .is_empty()
    );
    assert_eq!(queue.known(0).await, [7]);
    let batch = sent(7, 0).in_transaction();
    assert_eq!(queue.send(batch, &["a"]).await, Ok(0));
}

#[tokio::test]
async fn a_clock_that_is_set_back_makes_no_producer_live_for_ever() {
    let queue = Queue::start().await;
    let ahead = later(100 * DAY);
    queue.send_to(0, ahead, sent(7, 0), &["a"]).await.unwrap();
    let topics = &queue.broker.topics;
    topics.expire_producers(NOW).await;
    topics.expire_producers(later(DAY)).await;
    assert!(queue.known(0).await.is_empty());
}

#[tokio::test]
async fn a_start_does_not_remember_what_has_expired_meanwhile() {
    let queue = Queue::start().await;
    // The clock of the machine is far ahead of this.
    queue.send(sent(7, 5), &["a"]).await.unwrap();
    let now = queue.broker.services.clock.wall();
    queue.send_to(0, now, sent(8, 5), &["a"]).await.unwrap();
    let queue = queue.after_stop().await;
    assert_eq!(queue.known(0).await, [8]);
    let gap = queue.send(sent(8, 7), &["c"]).await;
    assert_eq!(gap, Err(ErrorCode::OUT_OF_ORDER_SEQUENCE_NUMBER));
}
