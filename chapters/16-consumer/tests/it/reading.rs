//! Reading partitions that are assigned by hand.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use consumer::{Committed, Done, OffsetReset, Redelivery, SeekTo, Sent, Settings};
use message_model::{Offset, Timestamp};

use crate::fake::Fake;
use crate::{consumer, partition, read, settings, topic, values};

#[tokio::test]
async fn what_is_there_is_read_in_order_and_once() {
    let fake = Fake::start(&[("t", 1)]).await;
    fake.append("t", 0, &values(0, 10));
    fake.append("t", 0, &values(10, 25));
    let mut consumer = consumer(&fake, settings("g")).await;
    consumer
        .assign(BTreeSet::from([partition("t", 0)]))
        .await
        .unwrap();
    assert_eq!(read(&mut consumer, 25).await, values(0, 25));
    assert_eq!(consumer.position(&partition("t", 0)), Some(Offset(25)));
    fake.append("t", 0, &values(25, 30));
    assert_eq!(read(&mut consumer, 5).await, values(25, 30));
    assert_eq!(consumer.lag()[0].offsets(), Some(0));
}

#[tokio::test]
async fn seeks_go_everywhere() {
    let fake = Fake::start(&[("t", 1)]).await;
    fake.append("t", 0, &values(0, 10));
    let mut consumer = consumer(&fake, settings("g")).await;
    let t0 = partition("t", 0);
    consumer.assign(BTreeSet::from([t0.clone()])).await.unwrap();
    assert_eq!(read(&mut consumer, 10).await.len(), 10);
    consumer.seek(&t0, SeekTo::Offset(Offset(7))).await.unwrap();
    assert_eq!(read(&mut consumer, 3).await, values(7, 10));
    consumer.seek(&t0, SeekTo::Beginning).await.unwrap();
    assert_eq!(read(&mut consumer, 10).await, values(0, 10));
    consumer
        .seek(&t0, SeekTo::Time(Timestamp(900)))
        .await
        .unwrap();
    assert_eq!(consumer.position(&t0), Some(Offset(0)));
    consumer
        .seek(&t0, SeekTo::Time(Timestamp(2_000)))
        .await
        .unwrap();
    assert_eq!(consumer.position(&t0), Some(Offset(10)));
    consumer.seek(&t0, SeekTo::End).await.unwrap();
    fake.append("t", 0, &values(10, 11));
    assert_eq!(read(&mut consumer, 1).await, values(10, 11));
}

#[tokio::test]
async fn an_offset_that_is_gone_is_reset() {
    let fake = Fake::start(&[("t", 1)]).await;
    fake.append("t", 0, &values(0, 5));
    fake.append("t", 0, &values(5, 10));
    fake.delete_below("t", 0, 5);
    let mut earliest = consumer(&fake, settings("g")).await;
    let t0 = partition("t", 0);
    earliest.assign(BTreeSet::from([t0.clone()])).await.unwrap();
    earliest.seek(&t0, SeekTo::Offset(Offset(0))).await.unwrap();
    assert_eq!(read(&mut earliest, 5).await, values(5, 10));
    let strict = Settings {
        reset: OffsetReset::None,
        ..settings("h")
    };
    let mut strict = consumer(&fake, strict).await;
    let assigned = strict.assign(BTreeSet::from([t0.clone()])).await;
    assert!(matches!(assigned, Err(consumer::Error::NoOffset(partition)) if partition == t0));
}

#[tokio::test]
async fn a_paused_partition_waits() {
    let fake = Fake::start(&[("t", 2)]).await;
    let mut consumer = consumer(&fake, settings("g")).await;
    let both = BTreeSet::from([partition("t", 0), partition("t", 1)]);
    consumer.assign(both).await.unwrap();
    let paused = BTreeSet::from([partition("t", 0)]);
    consumer.pause(&paused);
    fake.append("t", 0, &values(0, 3));
    fake.append("t", 1, &values(3, 6));
    assert_eq!(read(&mut consumer, 3).await, values(3, 6));
    consumer.resume(&paused);
    assert_eq!(read(&mut consumer, 3).await, values(0, 3));
}

#[tokio::test]
async fn commits_keep_metadata_and_come_back() {
    let fake = Fake::start(&[("t", 2)]).await;
    let mut consumer = consumer(&fake, settings("g")).await;
    let t1 = partition("t", 1);
    let committed = Committed {
        offset: Offset(3),
        metadata: "by hand".to_owned(),
    };
    let offsets = BTreeMap::from([(t1.clone(), committed)]);
    consumer.commit_offsets(offsets.clone()).await.unwrap();
    let both = BTreeSet::from([partition("t", 0), t1.clone()]);
    assert_eq!(consumer.committed(&both).await.unwrap(), offsets);
    let later = consumer.commit_offsets_async(offsets.clone()).unwrap();
    later.wait().await.unwrap();
    assert_eq!(consumer.committed(&both).await.unwrap(), offsets);
    fake.append("t", 1, &values(0, 5));
    consumer.assign(BTreeSet::from([t1])).await.unwrap();
    assert_eq!(read(&mut consumer, 2).await, values(3, 5));
}

#[tokio::test]
async fn only_what_is_done_is_committed() {
    let fake = Fake::start(&[("t", 1)]).await;
    for n in 0..3 {
        fake.append("t", 0, &values(n * 10, n * 10 + 10));
    }
    let by_hand = Settings {
        done: Done::WhenSaid,
        partition_fetch_max_bytes: 1,
        ..settings("g")
    };
    let mut consumer = consumer(&fake, by_hand).await;
    consumer
        .assign(BTreeSet::from([partition("t", 0)]))
        .await
        .unwrap();
    let mut work = Vec::new();
    while work.len() < 3 {
        let polled = consumer.poll(crate::PATIENCE).await.unwrap();
        work.extend(polled.map(|polled| polled.work));
    }
    let acks = consumer.acks();
    acks.done(&work[1]);
    consumer.commit_sync().await.unwrap();
    assert_eq!(fake.committed("g", "t", 0), Some(0), "where it began");
    acks.done(&work[0]);
    consumer.commit_async().unwrap().wait().await.unwrap();
    assert_eq!(fake.committed("g", "t", 0), Some(20));
    acks.done(&work[2]);
    consumer.close(Duration::from_secs(5)).await.unwrap();
    assert_eq!(
        fake.committed("g", "t", 0),
        Some(20),
        "it does not commit by itself"
    );
}

#[tokio::test]
async fn a_poison_message_goes_to_the_dead_letters() {
    let topics = [("t", 1), ("t.retry", 1), ("t.dlq", 1)];
    let fake = Fake::start(&topics).await;
    fake.append("t", 0, &values(0, 1));
    let mut consumer = consumer(&fake, settings("g")).await;
    let retry = Redelivery::retry_topic(&topic("t")).unwrap();
    assert_eq!(retry, topic("t.retry"));
    let all = BTreeSet::from([partition("t", 0), partition("t.retry", 0)]);
    consumer.assign(all).await.unwrap();
    let client = client::Client::connect(&fake.address(), client::Settings::default()).await;
    let redelivery = Redelivery::new(client.unwrap().into(), 3);
    let mut sent = Vec::new();
    while sent.len() < 3 {
        let Some(polled) = consumer.poll(crate::PATIENCE).await.unwrap() else {
            continue;
        };
        for record in polled.records {
            let record = record.unwrap();
            sent.push(redelivery.failed(&polled.partition, &record).await.unwrap());
        }
    }
    let expected = [
        Sent::ToRetry(topic("t.retry"), 1),
        Sent::ToRetry(topic("t.retry"), 2),
        Sent::ToDeadLetters(topic("t.dlq")),
    ];
    assert_eq!(sent, expected);
    let dead = BTreeSet::from([partition("t.dlq", 0)]);
    consumer.assign(dead).await.unwrap();
    let mut polled = consumer.poll(crate::PATIENCE).await.unwrap().unwrap();
    let record = polled.records.next().unwrap().unwrap();
    let origin = record
        .headers
        .iter()
        .find(|(name, _)| name == "redelivery-origin");
    assert_eq!(origin.unwrap().1.as_deref(), Some(&b"t-0@0"[..]));
}
