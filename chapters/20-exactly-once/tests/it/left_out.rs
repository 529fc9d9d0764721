//! Each rule can be left out, and then what it is for goes wrong.

use exactly_once::{Rule, Rules, UnknownRule};
use record_batch::Marker;
use wire_protocol::ErrorCode;

use crate::support::{Queue, Settings, sent};

async fn without(rule: Rule) -> Queue {
    let mut settings = Settings::default();
    settings.producers.rules = Rules::ALL.without(rule);
    Queue::start_with(settings).await
}

#[tokio::test]
async fn without_ordering_batches_overtake_each_other() {
    let queue = without(Rule::Ordering).await;
    assert_eq!(queue.send(sent(7, 0), &["a"]).await, Ok(0));
    assert_eq!(queue.send(sent(7, 2), &["c"]).await, Ok(1));
    assert_eq!(queue.send(sent(7, 1), &["b"]).await, Ok(2));
    // The other rules hold.
    assert_eq!(queue.send(sent(7, 2), &["c"]).await, Ok(1));
}

#[tokio::test]
async fn without_duplicates_a_retry_is_stored_again_and_the_next_batch_is_the_next_one() {
    let queue = without(Rule::Duplicates).await;
    for first in 0..3 {
        queue.send(sent(7, first), &["a"]).await.unwrap();
    }
    assert_eq!(queue.send(sent(7, 2), &["a"]).await, Ok(3));
    assert_eq!(queue.send(sent(7, 1), &["a"]).await, Ok(4));
    assert_eq!(queue.send(sent(7, 3), &["a"]).await, Ok(5));
    let gap = queue.send(sent(7, 5), &["a"]).await;
    assert_eq!(gap, Err(ErrorCode::OUT_OF_ORDER_SEQUENCE_NUMBER));
}

#[tokio::test]
async fn without_the_fence_a_zombie_writes_into_the_transaction_of_its_successor() {
    let queue = without(Rule::Fence).await;
    queue.begin(7, 1).await.unwrap();
    let zombie = sent(7, 0).in_transaction();
    assert_eq!(queue.send(zombie, &["late"]).await, Ok(0));
    // What the zombie writes does not change the numbers of the successor.
    assert_eq!(queue.send(zombie.epoch(1), &["a"]).await, Ok(1));
    queue.end(7, 1, Marker::Commit).await.unwrap();
}

#[tokio::test]
async fn without_transactions_readers_see_what_is_open() {
    let queue = without(Rule::Transactions).await;
    let batch = sent(7, 0).in_transaction();
    assert_eq!(queue.send(batch, &["a"]).await, Ok(0));
    assert_eq!(queue.last_stable(), 1);
    queue.end(7, 0, Marker::Abort).await.unwrap();
    assert_eq!(queue.last_stable(), 2);
}

#[test]
fn rules_have_names() {
    for rule in Rule::ALL {
        assert_eq!(rule.to_string().parse(), Ok(rule));
        let others = Rule::ALL.into_iter().filter(|other| *other != rule);
        let rules = Rules::ALL.without(rule);
        assert!(!rules.has(rule));
        assert!(others.into_iter().all(|other| rules.has(other)));
        assert_eq!(rules.left_out().collect::<Vec<_>>(), [rule]);
    }
    assert_eq!("order".parse::<Rule>(), Err(UnknownRule));
    assert_eq!(Rules::ALL.left_out().count(), 0);
}
