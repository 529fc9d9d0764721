//! Compaction beside transactions, and beside what is saved about them.

use std::sync::Arc;
use std::time::Duration;

use message_model::{Moment, Offset, ProducerEpoch, ProducerId};
use record_batch::{Batches, Marker, decode_records};
use sim_disk::SimDisk;

use crate::compaction::{COMPACT, keyed, write_keyed};
use crate::producers::end;
use crate::rules::{Rules, Sent};
use crate::support::{Broker, NOW, append, bytes};

async fn compacting() -> Broker {
    let rules = Arc::new(Rules::default());
    let broker = Broker::start_with_rules(&SimDisk::new(7), &rules);
    broker.create_with("t", 1, &COMPACT).await;
    broker
}

/// Many values for two keys, over several segments, all on disk; nothing is saved beside them.
async fn write_much(broker: &Broker) {
    for round in 0..20 {
        write_keyed(broker, round).await;
    }
    let partition = broker.partition("t", 0);
    let end = partition.ends().unwrap().log_end;
    let deadline = Moment::after_start(Duration::MAX);
    partition.durable(end, deadline).await.unwrap();
}

/// How many records are missing from `from` on.
async fn missing(broker: &Broker, from: Offset) -> i64 {
    let end = broker.partition("t", 0).ends().unwrap().log_end.0;
    let (mut next, mut found) = (from.0, 0);
    while next < end {
        let answer = broker.fetch_now("t", next).await;
        for batch in Batches::new(&bytes(&answer.records)) {
            let (header, batch) = batch.unwrap();
            let records = decode_records(batch).unwrap();
            let wanted = records.iter().filter(|one| header.offset_of(one) >= from);
            found += i64::try_from(wanted.count()).unwrap();
            next = header.range().end.0;
        }
    }
    end - from.0 - found
}

/// Behind the last stable offset it is not known which records will count.
#[tokio::test]
async fn compaction_stops_at_an_open_transaction() {
    let broker = compacting().await;
    let partition = broker.partition("t", 0);
    write_much(&broker).await;
    let (id, epoch) = (ProducerId(4), ProducerEpoch(0));
    partition.begin_transaction(NOW, id, epoch).await.unwrap();
    let sent = Sent::new(4, 0).in_transaction();
    let open = sent.stamp(keyed(&[Some("a")], "perhaps"));
    let open = append(&partition, NOW, open).await.unwrap().range.start;
    write_much(&broker).await;
    assert_eq!(broker.topics.compact().await.compacted, 1);
    assert!(missing(&broker, Offset(0)).await > 10);
    assert_eq!(missing(&broker, open).await, 0);
    end(&partition, 4, Marker::Commit).await.unwrap();
    write_much(&broker).await;
    assert_eq!(broker.topics.compact().await.compacted, 1);
    assert!(missing(&broker, open).await > 10);
}

/// A start with the snapshot reads the log from there on: what it has as open must end there.
#[tokio::test]
async fn compaction_stops_where_the_snapshot_of_producers_begins() {
    let broker = compacting().await;
    let partition = broker.partition("t", 0);
    append(
        &partition,
        NOW,
        Sent::new(4, 0).stamp(keyed(&[Some("a")], "first")),
    )
    .await
    .unwrap();
    write_much(&broker).await;
    assert!(broker.topics.save_recovery_points().await.is_empty());
    let saved = partition.ends().unwrap().log_end;
    write_much(&broker).await;
    assert_eq!(broker.topics.compact().await.compacted, 1);
    assert!(missing(&broker, Offset(0)).await > 10);
    assert_eq!(missing(&broker, saved).await, 0);
    assert!(broker.topics.save_recovery_points().await.is_empty());
    assert_eq!(broker.topics.compact().await.compacted, 1);
    assert!(missing(&broker, saved).await > 10);
}
