//! Many partitions in one broker.

use std::fmt;
use std::fs;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use client::{Acks, Client, OffsetSpec};
use message_model::{Offset, TopicName};
use mqd_guard::{Mqd, Port};

use super::{PATIENCE, Size, connect, partition};
use crate::parity::batch::Batch;

/// How many calls are made at a time.
const AT_A_TIME: usize = 64;
const TOPIC: &str = "wide";

/// What a broker with many partitions takes.
#[derive(Debug)]
pub struct Partitions {
    /// How many partitions.
    pub count: u32,
    /// How many files it may have open.
    pub files_max: u64,
    /// The most that it had open whenever it was looked.
    pub files_open: usize,
    resident: u64,
    created: Duration,
    produced: Duration,
    after_stop: Duration,
    after_kill: Duration,
}

impl fmt::Display for Partitions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Partitions {
            count,
            files_max,
            files_open,
            ..
        } = self;
        write!(
            f,
            "{count} partitions: created in {:.1} s, a record into each in {:.1} s (acks=all, {AT_A_TIME} at a time); \
             start after a clean stop {:.2} s, after SIGKILL {:.2} s; {files_open} of {files_max} \
             descriptors open, {:.0} MiB resident",
            self.created.as_secs_f64(),
            self.produced.as_secs_f64(),
            self.after_stop.as_secs_f64(),
            self.after_kill.as_secs_f64(),
            self.resident as f64 / f64::from(1 << 20),
        )
    }
}

/// Creates the partitions under a limit of `files_max` descriptors, produces to all, stops and
/// kills the broker, and produces to all again after each start.
///
/// # Errors
/// When any call fails, or a partition lacks a record.
pub async fn partitions(size: &Size, files_max: u64) -> Result<Partitions> {
    let limited = format!("ulimit -n {files_max}; exec \"$@\"");
    let mut broker = Mqd::options(&size.mqd)
        .through(["sh", "-c", &limited, "sh"])
        .patience(PATIENCE)
        .variable("RUST_LOG", "warn")
        .start()?;
    let client = connect(&broker).await?;
    let clock = client.clock();
    let before = clock.now();
    client
        .create_topic(&TopicName::new(TOPIC)?, size.count.cast_signed(), &[])
        .await?;
    let created = clock.now().since(before);
    let before = clock.now();
    produce_to_all(&client, size.count, 0).await?;
    let produced = clock.now().since(before);
    let mut files_open = open_files(&broker)?;

    let status = broker.terminate()?;
    ensure!(
        status.success(),
        "mqd ended with {status}: {}",
        broker.stderr()
    );
    let before = clock.now();
    broker.restart(Port::Any)?;
    let after_stop = clock.now().since(before);
    produce_to_all(&connect(&broker).await?, size.count, 1).await?;
    files_open = files_open.max(open_files(&broker)?);

    broker.kill_9()?;
    let before = clock.now();
    broker.restart(Port::Any)?;
    let after_kill = clock.now().since(before);
    produce_to_all(&connect(&broker).await?, size.count, 2).await?;
    files_open = files_open.max(open_files(&broker)?);
    let said = broker.stderr();
    ensure!(said.is_empty(), "mqd has something to say: {said}");
    Ok(Partitions {
        count: size.count,
        files_max,
        files_open,
        resident: broker.resident_bytes()?,
        created,
        produced,
        after_stop,
        after_kill,
    })
}

/// Each partition ends at `offset` before, and one later afterwards.
async fn produce_to_all(client: &Arc<Client>, count: u32, offset: i64) -> Result<()> {
    let mut running = tokio::task::JoinSet::new();
    for index in 0..count {
        if running.len() == AT_A_TIME {
            running.join_next().await.context("one runs")???;
        }
        let client = Arc::clone(client);
        running.spawn(async move {
            let to = partition(TOPIC, index)?;
            let end = client.list_offset(&to, OffsetSpec::Latest).await?;
            ensure!(
                end == Some(Offset(offset)),
                "{to} ends at {end:?}, not at {offset}"
            );
            let batch = Batch::of(&["one record"]).bytes();
            let got = client.produce(&to, batch, Acks::All, PATIENCE).await?;
            ensure!(got == Offset(offset), "{to}: {got:?}");
            Ok::<(), anyhow::Error>(())
        });
    }
    while let Some(ended) = running.join_next().await {
        ended??;
    }
    Ok(())
}

/// How many files a broker has open now.
pub(super) fn open_files(broker: &Mqd) -> Result<usize> {
    let path = format!("/proc/{}/fd", broker.process_id());
    Ok(fs::read_dir(path)?.count())
}
