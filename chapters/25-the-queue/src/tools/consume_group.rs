//! `mqd consume --group`: records to stdout, shared with the other members of a group.

use std::collections::BTreeSet;
use std::io::{self, BufWriter, Write as _};
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context as _, Result};
use client::Client;
use consumer::{Consumer, Done, OffsetReset, Polled, SeekTo, Settings, Topics};
use message_model::TopicName;

use super::PATIENCE;
use super::format::Format;

/// How long a poll waits for records: then Ctrl-C is noticed.
const POLL: Duration = Duration::from_millis(500);

/// How often it is committed what was printed.
const COMMIT_EVERY: Duration = Duration::from_secs(1);

/// What to read, as whom.
#[derive(Debug)]
pub(super) struct Member {
    pub(super) topic: TopicName,
    pub(super) group: String,
    /// Where a partition begins for which the group has committed nothing.
    pub(super) reset: OffsetReset,
    /// How many records to print.
    pub(super) count: u64,
}

/// Reads until `count` records are printed, or Ctrl-C; then it leaves the group.
///
/// What was printed is committed, never what was not: after a kill the group gets some
/// records again, and misses none.
pub(super) async fn run(client: Client, member: Member, format: &Format) -> Result<()> {
    let settings = Settings {
        group: Some(member.group.clone()),
        reset: member.reset,
        done: Done::WhenSaid,
        auto_commit: Some(COMMIT_EVERY),
        ..Settings::default()
    };
    let mut consumer = Consumer::new(Arc::new(client), settings);
    let topics = Topics::Named(BTreeSet::from([member.topic.clone()]));
    consumer.subscribe(topics).await?;
    let printed = print_all(&mut consumer, &member, format).await;
    let closed = consumer.close(PATIENCE).await;
    printed.with_context(|| format!("as a member of {}", member.group))?;
    closed.context("committing what was printed last")
}

async fn print_all(consumer: &mut Consumer, member: &Member, format: &Format) -> Result<()> {
    let mut left = member.count;
    let mut interrupted = std::pin::pin!(tokio::signal::ctrl_c());
    while left > 0 {
        let polled = consumer.poll(POLL).await?;
        if let Some(polled) = polled {
            left = print(consumer, polled, left, format).await?;
        }
        let now = std::future::ready(());
        tokio::select! {
            biased;
            _ = &mut interrupted => break,
            () = now => {}
        }
    }
    Ok(())
}

/// Prints at most `left` records; returns how many are left to print. With the last one
/// it goes on behind it, so that the rest of what came along is read again.
async fn print(consumer: &mut Consumer, polled: Polled, left: u64, format: &Format) -> Result<u64> {
    let Polled {
        partition,
        records,
        work,
    } = polled;
    let mut left = left;
    let mut last = None;
    {
        let mut out = BufWriter::new(io::stdout().lock());
        for record in records {
            let record = record.with_context(|| format!("reading {partition}"))?;
            format.write(&mut out, &partition, &record)?;
            last = Some(record.offset);
            left -= 1;
            if left == 0 {
                break;
            }
        }
        out.flush()?;
    }
    match last {
        Some(last) if left == 0 => {
            let behind = SeekTo::Offset(last.plus(1));
            consumer.seek(&partition, behind).await?;
            consumer.commit_sync().await?;
        }
        _ => consumer.acks().done(&work),
    }
    Ok(left)
}
