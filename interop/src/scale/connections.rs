//! Many connections that produce at once.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Result;
use client::{Acks, Client};
use message_model::{Moment, TopicName};
use mqd_guard::Mqd;

use super::{PATIENCE, Size, connect, partition};
use crate::Latencies;
use crate::parity::batch::Batch;

const TOPIC: &str = "busy";
const PARTITIONS: u32 = 100;
const SECOND: &str = "second-client";
/// Between two produces of the second client.
const PAUSE: Duration = Duration::from_millis(2);

/// What many connections saw.
#[derive(Debug)]
pub struct Connections {
    /// How many produces each got acknowledged, the fewest first.
    pub acknowledged: Vec<u64>,
    latencies: Latencies,
    alone: Latencies,
    beside: Latencies,
}

impl fmt::Display for Connections {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let all = &self.acknowledged;
        write!(
            f,
            "{} connections produced {} times, each {} / {} / {} times (min / median / max), in {} \
             (p50 / p99 / max); a second client's produces {} alone, {} beside them",
            all.len(),
            all.iter().sum::<u64>(),
            all.first().unwrap_or(&0),
            all.get(all.len() / 2).unwrap_or(&0),
            all.last().unwrap_or(&0),
            self.latencies,
            self.alone,
            self.beside,
        )
    }
}

/// Each connection produces 1 KiB with `acks=1`, and again as soon as it has its answer.
///
/// # Errors
/// When any call fails.
pub async fn connections(size: &Size) -> Result<Connections> {
    let broker = Mqd::options(&size.mqd)
        .variable("RUST_LOG", "warn")
        .start()?;
    let second = connect(&broker).await?;
    for (topic, partitions) in [(TOPIC, PARTITIONS), (SECOND, 1)] {
        let name = TopicName::new(topic)?;
        second
            .create_topic(&name, partitions.cast_signed(), &[])
            .await?;
    }
    let clock = second.clock();
    let end = clock.now().plus(size.lasts / 4);
    let alone = produce_until(Arc::clone(&second), (SECOND, 0), end, PAUSE).await?;

    let mut clients = Vec::new();
    for _ in 0..size.count {
        clients.push(connect(&broker).await?);
    }
    let end = size.lasts;
    let tasks = clients.into_iter().zip(0..).map(|(client, index)| {
        let end = client.clock().now().plus(end);
        let place = (TOPIC, index % PARTITIONS);
        tokio::spawn(produce_until(client, place, end, Duration::ZERO))
    });
    let tasks: Vec<_> = tasks.collect();
    let end = clock.now().plus(size.lasts);
    let beside = produce_until(second, (SECOND, 0), end, PAUSE).await?;
    let mut latencies = Latencies::default();
    let mut acknowledged = Vec::new();
    for task in tasks {
        let its = task.await??;
        acknowledged.push(its.count() as u64);
        latencies.extend(its);
    }
    acknowledged.sort_unstable();
    Ok(Connections {
        acknowledged,
        latencies,
        alone,
        beside,
    })
}

/// Produces one record after the other; how long each took.
pub(super) async fn produce_until(
    client: Arc<Client>,
    (topic, index): (&str, u32),
    end: Moment,
    pause: Duration,
) -> Result<Latencies> {
    let to = partition(topic, index)?;
    let clock = client.clock();
    let batch = Batch::of(&[&"x".repeat(1024)]).bytes();
    let mut latencies = Latencies::default();
    while clock.now() < end {
        let before = clock.now();
        client
            .produce(&to, batch.clone(), Acks::Leader, PATIENCE)
            .await?;
        latencies.add(clock.now().since(before));
        if pause > Duration::ZERO {
            tokio::time::sleep(pause).await;
        }
    }
    Ok(latencies)
}
