//! What is decided survives a crash, and what is open goes on.

use wire_protocol::ErrorCode;

use crate::asking::{Producer, end, until};
use crate::support::{NOW, Queue, sent};

const NONE: ErrorCode = ErrorCode::NONE;

async fn write(queue: &Queue, producer: &Producer, first: i32) -> Result<(), ErrorCode> {
    let sent = sent(producer.id, first).epoch(producer.epoch);
    let written = queue.send_to(0, NOW, sent.in_transaction(), &["a"]);
    written.await.map(drop)
}

#[tokio::test]
async fn an_open_transaction_goes_on() {
    let queue = Queue::start().await;
    let producer = queue.producer("x").await;
    queue.add(&producer, &[("t", &[0])]).await;
    let queue = queue.after_power_failure().await;
    assert_eq!(queue.state("x"), "Ongoing");
    // The partition knows it at once.
    write(&queue, &producer, 0).await.unwrap();
    assert_eq!(queue.end_txn(&producer, true).await, NONE);
    assert_eq!(queue.last_stable(), 2);
}

#[tokio::test]
async fn what_was_answered_survives() {
    let queue = Queue::start().await;
    let producer = queue.producer("x").await;
    queue.add(&producer, &[("t", &[0])]).await;
    write(&queue, &producer, 0).await.unwrap();
    assert_eq!(queue.end_txn(&producer, true).await, NONE);
    let queue = queue.after_power_failure().await;
    // That all markers are there may not be on disk: then they are written again.
    let again = end(&queue, &producer, true).await;
    assert_eq!(again, NONE);
    let ends = queue.partition(0).ends().unwrap();
    assert!(ends.last_stable.0 >= 2 && ends.last_stable == ends.log_end);
    let next = queue.producer("x").await;
    assert_eq!((next.id, next.epoch), (producer.id, producer.epoch + 1));
}

#[tokio::test]
async fn markers_that_are_missing_are_written_at_the_next_start() {
    let queue = Queue::start().await;
    let producer = queue.producer("x").await;
    queue.add(&producer, &[("t", &[0, 1])]).await;
    write(&queue, &producer, 0).await.unwrap();
    // The data is on disk; the sync of its markers is not done before the crash.
    let partition = queue.partition(0);
    let never = message_model::Moment::after_start(std::time::Duration::from_hours(1));
    let end = partition.ends().unwrap().log_end;
    partition.durable(end, never).await.unwrap();
    let before = queue.disk.crash();
    assert_eq!(queue.end_txn(&producer, false).await, NONE);
    let after = queue.disk.crash();
    for (disk, state) in [(before, "Ongoing"), (after, "CompleteAbort")] {
        let queue = Queue::open(&disk, queue.settings.clone());
        queue.groups.load().await;
        queue.transactions.load().await;
        let is_complete = || queue.state("x") != "PrepareAbort";
        until("all markers are there", is_complete).await;
        assert_eq!(queue.state("x"), state);
    }
}

#[tokio::test]
async fn a_clean_stop_keeps_everything() {
    let queue = Queue::start().await;
    let first = queue.producer("x").await;
    let second = queue.producer("y").await;
    queue.add(&first, &[("t", &[0])]).await;
    write(&queue, &first, 0).await.unwrap();
    let queue = queue.after_stop().await;
    assert_eq!(queue.state("x"), "Ongoing");
    assert_eq!(queue.describe("y").producer_id, second.id);
    write(&queue, &first, 1).await.unwrap();
    assert_eq!(queue.end_txn(&first, true).await, NONE);
    assert_eq!(queue.last_stable(), 3);
}
