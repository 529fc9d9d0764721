//! Reads a partition from its first record on, and says how long it took.
//!
//! `cargo run --release -p consumer --example rate -- BOOTSTRAP TOPIC RECORDS`
//!
//! It prints the seconds from the assignment to the last record, and how long its threads
//! ran meanwhile, by the kernel.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Result, bail};
use client::Client;
use consumer::{Consumer, OffsetReset, Settings};
use message_model::{PartitionIndex, TopicName, TopicPartition};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [bootstrap, topic, count] = arguments.as_slice() else {
        bail!("BOOTSTRAP TOPIC RECORDS");
    };
    let (topic, count) = (TopicName::new(topic)?, count.parse::<u64>()?);
    let client = Client::connect(bootstrap, client::Settings::default()).await?;
    let clock = client.clock();
    let settings = Settings {
        reset: OffsetReset::Earliest,
        ..Settings::default()
    };
    let mut consumer = Consumer::new(Arc::new(client), settings);
    let partition = PartitionIndex(0);
    let start = clock.now();
    consumer
        .assign(BTreeSet::from([TopicPartition { topic, partition }]))
        .await?;
    let (mut records, mut bytes) = (0, 0);
    while records < count {
        let polled = consumer.poll(Duration::from_secs(5)).await?;
        for record in polled.into_iter().flat_map(|polled| polled.records) {
            records += 1;
            bytes += record?.value.map_or(0, |value| value.len());
        }
    }
    let took = clock.now().since(start).as_secs_f64();
    println!(
        "{records} records, {bytes} bytes, {took:.3} s, {:.3} s of processor time",
        cpu()
    );
    Ok(())
}

/// How long the threads of this process ran, in seconds; 0 where the system does not say.
fn cpu() -> f64 {
    let text = std::fs::read_to_string("/proc/self/stat").unwrap_or_default();
    let behind = text.rsplit_once(") ").map_or("", |(_, behind)| behind);
    let ticks = behind.split(' ').skip(11).take(2).map(str::parse::<u32>);
    ticks.filter_map(Result::ok).map(f64::from).sum::<f64>() / 100.0
}
