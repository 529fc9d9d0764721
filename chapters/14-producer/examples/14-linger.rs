//! What linger and batch size do to latency and to throughput.
//!
//! ```text
//! mqd --listen 127.0.0.1:9092 --data-dir /tmp/queue &
//! cargo run --release -p producer --example 14-linger -- 127.0.0.1:9092
//! ```

use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context as _, Result};
use async_model::Clock;
use client::Client;
use message_model::TopicName;
use producer::{Acks, Producer, Record, Settings};

const VALUE: [u8; 100] = [b'x'; 100];
const RECORDS: u32 = 200_000;
/// Records of the slow run, and the pause between them.
const SLOW: usize = 200;
const PAUSE: Duration = Duration::from_millis(1);

#[tokio::main]
async fn main() -> Result<()> {
    let bootstrap = std::env::args().nth(1).context("give HOST:PORT")?;
    let client = Client::connect(&bootstrap, client::Settings::default()).await?;
    let client = Arc::new(client);
    let topic = TopicName::new("linger")?;
    // It may be there from an earlier run.
    let _ = client.create_topic(&topic, 1, &[]).await;
    println!("linger  batch    1,000/s, median  99 %      as fast as it goes");
    for linger in [0, 5, 50] {
        for batch_bytes in [1_000, 16 * 1024, 512 * 1024] {
            let settings = Settings {
                acks: Acks::Leader,
                linger: Duration::from_millis(linger),
                batch_bytes,
                ..Settings::default()
            };
            let producer = Producer::new(Arc::clone(&client), settings);
            producer
                .send(&topic, Record::of_value(&VALUE))
                .await
                .await?;
            let (median, tail) = slowly(&producer, &topic, client.clock()).await?;
            let rate = fast(&producer, &topic, client.clock()).await;
            println!(
                "{linger:>3} ms  {batch_bytes:>7}  {median:>9.2} ms  {tail:>9.2} ms  {rate:>9.0} records/s"
            );
            producer.close(Duration::from_secs(5)).await;
        }
    }
    Ok(())
}

/// The latencies of records that come one by one, in milliseconds.
async fn slowly(producer: &Producer, topic: &TopicName, clock: Clock) -> Result<(f64, f64)> {
    let mut latencies = Vec::new();
    let mut waiting = tokio::task::JoinSet::new();
    for _ in 0..SLOW {
        let sent = clock.now();
        let delivery = producer.send(topic, Record::of_value(&VALUE)).await;
        waiting.spawn(async move { delivery.await.map(|_| clock.now().since(sent)) });
        tokio::time::sleep(PAUSE).await;
    }
    while let Some(latency) = waiting.join_next().await {
        latencies.push(latency??.as_secs_f64() * 1e3);
    }
    latencies.sort_by(f64::total_cmp);
    Ok((latencies[SLOW / 2], latencies[SLOW * 99 / 100]))
}

/// How many records go out in a second.
async fn fast(producer: &Producer, topic: &TopicName, clock: Clock) -> f64 {
    let begun = clock.now();
    for _ in 0..RECORDS {
        producer.send(topic, Record::of_value(&VALUE)).await;
    }
    producer.flush().await;
    f64::from(RECORDS) / clock.now().since(begun).as_secs_f64()
}
