//! The read of everything, when nothing happens any more.

use std::collections::BTreeMap;
use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use client::OffsetSpec;
use message_model::{Offset, TopicPartition};

use super::reader::{By, Reader};
use super::setup::Setup;

/// How long it may take.
const TIME_MAX: Duration = Duration::from_secs(20);

/// Reads every partition from its beginning to its end, as a process of its own.
///
/// # Errors
/// When the broker does not answer, or the end is not reached.
pub(super) async fn read_all(setup: &Setup) -> Result<()> {
    let client = setup.connect_once().await?;
    let clock = client.clock();
    let deadline = clock.now().plus(TIME_MAX);
    let mut ends: BTreeMap<TopicPartition, Offset> = BTreeMap::new();
    for partition in setup.all() {
        let end = client
            .find_offset(&partition, OffsetSpec::Latest, deadline)
            .await;
        let end = end.with_context(|| format!("the end of {partition} is not known"))?;
        ends.insert(partition, end.unwrap_or(Offset(0)));
    }
    let mut reader = Reader::new(setup, client, By::Assignment);
    reader.assign(setup.all()).await;
    let is_behind = |reader: &Reader<'_>| {
        let mut ends = ends.iter();
        ends.any(|(partition, end)| reader.consumer.position(partition) < Some(*end))
    };
    while is_behind(&reader) {
        ensure!(
            clock.now() < deadline,
            "the last read did not reach the ends {ends:?}"
        );
        reader.poll().await?;
    }
    Ok(())
}
