//! Rules for producers in a partition: duplicates, refusals, and transactions as readers see them.

use std::sync::Arc;
use std::time::Duration;

use broker::{Appended, Error, Partition, Produced, api, error_code};
use message_model::{Moment, Offset, ProducerEpoch, ProducerId, Timestamp};
use record_batch::{EndTransaction, Marker};
use sim_disk::{Call, SimDisk};
use std::path::Path;
use wire_protocol::ErrorCode;
use wire_protocol::message::ProduceRequest;

use crate::rules::{EXPIRATION, Rules, Sent};
use crate::support::{Broker, NOW, append, only_partition, produce_request, response, until};

/// A broker with rules and the topic `t`.
pub(crate) async fn with_rules() -> (Broker, Arc<Rules>) {
    let rules = Arc::new(Rules::default());
    let broker = Broker::start_with_rules(&SimDisk::new(7), &rules);
    broker.create("t", 1).await;
    (broker, rules)
}

/// A request of a transactional producer.
fn in_transaction(acks: i16, batch: Vec<u8>) -> ProduceRequest {
    ProduceRequest {
        transactional_id: Some("a".to_owned()),
        ..produce_request(acks, "t", batch)
    }
}

/// A batch of an open transaction of `producer` is in the log.
pub(crate) async fn open(partition: &Arc<Partition>, producer: i64, first: i32) -> Appended {
    let (id, epoch) = (ProducerId(producer), ProducerEpoch(0));
    partition.begin_transaction(NOW, id, epoch).await.unwrap();
    let batch = Sent::new(producer, first)
        .in_transaction()
        .batch(&["a", "b"]);
    append(partition, NOW, batch).await.unwrap()
}

pub(crate) async fn end(
    partition: &Arc<Partition>,
    producer: i64,
    marker: Marker,
) -> Result<Appended, Error> {
    let end = EndTransaction {
        marker,
        coordinator_epoch: 3,
    };
    let (id, epoch) = (ProducerId(producer), ProducerEpoch(0));
    partition.append_marker(NOW, id, epoch, end).await
}

#[tokio::test]
async fn a_duplicate_is_answered_with_the_offset_of_the_first() {
    let (broker, _) = with_rules().await;
    broker.write(1, "t", &["of nobody"]).await;
    let first = Sent::new(4, 0).batch(&["a", "b"]);
    for batch in [first.clone(), Sent::new(4, 2).batch(&["c"])] {
        let answer = broker.produce(1, "t", batch).await;
        assert_eq!(answer.error_code, ErrorCode::NONE);
        assert_eq!(answer.log_append_time_ms, -1);
    }
    let again = broker.produce(1, "t", first).await;
    assert_eq!(again.error_code, ErrorCode::NONE);
    assert_eq!((again.base_offset, again.log_start_offset), (1, 0));
    assert_eq!(again.log_append_time_ms, 1_001, "its largest timestamp");
    let log_end = broker.partition("t", 0).ends().unwrap().log_end;
    assert_eq!(log_end, Offset(4), "nothing was appended");
}

#[tokio::test]
async fn a_duplicate_waits_until_the_first_is_on_disk() {
    let (broker, _) = with_rules().await;
    let broker = Arc::new(broker);
    let batch = Sent::new(4, 0).batch(&["a"]);
    broker.produce(1, "t", batch.clone()).await;
    let parking = broker.disk.park_next(Call::Sync, Path::new("/data/t-0"));
    let asking = Arc::clone(&broker);
    let answer = tokio::spawn(async move { asking.produce(-1, "t", batch).await });
    until("the sync has begun", || parking.count() > 0).await;
    assert!(!answer.is_finished());
    parking.release();
    let answer = answer.await.unwrap();
    assert_eq!(
        (answer.error_code, answer.base_offset),
        (ErrorCode::NONE, 0)
    );
    assert_eq!(broker.partition("t", 0).ends().unwrap().durable, Offset(1));
}

/// Also at the end of a full segment.
#[tokio::test]
async fn a_duplicate_makes_no_segment() {
    let (broker, _) = with_rules().await;
    let long = "x".repeat(3_000);
    for first in 0..3 {
        let batch = Sent::new(4, first).batch(&[&long]);
        broker.produce(1, "t", batch).await;
    }
    let files = broker.disk.files().len();
    let again = broker.produce(1, "t", Sent::new(4, 2).batch(&[&long]));
    assert_eq!(again.await.base_offset, 2);
    assert_eq!(broker.disk.files().len(), files);
    broker
        .produce(1, "t", Sent::new(4, 3).batch(&[&long]))
        .await;
    assert!(
        broker.disk.files().len() > files,
        "the next batch makes one"
    );
}

#[tokio::test]
async fn what_the_rules_refuse_is_not_appended() {
    let (broker, _) = with_rules().await;
    let sent = Sent::new(4, 0);
    let newer = Sent { epoch: 2, ..sent };
    broker.produce(1, "t", newer.batch(&["a"])).await;
    let gap = Sent { first: 2, ..newer };
    for (refused, code) in [
        (sent, ErrorCode::INVALID_PRODUCER_EPOCH),
        (gap, ErrorCode::OUT_OF_ORDER_SEQUENCE_NUMBER),
    ] {
        let answer = broker.produce(-1, "t", refused.batch(&["b"])).await;
        assert_eq!((answer.error_code, answer.base_offset), (code, -1));
    }
    assert_eq!(broker.partition("t", 0).ends().unwrap().log_end, Offset(1));
}

/// A batch that the disk refuses may come again: it is no duplicate, and no gap.
#[tokio::test]
async fn a_batch_that_could_not_be_written_is_not_known() {
    let (broker, rules) = with_rules().await;
    let batch = Sent::new(4, 0).batch(&["a"]);
    broker.disk.set_space(Some(10));
    let full = broker.produce(1, "t", batch.clone()).await;
    assert_eq!(full.error_code, ErrorCode::KAFKA_STORAGE_ERROR);
    assert!(rules.known().is_empty());
    broker.disk.set_space(None);
    let answer = broker.produce(1, "t", batch).await;
    assert_eq!(
        (answer.error_code, answer.base_offset),
        (ErrorCode::NONE, 0)
    );
    assert_eq!(answer.log_append_time_ms, -1);
}

#[tokio::test]
async fn a_transactional_batch_needs_a_transactional_id_and_a_transaction() {
    let (broker, _) = with_rules().await;
    let batch = Sent::new(4, 0).in_transaction().batch(&["a"]);
    let produce = async |request| {
        let acknowledgement = api::produce(&broker, request).await;
        only_partition(response(acknowledgement).await).error_code
    };
    assert_eq!(
        produce(produce_request(1, "t", batch.clone())).await,
        ErrorCode::TRANSACTIONAL_ID_AUTHORIZATION_FAILED
    );
    assert_eq!(
        produce(in_transaction(1, batch.clone())).await,
        ErrorCode::INVALID_TXN_STATE
    );
    let partition = broker.partition("t", 0);
    let (id, epoch) = (ProducerId(4), ProducerEpoch(0));
    partition.begin_transaction(NOW, id, epoch).await.unwrap();
    assert_eq!(produce(in_transaction(1, batch)).await, ErrorCode::NONE);
    let newer = partition.begin_transaction(NOW, id, ProducerEpoch(1)).await;
    newer.unwrap();
    let older = ProducerEpoch(-1);
    let refused = partition
        .begin_transaction(NOW, id, older)
        .await
        .unwrap_err();
    assert_eq!(error_code(&refused), ErrorCode::INVALID_PRODUCER_EPOCH);
}

/// A marker of an older epoch is refused, and so is what its producer still sends.
#[tokio::test]
async fn a_marker_can_be_refused() {
    let (broker, rules) = with_rules().await;
    let partition = broker.partition("t", 0);
    open(&partition, 4, 0).await;
    let newer = EndTransaction {
        marker: Marker::Abort,
        coordinator_epoch: 3,
    };
    let id = ProducerId(4);
    let fencing = partition.append_marker(NOW, id, ProducerEpoch(1), newer);
    fencing.await.unwrap();
    let refused = end(&partition, 4, Marker::Commit).await.unwrap_err();
    assert_eq!(error_code(&refused), ErrorCode::INVALID_PRODUCER_EPOCH);
    assert_eq!(rules.known()[&4].epoch, 1);
    let late = in_transaction(1, Sent::new(4, 2).in_transaction().batch(&["late"]));
    let late = only_partition(response(api::produce(&broker, late).await).await);
    assert_eq!(late.error_code, ErrorCode::INVALID_PRODUCER_EPOCH);
}

/// What a coordinator writes into a topic of the broker's own: of a producer, without a number.
#[tokio::test]
async fn a_batch_that_the_broker_makes_needs_no_sequence_number() {
    let (broker, _) = with_rules().await;
    let partition = broker.partition("t", 0);
    let (id, epoch) = (ProducerId(4), ProducerEpoch(0));
    partition.begin_transaction(NOW, id, epoch).await.unwrap();
    let sent = Sent::new(4, -1).in_transaction();
    let produced = Produced::by_broker(sent.batch(&["an offset"])).unwrap();
    let appended = partition.append(NOW, produced).await.unwrap();
    assert_eq!(appended.ends.last_stable, Offset(0));
    assert!(Produced::by_broker(vec![0; 80]).is_err());
}

#[tokio::test]
async fn producers_are_described_and_forgotten() {
    let (broker, rules) = with_rules().await;
    let partition = broker.partition("t", 0);
    for producer in [9, 1, 5, 3, 7] {
        let batch = Sent::new(producer, 0).batch(&["a", "b"]);
        append(&partition, NOW, batch).await.unwrap();
    }
    open(&partition, 2, 0).await;
    end(&partition, 5, Marker::Commit).await.unwrap();
    let all = partition.describe_producers().await.unwrap();
    let described: Vec<_> = all
        .iter()
        .map(|one| (one.producer.0, one.last_sequence, one.transaction_start))
        .collect();
    let others = [1, 2, 3, 5, 7, 9].map(|id| (id, Some(1), (id == 2).then_some(Offset(10))));
    assert_eq!(described, others);
    assert_eq!(all[3].coordinator_epoch, Some(3));
    assert_eq!(all[0].last_timestamp, NOW);

    let later = Timestamp(NOW.0 + i64::try_from(EXPIRATION.as_millis()).unwrap());
    assert!(broker.topics.expire_producers(later).await.is_empty());
    assert_eq!(rules.known().len(), 6, "not yet");
    let later = Timestamp(later.0 + 1);
    assert!(broker.topics.expire_producers(later).await.is_empty());
    assert_eq!(rules.known().keys().collect::<Vec<_>>(), [&2]);
    assert_eq!(partition.ends().unwrap().last_stable, Offset(10));
}

/// A topic that is gone answers each call with an error.
#[tokio::test]
async fn a_partition_that_is_offline_knows_no_producers() {
    let (broker, _) = with_rules().await;
    let partition = broker.partition("t", 0);
    open(&partition, 4, 0).await;
    broker
        .topics
        .delete(&crate::support::name("t"))
        .await
        .unwrap();
    assert!(partition.describe_producers().await.is_err());
    assert!(end(&partition, 4, Marker::Commit).await.is_err());
    let deadline = Moment::after_start(Duration::ZERO);
    assert!(partition.durable(Offset(1), deadline).await.is_err());
}
