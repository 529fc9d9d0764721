//! A program that sends records and never looks at what becomes of them, and what a
//! consumer finds out about it by the numbers in the records.
//!
//! ```text
//! mqd --listen 127.0.0.1:9092 --data-dir /tmp/queue &
//! cargo run --release -p producer --example 14-forget -- 127.0.0.1:9092
//! ```

use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context as _, Result};
use client::{Client, FetchLimits, OffsetSpec, records};
use message_model::{Offset, PartitionIndex, TopicName, TopicPartition};
use producer::{Interceptor, Producer, Record, SEQUENCE_HEADER, Settings, Watch};

const RECORDS: u64 = 100_000;
const TOPIC: &str = "forgotten";

#[tokio::main]
async fn main() -> Result<()> {
    let bootstrap = std::env::args().nth(1).context("give HOST:PORT")?;
    let client = Client::connect(&bootstrap, client::Settings::default()).await?;
    let client = Arc::new(client);
    let topic = TopicName::new(TOPIC)?;
    // It may be there from an earlier run.
    let _ = client.create_topic(&topic, 1, &[]).await;
    let from = TopicPartition {
        topic,
        partition: PartitionIndex(0),
    };
    for (name, waits) in [
        ("put and forget", false),
        ("put, and flush at the end", true),
    ] {
        let end = client.list_offset(&from, OffsetSpec::Latest).await?;
        let start = end.context("the topic has an end")?;
        send(&client, &from.topic, waits).await;
        let (arrived, missing) = count(&client, &from, start).await?;
        println!("{name}: {RECORDS} sent, {arrived} arrived, missing {missing}");
    }
    Ok(())
}

async fn send(client: &Arc<Client>, topic: &TopicName, waits: bool) {
    let interceptor = Interceptor::sequence("shop");
    let settings = Settings::default();
    let producer = Producer::with_interceptor(Arc::clone(client), settings, interceptor);
    for number in 0..RECORDS {
        let value = number.to_be_bytes();
        // The delivery, which would say what became of the record, is dropped.
        drop(producer.send(topic, Record::of_value(&value)).await);
    }
    if waits {
        producer.close(Duration::from_secs(30)).await;
    }
    // The program ends here, and the producer with it.
}

async fn count(client: &Client, from: &TopicPartition, start: Offset) -> Result<(u64, String)> {
    let end = client.list_offset(from, OffsetSpec::Latest).await?;
    let end = end.context("the topic has an end")?;
    let limits = FetchLimits {
        max_wait: Duration::from_secs(1),
        min_bytes: 1,
        max_bytes: 1 << 20,
    };
    let (mut watch, mut arrived, mut offset) = (Watch::new(16), 0, start);
    while offset < end {
        let fetched = client.fetch(from, offset, limits).await?;
        for record in records(fetched.batches, offset) {
            let record = record?;
            let mut headers = record.headers.iter();
            let header = headers.find(|header| header.0 == SEQUENCE_HEADER);
            if let Some((_, Some(header))) = header {
                watch.seen(from, header);
                arrived += 1;
            }
            offset = record.offset.plus(1);
        }
    }
    let mut missing = Vec::new();
    for (_, _, detector) in watch.detectors() {
        detector.sent(RECORDS);
        missing.extend(detector.missing().map(|range| format!("{range:?}")));
    }
    match (arrived, missing.is_empty()) {
        (0, _) => Ok((0, "all of them".to_owned())),
        (_, true) => Ok((arrived, "none".to_owned())),
        (_, false) => Ok((arrived, missing.join(", "))),
    }
}
