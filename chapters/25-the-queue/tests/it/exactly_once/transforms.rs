//! What transforms write.

use std::collections::BTreeSet;
use std::ops::Range;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use client::{Client, ConsumedRecord};
use consumer::{OffsetReset, Topics};
use exactly_once_client::{Error, Output, Transform, TransformSettings};
use message_model::{TopicName, TopicPartition};
use producer::Producer;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

use super::{committed, connect, create, partition, record, settings, start};
use crate::support::PATIENCE;

/// What the transforms of these tests make of a record.
pub(super) fn doubled(
    to: &TopicName,
) -> impl FnMut(&TopicPartition, &ConsumedRecord) -> Vec<Output> + use<> {
    let to = to.clone();
    move |from, record| {
        let value = record.value.clone().unwrap();
        let twice = [&value[..], b"-", &value[..]].concat();
        vec![Output {
            topic: to.clone(),
            partition: Some(from.partition),
            timestamp: None,
            key: record.key.clone(),
            value: Some(Bytes::from(twice)),
            headers: vec![("from".to_owned(), Some(value))],
        }]
    }
}

/// How the transforms of these tests read.
pub(super) fn source() -> consumer::Settings {
    consumer::Settings {
        group: Some("g".to_owned()),
        reset: OffsetReset::Earliest,
        session_timeout: Duration::from_secs(2),
        heartbeat_interval: Duration::from_millis(100),
        partition_fetch_max_bytes: 500,
        ..consumer::Settings::default()
    }
}

/// Sends these numbers, in turns to each of the partitions.
pub(super) async fn fill(
    client: &Arc<Client>,
    topic: &TopicName,
    partitions: i32,
    numbers: Range<i32>,
) {
    let plain = Producer::new(Arc::clone(client), producer::Settings::default());
    for number in numbers {
        let value = number.to_string();
        drop(plain.send(topic, record(number % partitions, &value)).await);
    }
    plain.flush().await;
}

/// What is committed of the outputs of a partition when all is done.
pub(super) fn wanted(partition: i32, partitions: i32, (times, count): (usize, i32)) -> Vec<String> {
    let all = (0..times).flat_map(|_| 0..count);
    let its = all.filter(|number| number % partitions == partition);
    its.map(|number| format!("{number}-{number}")).collect()
}

/// Waits until the group has read everything of a topic: as long as it takes, if it goes on.
pub(super) async fn until_read(client: &Arc<Client>, topic: &TopicName, partitions: i32) {
    let (mut deadline, mut before) = (client.clock().now().plus(PATIENCE), Vec::new());
    loop {
        let all = (0..partitions)
            .map(|index| partition(topic, index))
            .collect();
        let lag = consumer::group_lag(client, "g", all).await.unwrap();
        if lag.iter().all(|one| one.offsets() == Some(0)) {
            return;
        }
        let now = client.clock().now();
        assert!(now < deadline, "{lag:?}");
        if lag != before {
            (deadline, before) = (now.plus(PATIENCE), lag);
        }
        tokio::task::yield_now().await;
    }
}

/// Runs a transform until it is stopped.
pub(super) async fn run_by(
    (client, id): (&Arc<Client>, &str),
    (source, from): (consumer::Settings, &TopicName),
    limits: TransformSettings,
    (function, stopped): (
        impl FnMut(&TopicPartition, &ConsumedRecord) -> Vec<Output>,
        oneshot::Receiver<()>,
    ),
) -> Result<(), Error> {
    let topics = Topics::Named(BTreeSet::from([from.clone()]));
    let client = Arc::clone(client);
    let mut transform = Transform::start(client, source, topics, settings(id), limits).await?;
    transform
        .run(function, async { stopped.await.unwrap_or(()) })
        .await?;
    transform.close(PATIENCE).await
}

/// A transform in a task.
pub(super) struct Running {
    stop: oneshot::Sender<()>,
    task: JoinHandle<Result<(), Error>>,
}

/// Begins a transform.
pub(super) fn run(
    client: &Arc<Client>,
    id: &'static str,
    topics: (&TopicName, &TopicName),
) -> Running {
    let limits = TransformSettings {
        records_max: 7,
        time_max: Duration::from_millis(50),
    };
    let function = doubled(topics.1);
    let (stop, stopped) = oneshot::channel();
    let (client, from) = (Arc::clone(client), topics.0.clone());
    let task = tokio::spawn(async move {
        run_by(
            (&client, id),
            (source(), &from),
            limits,
            (function, stopped),
        )
        .await
    });
    Running { stop, task }
}

impl Running {
    pub(super) async fn end(self) {
        self.stop.send(()).unwrap();
        self.task.await.unwrap().unwrap();
    }
}

#[tokio::test]
async fn what_is_open_when_a_transform_is_stopped_is_committed() {
    let mqd = start();
    let client = connect(&mqd).await;
    let (from, to) = (
        create(&client, "in", 1).await,
        create(&client, "out", 1).await,
    );
    fill(&client, &from, 1, 0..10).await;
    let limits = TransformSettings {
        records_max: 1_000,
        time_max: PATIENCE,
    };
    let topics = Topics::Named(BTreeSet::from([from.clone()]));
    let sink = settings("x");
    let transform = Transform::start(Arc::clone(&client), source(), topics, sink, limits);
    let mut transform = transform.await.unwrap();
    let (stop, stopped) = oneshot::channel();
    let (mut stop, mut left) = (Some(stop), 10);
    let mut inner = doubled(&to);
    let function = |from: &TopicPartition, record: &ConsumedRecord| {
        left -= 1;
        if left == 0 {
            stop.take().unwrap().send(()).unwrap();
        }
        inner(from, record)
    };
    let stopped = async { stopped.await.unwrap() };
    transform.run(function, stopped).await.unwrap();
    assert_eq!(committed(&client, &to, 0).await, wanted(0, 1, (1, 10)));
}

#[tokio::test]
async fn a_transform_reads_on_where_the_last_one_has_committed() {
    let mqd = start();
    let client = connect(&mqd).await;
    let (from, to) = (
        create(&client, "in", 2).await,
        create(&client, "out", 2).await,
    );
    fill(&client, &from, 2, 0..100).await;
    let first = run(&client, "x", (&from, &to));
    until_read(&client, &from, 2).await;
    first.end().await;
    fill(&client, &from, 2, 0..100).await;
    let second = run(&client, "x", (&from, &to));
    until_read(&client, &from, 2).await;
    second.end().await;
    for index in 0..2 {
        let twice = wanted(index, 2, (2, 100));
        assert_eq!(committed(&client, &to, index).await, twice);
    }
}

/// Members come and go, and one is gone without a word.
#[tokio::test]
async fn transforms_that_share_a_group_write_each_result_once() {
    let mqd = start();
    let client = connect(&mqd).await;
    let (from, to) = (
        create(&client, "in", 4).await,
        create(&client, "out", 4).await,
    );
    let topics = (&from, &to);
    fill(&client, &from, 4, 0..400).await;
    let first = run(&client, "first", topics);
    let second = run(&client, "second", topics);
    fill(&client, &from, 4, 0..400).await;
    // As if its process had been killed.
    second.task.abort();
    let third = run(&client, "second", topics);
    fill(&client, &from, 4, 0..400).await;
    first.end().await;
    until_read(&client, &from, 4).await;
    third.end().await;
    for index in 0..4 {
        let thrice = wanted(index, 4, (3, 400));
        let mut all = committed(&client, &to, index).await;
        assert_eq!(all.len(), thrice.len());
        all.sort();
        let mut sorted = thrice.clone();
        sorted.sort();
        assert_eq!(all, sorted);
    }
}

/// A function that reads committed records does not see the outputs of an aborted
/// transaction of another transform.
#[tokio::test]
async fn an_instance_that_was_replaced_writes_nothing_more() {
    let mqd = start();
    let client = connect(&mqd).await;
    let (from, to) = (
        create(&client, "in", 1).await,
        create(&client, "out", 1).await,
    );
    fill(&client, &from, 1, 0..50).await;
    let older = run(&client, "x", (&from, &to));
    until_read(&client, &from, 1).await;
    let newer = run(&client, "x", (&from, &to));
    fill(&client, &from, 1, 0..50).await;
    let ended = older.task.await.unwrap().unwrap_err();
    assert!(ended.is_fenced(), "{ended}");
    until_read(&client, &from, 1).await;
    newer.end().await;
    assert_eq!(committed(&client, &to, 0).await, wanted(0, 1, (2, 50)));
}
