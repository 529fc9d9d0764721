//! The transactional producer and the transform, against the real process.

mod killed;
mod rebalances;
mod transactions;
mod transforms;

use std::collections::BTreeSet;
use std::sync::Arc;

use client::Client;
use consumer::{Consumer, OffsetReset};
use exactly_once_client::Settings;
use message_model::{PartitionIndex, TopicName, TopicPartition};
use mqd_guard::Mqd;
use producer::{Producer, Record};

use crate::support::{PATIENCE, mqd};

/// The last record of each partition when a test reads it.
const END: &[u8] = b"end";

fn start() -> Mqd {
    mqd()
        .stable_port()
        .set("transaction.state.log.num.partitions", "3")
        .set("offsets.topic.num.partitions", "3")
        .set("group.initial.rebalance.delay.ms", "0")
        .set("group.min.session.timeout.ms", "500")
        .start()
        .unwrap()
}

pub(crate) async fn connect(mqd: &Mqd) -> Arc<Client> {
    let address = mqd.address().to_string();
    let client = Client::connect(&address, client::Settings::default());
    Arc::new(client.await.unwrap())
}

async fn create(client: &Client, name: &str, partitions: i32) -> TopicName {
    let topic = TopicName::new(name).unwrap();
    client.create_topic(&topic, partitions, &[]).await.unwrap();
    topic
}

fn partition(topic: &TopicName, index: i32) -> TopicPartition {
    TopicPartition {
        topic: topic.clone(),
        partition: PartitionIndex(index),
    }
}

fn settings(id: &str) -> Settings {
    Settings {
        patience: PATIENCE,
        ..Settings::new(id)
    }
}

/// A record of one of the partitions.
fn record(index: i32, value: &str) -> Record<'_> {
    Record {
        partition: Some(PartitionIndex(index)),
        ..Record::of_value(value.as_bytes())
    }
}

/// All committed values of a partition, in order.
pub(crate) async fn committed(client: &Arc<Client>, topic: &TopicName, index: i32) -> Vec<String> {
    values(client, (topic, index), true).await
}

/// All values of a topic's first partition, committed or not.
pub(crate) async fn all_values(client: &Arc<Client>, topic: &TopicName) -> Vec<String> {
    values(client, (topic, 0), false).await
}

async fn values(
    client: &Arc<Client>,
    (topic, index): (&TopicName, i32),
    read_committed: bool,
) -> Vec<String> {
    let plain = Producer::new(Arc::clone(client), producer::Settings::default());
    let end = Record {
        partition: Some(PartitionIndex(index)),
        ..Record::of_value(END)
    };
    let end = plain.send(topic, end).await.await.unwrap().offset.unwrap();
    let settings = consumer::Settings {
        reset: OffsetReset::Earliest,
        read_committed,
        ..consumer::Settings::default()
    };
    let mut consumer = Consumer::new(Arc::clone(client), settings);
    let all = BTreeSet::from([partition(topic, index)]);
    consumer.assign(all).await.unwrap();
    let mut values = Vec::new();
    loop {
        let polled = consumer.poll(PATIENCE).await.unwrap();
        for record in polled.expect("an open transaction holds it up").records {
            let record = record.unwrap();
            if record.offset == end {
                return values;
            }
            match record.value.unwrap() {
                // An earlier reader's.
                other if other == END => {}
                value => values.push(String::from_utf8(value.to_vec()).unwrap()),
            }
        }
    }
}
