//! How fast a producer sends to a queue that runs, and how much processor time that takes.
//!
//! ```text
//! mqd --listen 127.0.0.1:9092 --data-dir /tmp/queue &
//! cargo run --release -p producer --example 14-perf -- 127.0.0.1:9092 TOPIC --records 2000000 --size 100
//! ```
//!
//! As Kafka's producer it is idempotent, with five batches in flight, unless `--acks` is 0 or 1.
//! Not so with `--without-idempotence`: then one batch is in flight, which keeps the order.

use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context as _, Result, bail};
use client::Client;
use message_model::TopicName;
use producer::{Acks, Producer, Record, Settings};
use record_batch::Codec;

struct Arguments {
    bootstrap: String,
    topic: TopicName,
    records: u64,
    size: usize,
    settings: Settings,
}

fn main() -> Result<()> {
    let arguments = parse()?;
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(1)
        .enable_all()
        .build()?;
    let (client, producer) = runtime.block_on(async {
        let settings = client::Settings::default();
        let client = Arc::new(Client::connect(&arguments.bootstrap, settings).await?);
        let producer = Producer::new(Arc::clone(&client), arguments.settings.clone());
        anyhow::Ok((client, producer))
    })?;
    let value = vec![b'x'; arguments.size];
    // The first record finds the topic and connects.
    producer
        .send_blocking(&arguments.topic, Record::of_value(&value))
        .wait()?;
    let (begun, cpu) = (client.clock().now(), processor_time()?);
    for _ in 0..arguments.records {
        producer.send_blocking(&arguments.topic, Record::of_value(&value));
    }
    let last = producer.send_blocking(&arguments.topic, Record::of_value(&value));
    runtime.block_on(producer.flush());
    let last = last.wait()?;
    let (elapsed, cpu) = (client.clock().now().since(begun), processor_time()? - cpu);
    #[expect(clippy::cast_precision_loss, reason = "a rate to read")]
    let records = arguments.records as f64;
    println!(
        "{:.0} records/s, {:.3} s processor time per million; the last one is at {:?}",
        records / elapsed.as_secs_f64(),
        cpu.as_secs_f64() * 1e6 / records,
        last.offset
    );
    runtime.block_on(producer.close(Duration::from_secs(5)));
    drop((producer, client));
    Ok(())
}

fn parse() -> Result<Arguments> {
    let mut words = std::env::args().skip(1);
    let mut arguments = Arguments {
        bootstrap: words.next().context("give HOST:PORT and a topic")?,
        topic: TopicName::new(&words.next().context("give a topic")?)?,
        records: 1_000_000,
        size: 100,
        settings: Settings::idempotent(),
    };
    let settings = &mut arguments.settings;
    while let Some(name) = words.next() {
        if name == "--without-idempotence" {
            without_idempotence(settings);
            continue;
        }
        let value = words
            .next()
            .with_context(|| format!("{name} takes a value"))?;
        match name.as_str() {
            "--records" => arguments.records = value.parse()?,
            "--size" => arguments.size = value.parse()?,
            "--batch" => settings.batch_bytes = value.parse()?,
            "--linger-ms" => settings.linger = Duration::from_millis(value.parse()?),
            "--acks" => {
                settings.acks = match value.as_str() {
                    "0" => Acks::None,
                    "1" => Acks::Leader,
                    _ => Acks::All,
                };
                if settings.acks != Acks::All {
                    without_idempotence(settings);
                }
            }
            "--codec" => {
                settings.codec = match value.as_str() {
                    "gzip" => Codec::Gzip,
                    "snappy" => Codec::Snappy,
                    "lz4" => Codec::Lz4,
                    "zstd" => Codec::Zstd,
                    _ => Codec::None,
                }
            }
            other => bail!("{other} is not known"),
        }
    }
    settings.request_bytes = settings.request_bytes.max(settings.batch_bytes);
    Ok(arguments)
}

fn without_idempotence(settings: &mut Settings) {
    let plain = Settings::default();
    settings.idempotent = plain.idempotent;
    settings.order = plain.order;
}

/// What this process has used so far. The kernel counts in hundredths of a second.
fn processor_time() -> Result<Duration> {
    let text = std::fs::read_to_string("/proc/self/stat")?;
    let (_, fields) = text.rsplit_once(") ").context("no fields")?;
    let times = fields.split(' ').skip(11).take(2);
    let ticks: u64 = times.map(|time| time.parse().unwrap_or(0)).sum();
    Ok(Duration::from_millis(10 * ticks))
}
